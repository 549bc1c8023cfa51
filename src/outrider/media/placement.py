"""Which media servers of a zone make the next calls. Pure.

`media/placing.py` asks it with the servers' rows locked, and charges what it says.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.media import rate
from outrider.media.split import Vessel, fill

FINE = 1 << 40


@dataclass(frozen=True, slots=True)
class Slot:
    """One media server with ports granted; `mark` is where its rate stands (rate.py)."""

    id: int
    name: str
    granted: int
    in_use: int
    per_second: float | None = None
    mark: dt.datetime | None = None

    @property
    def free(self) -> int:
        """Return how many ports may be charged."""
        return max(0, self.granted - self.in_use)


@dataclass(frozen=True, slots=True)
class Choice:
    """How many calls each server makes (by id, none with 0), what bound them, and when to ask again."""

    calls: dict[int, int]
    bound: str = ""
    again_at: dt.datetime | None = None


def choose(slots: Sequence[Slot], wanted: int, now: dt.datetime) -> Choice:
    """Place up to `wanted` calls: each on the server that has most ports free relative to its grant.

    No server gets more than its free ports, nor more than its originations per second let start at `now`.
    """
    open_slots = [slot for slot in slots if slot.free > 0]
    vessels = [
        Vessel(
            slot.id,
            slot.granted,
            slot.in_use,
            slot.in_use + rate.allowed(slot.per_second, slot.mark, now, slot.free),
        )
        for slot in open_slots
    ]
    filled = fill(vessels, sum(slot.in_use for slot in open_slots) + max(0, wanted))
    calls = {slot.id: filled[slot.id] - slot.in_use for slot in open_slots if filled[slot.id] > slot.in_use}
    if sum(calls.values()) >= wanted:
        return Choice(calls)
    held_back = [slot for slot, vessel in zip(open_slots, vessels, strict=True) if vessel.high < slot.granted]
    if not held_back:
        return Choice(calls, "ports")
    again_at = min(
        rate.next_start(
            slot.per_second, rate.advanced(slot.per_second, slot.mark, now, calls.get(slot.id, 0)), now
        )
        for slot in held_back
    )
    return Choice(calls, "rate", again_at)


def in_turn(calls: dict[int, int]) -> list[int]:
    """Return the server of each call, those of different servers mixed evenly, so that none gets a burst."""
    # The n-th call of a server with c calls comes at (2n + 1) / c: in whole numbers, which sort faster.
    places = sorted(
        ((2 * number + 1) * FINE // count, server_id)
        for server_id, count in calls.items()
        for number in range(count)
    )
    return [server_id for _, server_id in places]
