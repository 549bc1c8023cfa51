"""The line between a worker and one simulated media server: commands there, news back; both can fail.

The worker sends commands with it; fault simulations make it slow, let it lose, repeat and disorder news, and
let the process die around a command.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from outrider.channels.model import CallEvent, Living
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.errors import ChannelError
from outrider.simulate.agenda import SECOND, Agenda

Act = Callable[[SimulatedCarrier], None]
Done = Callable[[ChannelError | None], None]
Hear = Callable[[CallEvent], None]


class Link:
    """One media server as the worker reaches it. Nothing that is said arrives within the same call."""

    def __init__(self, name: str, carrier: SimulatedCarrier, agenda: Agenda) -> None:
        self.name = name
        self.carrier = carrier
        self.latency = 0.0
        """Seconds that a command, and news of a call, take."""
        self.spoil: Callable[[CallEvent], list[float]] | None = None
        """Says after how many seconds news comes: none when it is lost, several when it is repeated."""
        self.gate: Callable[[str, bool], None] | None = None
        self._agenda = agenda
        self._hear: Hear | None = None
        self._held: deque[CallEvent] = deque()
        self._sent: deque[Callable[[], None]] = deque()
        self._told_late: dict[int, CallEvent] = {}
        self._number = 0
        self._due = 0
        self._life = 0
        self._armed = -1
        carrier.connect(self._told)
        carrier.on_earlier = self._arm

    def connect(self, hear: Hear) -> None:
        """Bring news to a worker from now on, first what nobody was there to hear."""
        self._hear = hear
        self._life += 1
        while self._held and self._hear is not None:
            self._hear(self._held.popleft())

    def disconnect(self) -> None:
        """Keep news until somebody is there again; commands that were sent arrive, their answers do not."""
        self._hear = None
        self._life += 1
        while self._sent:
            self._sent.popleft()()

    def command(self, act: Act, done: Done | None = None) -> None:
        """Let the media server do something; `done` hears None, or what was wrong."""
        if self.gate is not None:
            self.gate("command", False)
        send = partial(self._act, act, done, self._life)
        if self.latency or self._sent:
            self._sent.append(send)
            self._agenda.after(self.latency, self._arrive)
        else:
            send()
        if self.gate is not None:
            self.gate("command", True)

    def living(self) -> Living | None:
        """Return what is up, after all news that was told before; None when the media server is silent."""
        while self._sent:
            self._sent.popleft()()
        for number in tuple(self._told_late):
            self._deliver(number)
        try:
            return self.carrier.living()
        except ChannelError:
            return None

    def _arrive(self) -> None:
        if self._sent:
            self._sent.popleft()()

    def _act(self, act: Act, done: Done | None, life: int) -> None:
        trouble: ChannelError | None = None
        try:
            act(self.carrier)
        except ChannelError as error:
            trouble = error
        if done is not None and life == self._life:
            done(trouble)

    def _told(self, event: CallEvent) -> None:
        if self.spoil is None:
            self._later(self.latency, event)
        else:
            for delay in self.spoil(event):
                self._later(self.latency + delay, event)

    def _later(self, delay: float, event: CallEvent) -> None:
        self._number += 1
        self._told_late[self._number] = event
        due = self._agenda.us + round(delay * SECOND)
        if delay <= self.latency:
            # A line that gets quicker does not let later news overtake earlier ones.
            due = self._due = max(due, self._due)
        self._agenda.at(due, partial(self._deliver, self._number))

    def _deliver(self, number: int) -> None:
        event = self._told_late.pop(number, None)
        if event is None:
            return
        if self._hear is None:
            self._held.append(event)
        else:
            self._hear(event)

    def _arm(self) -> None:
        """Let the carrier's time pass when it has something to do."""
        seconds = self.carrier.seconds_to_next()
        if seconds is None:
            return
        due = self._agenda.us + round(seconds * SECOND)
        if self._armed < self._agenda.us or due < self._armed:
            self._armed = due
            self._agenda.at(due, partial(self._run, due))

    def _run(self, due: int) -> None:
        if due != self._armed:
            return
        self._armed = -1
        self.carrier.run_due()
        self._arm()
