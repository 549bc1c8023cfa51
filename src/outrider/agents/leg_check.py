"""What to do about a leg of ours, given what its media server says is up: news may be lost. Pure.

`runtime/leg_audit.py` and the simulator compare the floor's legs with the servers' answers by it.
"""

import enum
from collections.abc import Iterable

from outrider.agents.leg import LegPurpose
from outrider.agents.model import LegId, NailUp
from outrider.agents.roster import Roster
from outrider.channels.model import LivingCall


class Finding(enum.Enum):
    """What is true of a leg that the server was asked about."""

    FINE = enum.auto()
    GONE = enum.auto()
    """The server does not have it: its port goes back, and its end is told."""
    UNWANTED = enum.auto()
    """Nobody has use for it, or it has rung for too long: it is to be ended."""
    ANSWERED = enum.auto()
    """It was answered, and the floor does not know."""


def judge(call: LivingCall | None, *, wanted: bool, up: bool, overdue: bool) -> Finding:
    """Return what is true of a leg. `call` is the server's word, None: it has no such call.

    `up`: the floor knows that it was answered. `overdue`: it should have been answered, or have ended, long
    ago.
    """
    if call is None:
        return Finding.GONE
    if not wanted or (overdue and not call.answered):
        return Finding.UNWANTED
    if call.answered and not up:
        return Finding.ANSWERED
    return Finding.FINE


def is_wanted(roster: Roster, leg: LegId) -> bool:
    """Say whether a session, or a contact who was handed over, has use for a leg."""
    return roster.at_leg(leg) is not None or leg in roster.handed_over.values()


def is_up(roster: Roster, leg: LegId) -> bool:
    """Say whether the floor knows that a leg was answered."""
    session = roster.at_leg(leg)
    if session is None:
        return leg in roster.handed_over.values()
    if session.leg == leg:
        return session.nail_up is NailUp.UP
    consult = None if session.engagement is None else session.engagement.consult
    return consult is not None and consult.joined


def talks(purpose: LegPurpose, leg: LegId, living: Iterable[LivingCall]) -> bool:
    """Say whether a consulted person talks to somebody: to a contact handed over before a restart, say."""
    return purpose is LegPurpose.CONSULT and any(call.room == leg and call.call_id != leg for call in living)
