"""One Asterisk as a voice channel. `media_servers.MediaServers` has one of these for each media server.

Requests go out through `client`, events come in and are judged by `calls`; this carries out what they wish.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from outrider.channels.asterisk import calls, survey
from outrider.channels.asterisk.calls import CallState, Classify, LookAgain, Moment, Phase, PromptBroke, Wish
from outrider.channels.asterisk.classification import Classification
from outrider.channels.asterisk.client import AriClient, ServerInfo
from outrider.channels.asterisk.ears import Ears
from outrider.channels.asterisk.health import OnHealth, ServerHealth
from outrider.channels.asterisk.listening import PARTS
from outrider.channels.asterisk.messages import Event
from outrider.channels.asterisk.placing import Placing
from outrider.channels.asterisk.playing import Playing
from outrider.channels.asterisk.register import STRAGGLERS, Register
from outrider.channels.asterisk.rooms import Rooms
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.speech import Recognizer, Speaker
from outrider.channels.asterisk.trouble import ServerState
from outrider.channels.base import ChannelUnreachableError, EventSink
from outrider.channels.model import Living, OutboundCall, Prompt
from outrider.clock import Clock
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)


def _retake(start: Event, state: CallState, now: Moment) -> calls.Step:
    """Take an event that was missed, unless it has come meanwhile."""
    return calls.take(state, start, now)


class AsteriskServer:
    """One Asterisk. All of it runs on one event loop.

    `on_doubt` is called when news may have been missed (it came back, or is gone): ask `living` then.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        clock: Clock,
        *,
        speaker: Speaker | None = None,
        recognizer: Recognizer | None = None,
        on_doubt: Callable[[], None] | None = None,
        on_health: OnHealth | None = None,
    ) -> None:
        self.settings = settings
        self.on_doubt = on_doubt
        self.on_health = on_health
        self._clock = clock
        self._speaker = speaker
        self._register = Register(clock, self._do, self._call_over)
        self._ears = Ears(settings.name, clock, self._register, recognizer, lambda: self._client)
        self._rooms = Rooms(lambda: self._client)
        self._adopt(settings)
        self._health = ServerHealth(settings.name, ServerState.CONNECTING, clock.now())
        self._verdict = asyncio.Event()
        self._condemned: set[AttemptId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = ""

    @property
    def health(self) -> ServerHealth:
        """Return how we stand with the server now."""
        return replace(self._health, calls=len(self._register))

    @property
    def on_websocket(self) -> bool:
        """Return whether requests go over the websocket now, and not over HTTP."""
        return self._client.on_websocket

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call of ours is up there, or being made."""
        return self._register.get(call_id) is not None

    def start(self, sink: EventSink) -> None:
        """Begin to connect, however long it takes; `health` and `on_health` tell what comes of it."""
        self._register.sink = sink
        self._client.start()

    async def change(self, settings: AsteriskSettings) -> None:
        """Go on with other settings; our calls go on too. Reconnects only where it must."""
        if settings == self.settings:
            return
        reconnects = settings.connection != self.settings.connection
        self.settings = self._client.settings = settings
        if reconnects:
            started = self._register.sink is not None
            await self._client.close()
            self._started = ""
            self._adopt(settings)
            self._state_changed(ServerState.CONNECTING, "")
            if started:
                self._client.start()

    async def open(self, sink: EventSink) -> None:
        """Connect. ChannelUnreachableError when it cannot be reached, ChannelError when it refuses us."""
        self._verdict.clear()
        self.start(sink)
        await self._verdict.wait()
        health = self._health
        if health.state is not ServerState.CONNECTED:
            await self.close()
            if health.state is ServerState.REFUSED:
                raise ChannelError(health.message)
            raise ChannelUnreachableError(health.message, where=self.settings.where)

    async def close(self) -> None:
        """Disconnect; calls that are up live on, and may be taken over by who comes next."""
        await self._ears.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()
        self._health = replace(self._health, state=ServerState.CONNECTING, since=self._clock.now())
        self._register.clear()
        self._rooms.clear()

    async def originate(self, call: OutboundCall) -> None:
        """Make a call. Raises DuplicateCallError for an id used before, ChannelError when refused.

        The error's fact `outcome` is "unknown" when the call may exist: ask `living` then.
        """
        await self._placing.originate(call)

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt on an answered call; on a machine the first one waits for the end of its greeting.

        Raises ChannelError when the call is not up, or there is no speech engine for a text.
        """
        await self._playing.play(call_id, prompt)

    async def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any: its PlaybackFinished still comes."""
        await self._playing.stop(call_id)

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise speech on an answered call: one SpeechHeard per utterance, until `stop_listening`.

        Raises ChannelError when the call is not up or the server has no speech recognition.
        """
        await self._ears.listen(call_id, words)

    async def stop_listening(self, call_id: AttemptId) -> None:
        """End speech recognition on a call; nothing happens when there is none."""
        await self._ears.stop(call_id)

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put an answered call into a room: when this returns, all in it hear each other.

        What is being played to it ends, as Asterisk would add it only after that. ChannelError when the call
        is not up.
        """
        if self._register.up(call_id).playing:
            await self._playing.stop(call_id)
        await self._rooms.join(call_id, room)

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Take a call out of its room, to music if wished; nothing happens when it is gone."""
        if self.knows(call_id):
            await self._rooms.leave(call_id, music=music)

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to the far end. Raises ChannelError when the call is not up."""
        self._register.up(call_id)
        await self._rooms.send_digits(call_id, digits)

    async def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already.

        While the server cannot be reached it is noted: the call is ended as soon as there is a connection.
        """
        try:
            await self._client.request("DELETE", f"channels/{call_id}?reason_code=16")
        except ChannelError as error:
            if self._health.state is not ServerState.GONE:
                self._condemned.add(call_id)
                log.info("call %s is to be ended once its server answers: %s", call_id, error.message)

    async def living(self) -> Living:
        """Answer "what is up?": every call of ours, of other controllers of our family too.

        A server whose process is gone has no calls; one that cannot be asked is silent.
        """
        name = self.settings.name
        if self._health.state is ServerState.GONE:
            return Living()
        if self._health.state is not ServerState.CONNECTED:
            return Living(silent=frozenset({name}))
        try:
            found = await self._take_stock()
        except ChannelError as error:
            log.info("Asterisk %s cannot say what is up: %s", name, error.message)
            return Living(silent=frozenset({name}))
        room_of = self._rooms.room_of
        return Living(tuple(survey.living_call(each, name, room_of(each.call_id)) for each in found))

    async def _take_stock(self) -> list[CallState]:
        """Compare our calls with the server's: forget those it has not, take up those we did not know."""
        register, look = self._register, self._rooms.look()
        known = register.settled()
        stock = await survey.survey(self._client)
        late = await register.let_go(known - stock.calls.keys())
        await self._tidy(stock, look)
        self._catch_up(stock.calls, known)
        strangers: dict[AttemptId, CallState] = {}
        for call_id, channel in stock.calls.items():
            if register.get(call_id) is None and not register.is_over(call_id):
                state = calls.of_living(call_id, channel, self.settings.amd_context)
                if state is not None:
                    strangers[call_id] = state
        for call_id in strangers.keys() - stock.own:
            await survey.subscribe(self._client, call_id)
        up = [call_id for call_id, state in strangers.items() if state.phase is Phase.UP]
        playing = await survey.playing(self._client, up)
        for call_id, state in strangers.items():
            if register.get(call_id) is None and not register.is_over(call_id):
                register.put(replace(state, playing=call_id in playing))
                if state.phase is Phase.UP:
                    self._rooms.adopt(call_id)
        here = [*stock.calls, *late]
        return [state for call_id in here if (state := register.get(call_id)) is not None]

    async def _tidy(self, stock: survey.Stock, look: int) -> None:
        """Learn who is in which room; remove empty rooms, and what a process of ours left that listened."""
        for path, call_id in stock.parts.items():
            if call_id not in self._ears:
                await self._client.request("DELETE", path)
        if stock.rooms is not None:
            for room in self._rooms.found(stock.rooms, look):
                await self._rooms.close(room)

    def _catch_up(self, channels: Mapping[AttemptId, Mapping[str, Any]], known: set[AttemptId]) -> None:
        """Tell answers that were missed, as on a connection that was dead: their events may be on the way."""
        loop = asyncio.get_running_loop()
        for call_id in known & channels.keys():
            state, start = self._register.get(call_id), calls.missed_start(channels[call_id])
            if state is not None and state.phase is Phase.PLACED and start is not None:
                step = partial(_retake, start)
                loop.call_later(STRAGGLERS, self._register.step, call_id, step)

    async def _ready(self, info: ServerInfo) -> None:
        """Take over after connecting: calls from before a restart of Asterisk are over, others may be."""
        restarted, self._started = self._started not in {"", info.started}, info.started
        self._health = replace(self._health, version=info.version)
        self._classification.reset()
        if restarted:
            self._register.forget_all()
            self._rooms.clear()
            self._condemned.clear()
        condemned, self._condemned = self._condemned, set()
        for call_id in condemned:
            await self._client.request("DELETE", f"channels/{call_id}?reason_code=16")

    def _state_changed(self, state: ServerState, message: str) -> None:
        before = self._health
        since = before.since if before.state is state else self._clock.now()
        self._health = replace(before, state=state, since=since, message=message)
        if state is ServerState.GONE:
            self._register.forget_all()
            self._condemned.clear()
        if state is not ServerState.CONNECTING:
            self._verdict.set()
        if before.state is state and before.message == message:
            return
        if message:
            log.debug("%s", message)
        if self.on_health is not None:
            self.on_health(self.health)
        if self.on_doubt is not None and state in {ServerState.CONNECTED, ServerState.GONE}:
            self.on_doubt()

    def _heard(self, event: Event) -> None:
        """Take one event of the server."""
        subject = event.get("channel") or event.get("peer")
        if subject is not None:
            name = str(subject["id"])
        else:
            name = str((event.get("playback") or {}).get("target_uri", "")).removeprefix("channel:")
        if name.endswith(PARTS):
            self._ears.heard_of_part(name, event)
            return
        call_id = AttemptId(name)
        if self._register.get(call_id) is None:
            if subject is None or self._register.is_over(call_id):
                return
            stranger = self._stranger(call_id, event)
            if stranger is None:
                return
            self._register.put(stranger)
        if event.get("type") == "StasisStart":
            self._placing.started(call_id)
        self._playing.hear(call_id, event)
        self._register.step(call_id, lambda state, now: calls.take(state, event, now))

    def _stranger(self, call_id: AttemptId, event: Event) -> CallState | None:
        """Return what to think of a call of a former life, or None when it is no call of ours."""
        if event.get("type") == "StasisStart":
            arguments = event.get("args") or [""]
            if arguments[0] == calls.EARLY:
                return CallState(call_id, early=True)
            ours = arguments[0] in {calls.PLAIN, calls.DETECT, calls.AMD}
            return CallState(call_id, alerted=True, rang=True) if ours else None
        return calls.of_living(call_id, event.get("channel") or {}, self.settings.amd_context)

    def _do(self, state: CallState, wish: Wish) -> None:
        loop = asyncio.get_running_loop()
        match wish:
            case Classify(call_id):
                self._run(self._classification.classify(call_id))
            case LookAgain(call_id, seconds):
                loop.call_later(seconds, self._classification.look_again, call_id, state.talking)
            case PromptBroke(call_id):
                self._run(self._playing.broke(call_id))

    def _call_over(self, call_id: AttemptId) -> None:
        self._playing.over(call_id)
        if call_id in self._ears:
            self._run(self._ears.stop(call_id))
        empty = self._rooms.over(call_id)
        if empty:
            self._run(self._rooms.close(empty))

    def _adopt(self, settings: AsteriskSettings) -> None:
        """Make the parts that speak to the server anew."""
        self._client = AriClient(settings, self._heard, self._state_changed, self._ready)
        self._classification = Classification(self._client, self._register)
        self._playing = Playing(self._client, self._register, self._speaker, self._clock)
        self._placing = Placing(self._client, self._register, self._rooms)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
