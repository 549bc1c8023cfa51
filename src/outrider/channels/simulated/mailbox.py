"""Who is told about which call: mailboxes of numbered events, one per controller name. No I/O.

`server` owns one Switchboard. A controller that went away finds its events when it comes back; a controller
that asks what is up also inherits the calls of controllers that are away, until these return.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from outrider.channels.model import CallEnded, CallEvent
from outrider.ids import AttemptId

Post = Callable[[int, CallEvent], None]
"""Sends one numbered event to a connected controller."""


@dataclass(slots=True)
class Mailbox:
    """A controller's events that it has not acknowledged, oldest first, numbered from 1."""

    name: str
    post: Post | None = None
    away_since: float = 0.0
    heir: "Mailbox | None" = None
    last: int = 0
    waiting: deque[tuple[int, CallEvent]] = field(default_factory=deque)

    def put(self, event: CallEvent) -> None:
        """Number and keep an event, and send it when the controller is connected."""
        self.last += 1
        self.waiting.append((self.last, event))
        if self.post is not None:
            self.post(self.last, event)

    def acknowledge(self, number: int) -> None:
        """Forget the events up to `number`."""
        while self.waiting and self.waiting[0][0] <= number:
            self.waiting.popleft()

    def resend(self) -> None:
        """Send everything that was not acknowledged once more."""
        if self.post is not None:
            for number, event in self.waiting:
                self.post(number, event)


class Switchboard:
    """Routes each event to the controller that made the call, or to the heir of one that is away.

    `grace` is how long, in real seconds, a controller must be away before another can inherit its calls.
    """

    def __init__(self, grace: float, elapsed: Callable[[], float]) -> None:
        self._grace = grace
        self._elapsed = elapsed
        self._boxes: dict[str, Mailbox] = {}
        self._makers: dict[AttemptId, Mailbox] = {}

    def connect(self, name: str, post: Post, taken: int) -> Mailbox:
        """Connect a controller that has taken its events up to number `taken`; the rest are sent again."""
        box = self._boxes.setdefault(name, Mailbox(name))
        box.post = post
        box.heir = None
        box.acknowledge(taken)
        box.resend()
        return box

    def disconnect(self, box: Mailbox, post: Post) -> None:
        """Note that a controller went away, unless a newer connection took its place."""
        if box.post == post:
            box.post = None
            box.away_since = self._elapsed()

    def made(self, call_id: AttemptId, box: Mailbox) -> None:
        """Note which controller made a call."""
        self._makers[call_id] = box

    def inherit(self, box: Mailbox) -> None:
        """Give a controller that asks what is up the news of those that are away, past and future.

        A call whose end is among the news would otherwise be neither up nor ended for those who ask.
        """
        latest = self._elapsed() - self._grace
        for other in self._boxes.values():
            if other is not box and other.post is None and other.away_since <= latest:
                other.heir = box
                while other.waiting:
                    box.put(other.waiting.popleft()[1])

    def deliver(self, event: CallEvent) -> None:
        """Put one event into the right mailbox."""
        ended = isinstance(event, CallEnded)
        maker = self._makers.pop(event.call_id, None) if ended else self._makers.get(event.call_id)
        if maker is not None:
            box = maker.heir or maker
            box.put(event)
