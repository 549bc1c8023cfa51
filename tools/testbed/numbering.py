"""The public network's numbering plan: what a called number does. Pure; tests and the SIPp scenario share it.

A number is +49 1555 OO D SSSS: OO the outcome, D its detail (seconds, or the key pressed), SSSS a serial.
All are valid German mobile numbers to `phonenumbers`, in a range that the plan has to itself.
"""

import enum
from dataclasses import dataclass

PREFIX = "+491555"
_AFTER_PREFIX = 7
_LARGEST_DETAIL = 9
TALK_STEP = 5
"""Seconds of talk per `detail` of a number that talks."""
SERIALS = 10_000
"""Numbers of one outcome and detail: serials run from 0 to SERIALS - 1."""


class Outcome(enum.Enum):
    """What the public network does with a call; the value is OO of its numbers."""

    ANSWERS = "10"
    """Rings for `detail` seconds (0: not at all), answers, waits for our hang-up."""
    HANGS_UP = "11"
    """Answers at once and hangs up after `detail` seconds (0: a fifth of a second)."""
    BUSY = "20"
    UNALLOCATED = "21"
    CONGESTED = "22"
    REJECTED = "23"
    UNAVAILABLE = "24"
    NO_ANSWER = "30"
    """Rings for ever, until cancelled."""
    DEAD = "31"
    """Gives no SIP answer at all."""
    MACHINE = "40"
    """Answers and speaks a voice-mail greeting."""
    HUMAN = "41"
    """Answers, says "Hello?", and waits in silence for our hang-up."""
    PRESSES = "42"
    """Answers and after a second presses the key `detail`."""
    SAYS_YES = "43"
    """Answers and after `detail` seconds says "yes"."""
    SAYS_NO = "44"
    """Answers and after `detail` seconds says "no"."""
    FAX = "45"
    """Answers and sends the calling tone of a fax (1100 Hz)."""
    PHONE = "50"
    """An agent's phone: answers, sends sound for ever, waits for our hang-up."""
    TALKS = "51"
    """Answers, sends sound, and hangs up after `detail` times TALK_STEP seconds (0: never)."""


SIP_CODES = {
    Outcome.BUSY: 486,
    Outcome.UNALLOCATED: 404,
    Outcome.CONGESTED: 503,
    Outcome.REJECTED: 603,
    Outcome.UNAVAILABLE: 480,
}
"""The final SIP answer of the outcomes that are refusals."""

ANSWERED = frozenset(
    {
        Outcome.ANSWERS,
        Outcome.HANGS_UP,
        Outcome.MACHINE,
        Outcome.HUMAN,
        Outcome.PRESSES,
        Outcome.SAYS_YES,
        Outcome.SAYS_NO,
        Outcome.FAX,
        Outcome.PHONE,
        Outcome.TALKS,
    }
)
"""Outcomes whose calls are answered (200 OK), unless they are cancelled while they ring."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a number of the plan stands for."""

    outcome: Outcome
    serial: int
    detail: int


def number(outcome: Outcome, serial: int, detail: int = 0) -> str:
    """Return the E.164 number (with +) of an outcome; ValueError when one does not fit."""
    if not 0 <= serial < SERIALS:
        raise ValueError(f"serial {serial} is not between 0 and {SERIALS - 1}")
    if not 0 <= detail <= _LARGEST_DETAIL:
        raise ValueError(f"detail {detail} is not one digit")
    return f"{PREFIX}{outcome.value}{detail}{serial:04d}"


def planned(text: str) -> Planned | None:
    """Return what an E.164 number stands for, or None when it is not of the plan: the inverse of `number`."""
    digits = text.removeprefix(PREFIX)
    if digits == text or len(digits) != _AFTER_PREFIX or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        outcome = Outcome(digits[:2])
    except ValueError:
        return None
    return Planned(outcome, int(digits[3:]), int(digits[2]))
