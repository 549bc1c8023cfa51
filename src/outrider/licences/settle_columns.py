"""Granting in a large pool on numpy columns: the same steps as `settle`, for pools of many tasks."""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from outrider.licences.level_columns import Order, inside_sums, serve_in_order
from outrider.licences.model import Holding, LicenceKind, Policy
from outrider.licences.share_columns import raise_in_policy
from outrider.licences.table import Ints, ages_of


def settle_group(
    members: Sequence[Holding], group: tuple[LicenceKind, ...], room: list[int], *, strict: bool
) -> dict[str, int]:
    """Settle one group of kinds; `room` holds the group's limits and is used up (licensing.md 4.5)."""
    size = len(members)

    def column(name: str) -> Ints:
        return np.fromiter(map(attrgetter(name), members), np.int64, size)

    ids = list(map(attrgetter("id"), members))
    depths = np.fromiter((group.index(holding.kind) for holding in members), np.int64, size)
    order = Order(column("priority"), ages_of(list(map(attrgetter("started"), members))), ids)
    quota, in_use = column("quota"), column("in_use")
    kept = np.minimum(column("granted"), quota)
    charged = np.maximum(kept, in_use)
    low = np.maximum(kept, np.minimum(quota, in_use))
    steps = [quota]
    if any(total > free for total, free in zip(inside_sums(charged, depths, len(room)), room, strict=True)):
        # the pool was cut: nobody may begin a call until the excess has drained, so grants are dealt anew
        charged, low, steps = in_use, np.minimum(low, in_use), [kept, quota]
    for limit, units in enumerate(inside_sums(charged, depths, len(room))):
        room[limit] -= units
    policy = Policy.STRICT if strict else Policy.WEIGHTED
    rows, right = np.arange(size), column("right")
    for tops in steps:
        high = np.maximum(low, tops)
        rights = np.maximum(np.minimum(right, high) - low, 0)
        low = low + serve_in_order(rows, rights, depths, room, order)
        low = raise_in_policy(low, high, order.priority, depths, rows, room, order, policy)
    return dict(zip(ids, low.tolist(), strict=True))
