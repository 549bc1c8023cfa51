"""The rules that every division of licences must keep (licensing.md 7), with messages that name the numbers.

The licence service calls `check` before it stores a tree that was edited with `tree_edit`. Pure.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.errors import InvalidInputError
from outrider.licences.model import GATE_KINDS, LARGEST_COUNT, LicenceKind
from outrider.licences.tree import (
    LINES,
    Counts,
    OrganizationAllocation,
    PoolName,
    Tree,
    ZoneAllocation,
    divide,
    pool_names,
    with_defaults,
)

Problem = dict[str, object]
"""`where` it is, `problem` (a sentence), and of a sum its `kind`, `sum`, `limit` and `excess`."""

Members = tuple[ZoneAllocation, ...] | tuple[OrganizationAllocation, ...]


def check(tree: Tree, entitlement: Counts, before: Tree | None = None) -> None:
    """Raise InvalidInputError when `tree` breaks a rule; `problems` in the facts has one entry per breach.

    Rules: counts are whole numbers from 0; the zones together have no more than the entitlement, the
    organizations of a zone no more than the zone, and outbound ports no more than telephony ports. With
    `before`, an excess that was there already and has not grown is no breach: after a cut of the
    entitlement an administrator must be able to go down step by step.
    """
    tree = with_defaults(tree)
    problems = _ill_formed(tree)
    if not problems:
        known = _excesses(with_defaults(before), entitlement) if before is not None else {}
        problems = [
            {"where": where, "problem": excess.sentence, **excess.facts()}
            for where, excess in _excesses(tree, entitlement).items()
            if where not in known or excess.amount > known[where].amount
        ]
    if problems:
        raise InvalidInputError(" ".join(str(each["problem"]) for each in problems), problems=problems)


def _problem(where: str, problem: str) -> Problem:
    return {"where": where, "problem": problem}


def _ill_formed(tree: Tree) -> list[Problem]:
    """Find names that are empty or used twice, counts that are no counts, and an unknown automatic pool."""
    levels: list[tuple[str, Members]] = [("", tree.zones)]
    levels += [(f"{zone.name}/", zone.organizations) for zone in tree.zones]
    problems: list[Problem] = []
    for prefix, members in levels:
        names = [member.name for member in members]
        for name in sorted(set(names)):
            where = prefix + name
            if not name.strip():
                problems.append(_problem(where, "A zone or organization has no name: give it one."))
            if names.count(name) > 1:
                problems.append(_problem(where, f"{where} is there twice: give each its own name."))
        for member in members:
            for kind, count in member.counts.items():
                if not 0 <= count <= LARGEST_COUNT:
                    where = f"{prefix}{member.name}"
                    allowed = f"give a whole number from 0 to {LARGEST_COUNT}"
                    problem = f"{where} cannot have {count} {kind}: {allowed}."
                    problems.append(_problem(f"{where}.{kind}", problem))
    if tree.auto_allocate is not None and tree.auto_allocate not in pool_names(tree):
        where = "/".join(tree.auto_allocate)
        problem = f"auto_allocate names {where}, which does not exist{_meant(tree, where)}."
        problems.append(_problem("auto_allocate", problem))
    return problems


def _meant(tree: Tree, where: str) -> str:
    close = difflib.get_close_matches(where, ["/".join(pool) for pool in pool_names(tree)], n=1)
    return f": did you mean {close[0]}?" if close else ""


@dataclass(frozen=True, slots=True)
class _Excess:
    """One sum that passes what is above it."""

    kind: LicenceKind
    total: int
    limit: int
    sentence: str

    @property
    def amount(self) -> int:
        return self.total - self.limit

    def facts(self) -> Problem:
        return {"kind": self.kind.value, "sum": self.total, "limit": self.limit, "excess": self.amount}


def _excesses(tree: Tree, entitlement: Counts) -> dict[str, _Excess]:
    """Find every excess by place, type by type, zones first."""
    division = divide(tree, entitlement)
    found: dict[str, _Excess] = {}
    for kind in LicenceKind:
        found |= _level_excess(kind, tree.zones, entitlement.get(kind, 0), "zones", "entitlement")
        for zone in tree.zones:
            limit = zone.counts.get(kind, division.zones[zone.name][kind])
            above = f"zone {zone.name}"
            found |= _level_excess(kind, zone.organizations, limit, f"organizations of {above}", above)
    return found | _lacking_telephony_ports(tree, entitlement)


def _level_excess(
    kind: LicenceKind, members: Members, limit: int, below: str, above: str
) -> dict[str, _Excess]:
    """Compare one sum with its limit; of a gate, which is not divided, each number by itself."""
    given = {member.name: member.counts[kind] for member in members if kind in member.counts}
    if kind in GATE_KINDS:
        return {
            f"{below}.{name}.{kind}": _Excess(
                kind,
                count,
                limit,
                f"{kind} of {name} is {count}, but the {above} has {limit}: lower it by {count - limit}.",
            )
            for name, count in given.items()
            if count > limit
        }
    total = sum(given.values())
    if total <= limit:
        return {}
    shares = ", ".join(f"{name} {count}" for name, count in given.items())
    sentence = (
        f"{kind}: the {below} have {total} together ({shares}), but the {above} has {limit}:"
        f" take away {total - limit}."
    )
    return {f"{below}.{kind}": _Excess(kind, total, limit, sentence)}


def _lacking_telephony_ports(tree: Tree, entitlement: Counts) -> dict[str, _Excess]:
    """Compare the outbound ports that were given with the telephony ports that there are for them.

    In the whole system; where telephony ports are divided, also in each zone or organization that has a
    number of them, and in the others together, which share the rest.
    """
    ports, lines = LicenceKind.OUTBOUND_PORTS, LINES
    division = divide(tree, entitlement)
    places: list[tuple[str, Counts]] = []
    if lines in entitlement:
        given = sum(zone.counts.get(ports, 0) for zone in tree.zones)
        places.append(("all zones together", {ports: given, lines: entitlement[lines]}))
    there = {zone.name: division.zones[zone.name][lines] for zone in tree.zones}
    places += _where_divided("zone {}", "the zones without", tree.zones, there)
    for zone in tree.zones:
        there = {
            each.name: division.pools[PoolName(zone.name, each.name)][lines] for each in zone.organizations
        }
        name, rest = f"organization {{}} of {zone.name}", f"the organizations of {zone.name} without"
        places += _where_divided(name, rest, zone.organizations, there)
    return {
        f"{name}.{lines}": _Excess(
            ports,
            counts[ports],
            counts[lines],
            f"{name} would have {counts[ports]} {ports}, but only {counts[lines]} {lines}, and each outbound"
            f" call needs one: take away {counts[ports] - counts[lines]} {ports}.",
        )
        for name, counts in places
        if ports in counts and lines in counts and counts[ports] > counts[lines]
    }


def _where_divided(
    name: str, rest: str, members: Members, there: Mapping[str, int]
) -> list[tuple[str, Counts]]:
    """Return the places of one level to compare; none while nobody there has a number of telephony ports.

    `there` are the telephony ports in force.
    """
    ports, own = LicenceKind.OUTBOUND_PORTS, [each for each in members if LINES in each.counts]
    if not own:
        return []
    places: list[tuple[str, Counts]] = [(name.format(each.name), each.counts) for each in own]
    others = [each for each in members if LINES not in each.counts]
    sums = {
        ports: sum(each.counts.get(ports, 0) for each in others),
        LINES: sum(there[each.name] for each in others),
    }
    return [*places, (f"{rest} {LINES} of their own", sums)]
