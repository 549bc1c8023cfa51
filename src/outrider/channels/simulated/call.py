"""One call on the simulated carrier: what was ordered, what its far end will do, and what happens next.

Only `carrier` makes and changes these.
"""

from outrider.channels.model import AnsweredBy, OutboundCall
from outrider.channels.simulated.behaviour import CarrierProfile
from outrider.channels.simulated.fate import Fate
from outrider.channels.simulated.ledger import CallRecord


class Call:
    """A call that is up, and the one thing that happens to it next."""

    __slots__ = (
        "answered",
        "by",
        "early",
        "ending",
        "fate",
        "listening",
        "music",
        "order",
        "playing",
        "profile",
        "record",
        "room",
        "talks_until",
        "timer",
    )

    def __init__(self, order: OutboundCall, profile: CarrierProfile, fate: Fate, record: CallRecord) -> None:
        self.order = order
        self.profile = profile
        self.fate = fate
        self.record = record
        self.early = fate.early
        self.timer = 0
        self.answered = False
        self.by = AnsweredBy.UNKNOWN
        self.playing = False
        self.listening: frozenset[str] = frozenset()
        self.ending = False
        self.room = ""
        self.music = False
        """Whether it hears music on hold."""
        self.talks_until: int | None = None
        """When all is said, in microseconds; None: the person has not talked with anybody yet."""
