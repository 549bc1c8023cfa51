"""How a simulated message centre behaves: whom it lets in, what it refuses, delays, loses and answers.

Frozen data; `centre` follows it. Numbers are told apart by their last digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from outrider.channels.model import ReceiptState
from outrider.channels.sms.constants import INTERFACE_VERSION
from outrider.channels.sms.status import Status

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class CentreBehaviour:
    """Suffixes of recipients decide; the longest that fits counts. Times are seconds."""

    accounts: Mapping[str, str] = field(default_factory=lambda: {"test": "test"})
    """system_id -> password."""
    refuse: Mapping[str, int] = field(default_factory=lambda: {"7": Status.INVALID_DESTINATION})
    """Suffix -> command_status of the refusal."""
    states: Mapping[str, ReceiptState] = field(
        default_factory=lambda: {"9": ReceiptState.UNDELIVERABLE, "8": ReceiptState.EXPIRED}
    )
    """Suffix -> final state in the receipt; all others are delivered."""
    replies: Mapping[str, str] = field(default_factory=lambda: {"5": "STOP"})
    """Suffix -> what the person texts back."""
    unanswered: frozenset[str] = frozenset()
    """Suffixes of which submissions are taken, and never answered."""
    drops: frozenset[str] = frozenset({"6"})
    """Suffixes of which the first submission of each number drops the link, not taken."""
    rate: float | None = None
    """Submissions per second beyond which they are refused as throttled; None takes all."""
    answer_delay: float = 0.0
    receipt_delay: float = 0.05
    reply_delay: float = 0.1
    decimal_receipts: bool = False
    """Receipts name ids in decimal that answers gave in hexadecimal, as some centres do."""
    receipt_parameters: bool = True
    """Receipts carry receipted_message_id, message_state and our user_message_reference too."""
    most_binds: int | None = None
    """Connections per account; more are refused as already bound."""
    bare_refusals: bool = False
    """Refused binds come without a body, as SMPP allows."""
    version: int = INTERFACE_VERSION
    answers_enquiries: bool = True
    """False plays dead: requests to prove that the link is alive stay unanswered."""


def by_suffix(table: Mapping[str, Value], number: str) -> Value | None:
    """Return what a table says of a number by its longest fitting suffix, or None."""
    if not number.endswith(tuple(table)):
        return None
    fitting = [suffix for suffix in table if number.endswith(suffix)]
    return table[max(fitting, key=len)]
