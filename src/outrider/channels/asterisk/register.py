"""The calls of one Asterisk as we know them, and what is told of them. `server` and its parts share it."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from outrider.channels.asterisk.calls import CallState, Moment, Phase, Step, Wish
from outrider.channels.base import EventSink
from outrider.channels.model import CallEvent
from outrider.clock import Clock, stopwatch
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

STRAGGLERS = 1.0
"""Seconds for the news of a call's end to arrive when the server does not list the call any more."""

REMEMBERED = 20_000
"""Calls that are over and still known by their ids, the newest; they take some 3 MB."""


class Register:
    """All calls that are up or being made. `on_wish` is asked to act, `on_over` told that a call is over."""

    def __init__(
        self, clock: Clock, on_wish: Callable[[CallState, Wish], None], on_over: Callable[[AttemptId], None]
    ) -> None:
        self.sink: EventSink | None = None
        self.placing: set[AttemptId] = set()
        """Calls whose origination is not answered yet."""
        self._clock = clock
        self._on_wish = on_wish
        self._on_over = on_over
        self._calls: dict[AttemptId, CallState] = {}
        self._over: dict[AttemptId, None] = {}
        self._awaited: dict[AttemptId, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def get(self, call_id: AttemptId) -> CallState | None:
        """Return a call that is not over."""
        return self._calls.get(call_id)

    def is_over(self, call_id: AttemptId) -> bool:
        """Return whether a call was here and is over."""
        return call_id in self._over

    def settled(self) -> set[AttemptId]:
        """Return the calls of which the server has said that they exist."""
        return self._calls.keys() - self.placing

    def up(self, call_id: AttemptId) -> CallState:
        """Return an answered call. ChannelError when it is not up."""
        state = self._calls.get(call_id)
        if state is None or state.phase is not Phase.UP:
            raise ChannelError(f"call {call_id} is not up")
        return state

    def put(self, state: CallState) -> None:
        """Enter a call, or its next state."""
        self._calls[state.call_id] = state

    def drop(self, call_id: AttemptId) -> None:
        """Take a call out that never existed."""
        self._calls.pop(call_id, None)

    def forget(self, call_id: AttemptId) -> None:
        """Take a call out that is over; whatever comes of it later is no news."""
        self._calls.pop(call_id, None)
        self._over[call_id] = None
        if len(self._over) > REMEMBERED:
            del self._over[next(iter(self._over))]
        awaited = self._awaited.get(call_id)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)
        self._on_over(call_id)

    def forget_all(self) -> None:
        """Take all calls out: the server that had them is gone."""
        for call_id in tuple(self._calls):
            self.forget(call_id)

    async def let_go(self, missing: set[AttemptId]) -> set[AttemptId]:
        """Forget calls that the server does not have, once news of their ends had time to arrive.

        Return those that came to life meanwhile: they had been asked for on a connection that was lost.
        """
        before = {call_id: self._calls[call_id] for call_id in missing & self._calls.keys()}
        missing = set(before)
        if not missing:
            return set()
        loop = asyncio.get_running_loop()
        self._awaited = {call_id: loop.create_future() for call_id in missing}
        await asyncio.wait(self._awaited.values(), timeout=STRAGGLERS)
        self._awaited = {}
        late = {
            call_id for call_id in missing & self._calls.keys() if self._calls[call_id] is not before[call_id]
        }
        for call_id in (missing - late) & self._calls.keys():
            self.forget(call_id)
        return late

    def step(self, call_id: AttemptId, step: Callable[[CallState, Moment], Step]) -> None:
        """Take one step with a call, if it is not over: keep its next state, tell and do what follows."""
        state = self._calls.get(call_id)
        if state is None:
            return
        state, news = step(state, Moment(self._clock.now(), stopwatch()))
        if state.phase is Phase.OVER:
            self.forget(call_id)
        else:
            self._calls[call_id] = state
        for one in news:
            if isinstance(one, Wish):
                self._on_wish(state, one)
            else:
                self.tell(one)

    def set_playing(self, call_id: AttemptId, *, playing: bool) -> None:
        """Note whether a prompt is being played."""
        state = self._calls.get(call_id)
        if state is not None:
            self._calls[call_id] = replace(state, playing=playing)

    def tell(self, event: CallEvent) -> None:
        """Hand one event to the sink."""
        if self.sink is None:
            return
        try:
            self.sink(event)
        except Exception:
            # One call's controller must not keep the others from their events.
            log.exception("an event of call %s was not taken", event.call_id)

    def clear(self) -> None:
        """Begin anew: who comes next takes the calls over."""
        self._calls.clear()
        self.placing.clear()
        self.sink = None
