"""The one table from what Asterisk says of a call's end to the field's names. Pure; `calls` asks it."""

from collections.abc import Mapping
from dataclasses import dataclass

from outrider.channels.asterisk.q850 import describe
from outrider.channels.model import EndCause


@dataclass(frozen=True, slots=True)
class Ending:
    """How a channel ended: ChannelDestroyed's `cause` (Q.850) and `tech_cause` (SIP), and its history.

    `alerted`: it rang, or the network gave early media. `gave_up`: our ring time limit was reached.
    """

    cause: int
    sip: int | None = None
    answered: bool = False
    alerted: bool = False
    gave_up: bool = False


REFUSED: Mapping[int, EndCause] = {
    1: EndCause.UNALLOCATED,
    2: EndCause.FAILED,
    3: EndCause.FAILED,
    16: EndCause.NORMAL,
    17: EndCause.BUSY,
    18: EndCause.NO_ANSWER,
    19: EndCause.NO_ANSWER,
    20: EndCause.NO_ANSWER,
    21: EndCause.REJECTED,
    22: EndCause.UNALLOCATED,
    26: EndCause.NO_ANSWER,
    27: EndCause.CONGESTION,
    28: EndCause.UNALLOCATED,
    34: EndCause.CONGESTION,
    38: EndCause.CONGESTION,
    41: EndCause.CONGESTION,
    42: EndCause.CONGESTION,
    44: EndCause.CONGESTION,
    47: EndCause.CONGESTION,
    54: EndCause.REJECTED,
    55: EndCause.REJECTED,
    102: EndCause.CONGESTION,
}
"""Calls that nobody answered, by Q.850 cause; any other cause is FAILED."""

BY_SIP: Mapping[int, EndCause] = {
    401: EndCause.FAILED,
    402: EndCause.FAILED,
    407: EndCause.FAILED,
    484: EndCause.UNALLOCATED,
    600: EndCause.BUSY,
    604: EndCause.UNALLOCATED,
}
"""SIP answers to unanswered calls that say more than the cause that Asterisk makes of them.

401, 402 and 407 are about our own account with the trunk, not about the person who is called.
"""

BROKEN = frozenset({27, 34, 38, 41, 42, 44, 47, 102, 111})
"""Causes that end an answered call by a fault of the network; all others are somebody hanging up.

Cause 0 is somebody hanging up too: a BYE without a `Reason` header leaves it at 0.
"""

_WAITED = frozenset({18, 19})


def end_cause(ending: Ending) -> tuple[EndCause, str]:
    """Return the name of a call's end, and the network's own words. Total: every pair of causes has one."""
    words = describe(ending.cause, ending.sip)
    if ending.answered:
        return (EndCause.FAILED if ending.cause in BROKEN else EndCause.NORMAL), words
    if ending.cause in _WAITED:
        return _waited(ending, words)
    if ending.sip is not None and ending.sip in BY_SIP:
        return BY_SIP[ending.sip], words
    return REFUSED.get(ending.cause, EndCause.FAILED), words


def _waited(ending: Ending, words: str) -> tuple[EndCause, str]:
    """Tell "nobody picked up" from "nothing was heard": Asterisk gives both the same cause and SIP code."""
    if ending.alerted:
        return EndCause.NO_ANSWER, "it rang until the ring time limit" if ending.gave_up else words
    if ending.gave_up or ending.sip == _REQUEST_TIMEOUT:
        return EndCause.CONGESTION, "the trunk gave no sign of life: it did not even ring"
    return EndCause.NO_ANSWER, words


_REQUEST_TIMEOUT = 408
