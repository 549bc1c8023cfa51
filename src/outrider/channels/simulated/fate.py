"""What the far end will do in one call: a pure function of the seed, the number and how often it was called.

`carrier` asks it once per originate. Hashing instead of a running random generator makes each call's fate
independent of all other calls, so runs are repeatable however calls interleave.
"""

import hashlib
import math
import struct
from dataclasses import dataclass

from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd

_DRAWS = struct.Struct("<8Q")
_DROPPED_BITS = 11
_SCALE = 2.0**-53


@dataclass(frozen=True, slots=True)
class Fate:
    """One call's course at the far end; times are seconds. Only the fields of its `end` matter."""

    end: FarEnd
    setup: float
    """From the originate to the first ring; for ends without ringing, to the end of the call."""
    ring: float
    """From the first ring to the answer or rejection; not used for NO_ANSWER."""
    greeting: float
    patience: float
    early: float | None
    """The share of the first prompt after which a person hangs up; None listens to the end."""
    linger: float
    recognised: bool
    answer: str | None = None
    """The key or word with which a person answers a prompt."""
    answer_after: float = 0.0
    talk: float = 0.0
    """For how long a person talks with an agent, and a machine records one."""


def draw_fate(profile: CarrierProfile, seed: int, address: str, nth: int) -> Fate:
    """Return the fate of the `nth` call (from 1) to `address`.

    Whether a number exists at all (UNALLOCATED) depends on the number alone, not on the call; the other
    outcomes share what is left in proportion to their probabilities.
    """
    draws = _uniform(f"{seed}|{nth}|{address}")
    end = _end(profile, draws[0], seed, address)
    human = end is FarEnd.HUMAN
    if human:
        ring = profile.human_ring
    else:
        ring = profile.machine_ring if end is FarEnd.MACHINE else profile.reject_ring
    patience = (profile.patience if human else profile.machine_patience).at(draws[3])
    leaves_early = human and draws[4] < profile.hangs_up_early
    answer, answer_after = _answer(profile, f"{seed}|answer|{nth}|{address}") if human else (None, 0.0)
    return Fate(
        end=end,
        setup=profile.setup.at(draws[1]),
        ring=ring.at(draws[2]),
        greeting=0.0 if human else profile.machine_greeting.at(draws[3]),
        patience=patience,
        early=draws[5] if leaves_early else None,
        linger=profile.linger.at(draws[6]),
        recognised=draws[7] >= profile.unrecognised,
        answer=answer,
        answer_after=answer_after,
        talk=_talk(profile, f"{seed}|talk|{nth}|{address}") if human else patience,
    )


def draw_hold(profile: CarrierProfile, seed: int, address: str, nth: int) -> float:
    """Return for how many seconds a person listens to music on hold in one call, each time anew."""
    return profile.hold_patience.at(_uniform(f"{seed}|hold|{nth}|{address}")[0])


def _end(profile: CarrierProfile, draw: float, seed: int, address: str) -> FarEnd:
    """Choose the outcome by the profile's probabilities."""
    outcomes = profile.outcomes
    unallocated = outcomes.get(FarEnd.UNALLOCATED, 0.0)
    if unallocated and _uniform(f"{seed}|number|{address}")[0] < unallocated:
        return FarEnd.UNALLOCATED
    rest = draw * (1.0 - unallocated)
    chosen = FarEnd.FAILED
    for end, share in outcomes.items():
        if end is FarEnd.UNALLOCATED or share <= 0:
            continue
        chosen = end
        rest -= share
        if rest < 0:
            break
    return chosen


def _answer(profile: CarrierProfile, key: str) -> tuple[str | None, float]:
    """Choose what a person does after the prompt, and after how many seconds."""
    if not profile.answers:
        return None, 0.0
    choice, delay = _uniform(key)[:2]
    for answer, share in profile.answers.items():
        choice -= share
        if choice < 0:
            return answer, profile.answer_delay.at(delay)
    return None, 0.0


def _talk(profile: CarrierProfile, key: str) -> float:
    """Choose how long a person talks with an agent: exponentially where the profile gives a mean."""
    draw = _uniform(key)[0]
    return -profile.talk_mean * math.log(1.0 - draw) if profile.talk_mean else profile.talk.at(draw)


def _uniform(key: str) -> list[float]:
    """Return eight independent numbers in [0, 1) for a key."""
    digest = hashlib.blake2b(key.encode()).digest()
    return [(number >> _DROPPED_BITS) * _SCALE for number in _DRAWS.unpack(digest)]
