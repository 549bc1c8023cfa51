"""The split of a zone's ports over its media servers, and the granting of it. Pure, whole numbers only.

`media/sharing.py` splits and grants, `media/placement.py` fills servers evenly by the same function. The key
of a unit is that of licensing.md 4.2: the k-th port of a server of weight w has the key k / w.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Vessel:
    """What `fill` may put where: from `low` up to `high` units, `weight` times as fast as weight 1.

    Units up to `held` are preferred among equals.
    """

    id: int
    weight: int
    low: int
    high: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """One media server as the split sees it, in ports; one that is not `in_service` has quota 0."""

    id: int
    weight: int
    maximum: int
    in_service: bool
    quota: int
    granted: int
    in_use: int


def fill(vessels: Sequence[Vessel], total: int) -> dict[int, int]:
    """Return what each vessel has, by id, when all together have `total` as far as their bounds allow.

    Weighted max-min in whole numbers: units are dealt one at a time, each to the vessel whose key for it is
    smallest (k / weight, units held before, heavier, id). The same result in O(n log n): all vessels rise
    to one exact level, and fewer units than vessels are dealt singly. The order of the input does not matter.
    """
    level, units = _level(vessels, total)
    filled = {
        vessel.id: min(vessel.high, max(vessel.low, level * vessel.weight // units)) for vessel in vessels
    }
    left = total - sum(filled.values())
    queue = [_key(vessel, filled[vessel.id]) for vessel in vessels if filled[vessel.id] < vessel.high]
    if left <= 0 or not queue:
        return filled
    known = {vessel.id: vessel for vessel in vessels}
    heapq.heapify(queue)
    while left > 0 and queue:
        vessel = known[queue[0][3]]
        filled[vessel.id] += 1
        left -= 1
        if filled[vessel.id] < vessel.high:
            heapq.heapreplace(queue, _key(vessel, filled[vessel.id]))
        else:
            heapq.heappop(queue)
    return filled


def split(ports: int, servers: Sequence[Holding]) -> dict[int, int]:
    """Return the quota of every media server, by id: `ports` over those in service, by weight and maximum.

    Least movement: among splits that are equally good, the one that takes the fewest ports from servers
    that had them (their present quota). One more port lowers nobody's quota.
    """
    sharing = [
        Vessel(server.id, server.weight, 0, server.maximum, server.quota)
        for server in servers
        if server.in_service
    ]
    return dict.fromkeys((server.id for server in servers), 0) | fill(sharing, ports)


def grant(ports: int, servers: Sequence[Holding]) -> dict[int, int]:
    """Return how many ports each server may charge now, by id (licensing.md 4.5).

    A grant shrinks to the quota at once. It grows, never above the quota, out of ports that nobody holds or
    uses, first for the server that is furthest behind: the sum of max(granted, in use) stays inside `ports`.
    When `ports` were cut below what is in use, nothing new starts anywhere until the excess has drained.
    """
    kept = {server.id: min(server.granted, server.quota) for server in servers}
    charged = sum(max(kept[server.id], server.in_use) for server in servers)
    low = {server.id: max(kept[server.id], min(server.quota, server.in_use)) for server in servers}
    steps = [{server.id: server.quota for server in servers}]
    if charged > ports:
        charged = sum(server.in_use for server in servers)
        low = {server.id: min(low[server.id], server.in_use) for server in servers}
        steps.insert(0, kept)
    free = ports - charged
    for tops in steps:
        before = sum(low.values())
        vessels = [
            Vessel(server.id, server.weight, low[server.id], max(low[server.id], tops[server.id]))
            for server in servers
        ]
        low = fill(vessels, before + max(0, free))
        free -= sum(low.values()) - before
    return low


def _level(vessels: Sequence[Vessel], total: int) -> tuple[int, int]:
    """Return the highest level, as a quotient, at which the vessels together hold no more than `total`.

    At level L a vessel holds L * weight, inside its bounds: a sum that is linear between the levels at
    which some vessel begins to rise or is full.
    """
    resting = sum(vessel.low for vessel in vessels)
    rising = 0
    steps = [(Fraction(vessel.low, vessel.weight), vessel.weight, -vessel.low) for vessel in vessels]
    steps += [(Fraction(vessel.high, vessel.weight), -vessel.weight, vessel.high) for vessel in vessels]
    steps.sort()
    level = Fraction(0)
    for level, changes in groupby(steps, key=lambda step: step[0]):
        held = resting * level.denominator + rising * level.numerator
        if held > total * level.denominator:
            break
        for _, weight, base in changes:
            rising += weight
            resting += base
    return (total - resting, rising) if rising else (level.numerator, level.denominator)


def _key(vessel: Vessel, filled: int) -> tuple[Fraction, bool, int, int]:
    """Return the key of a vessel's next unit."""
    unit = filled + 1
    return Fraction(unit, vessel.weight), unit > vessel.held, -vessel.weight, vessel.id
