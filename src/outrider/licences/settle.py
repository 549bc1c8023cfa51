"""Granting: how grants follow quotas without ever taking a unit that is still held or in use.

`recalculate` calls it after sharing, and replay and the database service again whenever calls end; that
is not a recalculation (licensing.md 4.5).
"""

from collections.abc import Mapping, Sequence

from outrider.licences.levels import limits_of, overdrawn, raise_in_policy, serve_in_order, use
from outrider.licences.model import NESTED_KINDS, SHARING_GROUPS, Holding, LicenceKind, Policy

SMALL = 300
"""With fewer tasks plain lists are faster than columns, as in `share`."""


def settle(
    pool: Mapping[LicenceKind, int],
    holdings: Sequence[Holding],
    policy: Policy = Policy.WEIGHTED,
    agents: int | None = None,
) -> dict[str, int]:
    """Return the new grant of every holding, by id (4.5).

    A grant shrinks to the quota at once. It grows, never above the quota, out of units that nobody holds or
    uses: the sum of max(granted, in use) stays inside the pool, for the agent kinds inside every nested
    limit and `agents`. Rights first in the order of 4.1, then in key order. Paused and stopped tasks whose
    calls are still up belong to `holdings` too, with quota 0.
    """
    granted: dict[str, int] = {}
    for group in SHARING_GROUPS:
        members = [holding for holding in holdings if holding.kind in group]
        if not members:
            continue
        room = limits_of([pool.get(kind, 0) for kind in group], agents if group is NESTED_KINDS else None)
        if len(members) >= SMALL:
            # numpy takes longer to import than a small pool takes to settle
            from outrider.licences.settle_columns import settle_group  # noqa: PLC0415 - see the line above

            granted.update(settle_group(members, group, room, strict=policy is Policy.STRICT))
        else:
            granted.update(settle_lists(members, group, room, strict=policy is Policy.STRICT))
    return {holding.id: granted[holding.id] for holding in holdings}


def settle_lists(
    members: Sequence[Holding], group: tuple[LicenceKind, ...], room: list[int], *, strict: bool
) -> dict[str, int]:
    """Settle one group of kinds on plain lists; `room` holds the group's limits and is used up."""
    order = sorted(members, key=lambda holding: (-holding.priority, holding.started, holding.id))
    depths = [group.index(holding.kind) for holding in order]
    kept = [min(holding.granted, holding.quota) for holding in order]
    busy = [holding.in_use for holding in order]
    charged = [max(units, used) for units, used in zip(kept, busy, strict=True)]
    low = [max(units, min(holding.quota, holding.in_use)) for units, holding in zip(kept, order, strict=True)]
    steps = [[holding.quota for holding in order]]
    if overdrawn(charged, depths, room):
        # the pool was cut: nobody may begin a call until the excess has drained, so grants are dealt anew
        charged = busy
        low = [min(units, used) for units, used in zip(low, busy, strict=True)]
        steps.insert(0, kept)
    for depth, units in zip(depths, charged, strict=True):
        use(room, depth, units)
    for tops in steps:
        ceilings = [max(base, top) for base, top in zip(low, tops, strict=True)]
        rights = [
            max(0, min(holding.right, top) - base)
            for base, top, holding in zip(low, ceilings, order, strict=True)
        ]
        given = serve_in_order(range(len(order)), rights, depths, room, whole=False)
        low = [base + units for base, units in zip(low, given, strict=True)]
        raise_in_policy(low, ceilings, [holding.priority for holding in order], depths, room, strict=strict)
    return {holding.id: units for holding, units in zip(order, low, strict=True)}
