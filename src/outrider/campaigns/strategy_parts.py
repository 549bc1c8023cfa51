"""The small parts that strategies are made of: channels, prompts, windows, retry rules and their choices.

Others import them from `campaigns.strategy`. Frozen and pure.
"""

import datetime as dt
import enum
from dataclasses import dataclass

from outrider.licences.model import LicenceKind

ALL_DAYS = frozenset(range(7))
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60


class Channel(enum.StrEnum):
    """How an action reaches the contact."""

    CALL = "call"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"
    """A request to a web service, which does something of its own about the contact."""

    @property
    def licence(self) -> LicenceKind | None:
        """The licence type that an action on this channel uses: a counted one, a gate, or none (webhook)."""
        return _LICENCES.get(self)

    @property
    def is_addressed(self) -> bool:
        """Whether an attempt goes to an address of the contact; a webhook goes to its service."""
        return self is not Channel.WEBHOOK


_LICENCES = {
    Channel.CALL: LicenceKind.OUTBOUND_PORTS,
    Channel.EMAIL: LicenceKind.EMAIL,
    Channel.SMS: LicenceKind.SMS,
}


class OnMachine(enum.StrEnum):
    """What happens when an answering machine takes the call."""

    HANGUP = "hangup"
    LEAVE_MESSAGE = "leave_message"


class NoResource(enum.StrEnum):
    """What a call does when it needs a speech connection (ASR or TTS) and none is free."""

    WAIT = "wait"
    """It waits for one, `resource_wait` seconds at most, and then ends as `no_resource`."""
    DIGITS = "digits"
    """It goes on at once without speech recognition: the menu takes keys only."""
    HANG_UP = "hangup"
    """It ends at once as `no_resource`."""


class Then(enum.StrEnum):
    """What follows when an outcome is not, or no longer, retried."""

    NEXT_ADDRESS = "next_address"
    """The contact's next address of this action; without one, as NEXT_ACTION."""
    NEXT_ACTION = "next_action"
    """The following action of the strategy; without one, as DONE."""
    DONE = "done"


class RetryCounter(enum.StrEnum):
    """What the retry count of an outcome is compared with."""

    SHARED = "shared"
    """All retries made so far, whatever their outcomes."""
    PER_OUTCOME = "per_outcome"
    """The retries made after this same outcome."""


class RetryOn(enum.StrEnum):
    """Which address of the contact a retry goes to."""

    SAME = "same"
    """The one just tried; each address has its own retries."""
    NEXT_ADDRESS = "next_address"
    """The following one; from the last one on, the last."""
    LOOP = "loop"
    """The following one, and after the last the first again; all addresses share the retries."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the contact's local day in which it may be contacted.

    `start` and `end` are minutes since local midnight, 0 to 1440; the window is open from `start`
    inclusive to `end` exclusive. When `end` is before `start` it goes over midnight and belongs to the day
    on which it begins. `days` are weekdays as in `datetime.weekday()` (Monday is 0).
    """

    start: int = 8 * 60
    end: int = 21 * 60
    days: frozenset[int] = ALL_DAYS

    @property
    def is_overnight(self) -> bool:
        """Whether it goes over midnight into the following day."""
        return self.end < self.start


@dataclass(frozen=True, slots=True)
class Hours:
    """When a contact may be contacted: inside one of the windows, and never on a holiday (local dates)."""

    windows: tuple[Window, ...] = (Window(),)
    holidays: frozenset[dt.date] = frozenset()


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How often, and how long after, one outcome or disposition is tried again, and what follows then.

    `delays` are seconds; the last one repeats. `then` is a Then, or `then_action` names a later action.
    `then_delay` is seconds: an action that follows is due so much later.
    """

    count: int = 0
    delays: tuple[float, ...] = ()
    then: Then = Then.NEXT_ADDRESS
    then_action: str | None = None
    then_delay: float = 0.0

    def delay(self, retries_made: int) -> float:
        """Return the seconds to wait before retry number `retries_made` + 1 (the last delay repeats)."""
        return self.delays[min(retries_made, len(self.delays) - 1)]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a call plays: exactly one of a text to be spoken and the name of an audio file."""

    text: str | None = None
    file: str | None = None
