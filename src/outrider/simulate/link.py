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
        self._armed = -1
        carrier.connect(self._told)
        carrier.on_earlier = self._arm

    def connect(self, hear: Hear) -> None:
        """Bring news to a worker from now on, first what nobody was there to hear."""
        self._hear = hear
        while self._held and self._hear is not None:
            self._deliver(self._held.popleft())

    def disconnect(self) -> None:
        """Keep news until somebody is there again."""
        self._hear = None

    def command(self, act: Act, done: Done | None = None) -> None:
        """Let the media server do something; `done` hears None, or what was wrong."""
        if self.gate is not None:
            self.gate("command", False)
        if self.latency:
            self._agenda.after(self.latency, partial(self._act, act, done))
        else:
            self._act(act, done)
        if self.gate is not None:
            self.gate("command", True)

    def living(self) -> Living | None:
        """Return what is up; None when the media server does not answer."""
        try:
            return self.carrier.living()
        except ChannelError:
            return None

    def _act(self, act: Act, done: Done | None) -> None:
        trouble: ChannelError | None = None
        try:
            act(self.carrier)
        except ChannelError as error:
            trouble = error
        if done is not None:
            done(trouble)

    def _told(self, event: CallEvent) -> None:
        if self.spoil is None:
            self._later(self.latency, event)
        else:
            for delay in self.spoil(event):
                self._later(self.latency + delay, event)

    def _later(self, delay: float, event: CallEvent) -> None:
        self._agenda.at(self._agenda.us + round(delay * SECOND), partial(self._deliver, event))

    def _deliver(self, event: CallEvent) -> None:
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
