"""The TextChannel over SMPP: several connections with priorities behind one `send`.

Workers send through it. A text goes over the most important connection that is bound; among equals over the
one with most room. What was not written is offered again elsewhere; what was written is never repeated.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from outrider.channels.base import TextSink
from outrider.channels.model import OutboundText, TextResult, TextSent
from outrider.channels.sms.bodies import SubmitSm, SubmitSmResponse
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.link import LinkLostError, NotWrittenError
from outrider.channels.sms.session import Counters, Session
from outrider.channels.sms.status import describe, is_throttling, result_of
from outrider.channels.sms.submission import BadRecipientError, submissions
from outrider.clock import Clock, stopwatch
from outrider.errors import ChannelError, InvalidInputError

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What a page shows of one connection; `trouble` says why it is not bound, and is empty when it is."""

    settings: SmppSettings
    bound: bool
    free: int
    trouble: str
    counters: Counters
    tried: bool = True
    """Whether a bind was tried at all."""
    complaint: str = ""
    """Why the centre refuses our sender, although it is bound."""


@dataclass(slots=True)
class _Progress:
    """How far a text has got."""

    remote_ids: list[str]
    segments: int = 0
    connection: str = ""


class SmppChannel:
    """Sends texts over one or more connections. Belongs to one event loop.

    `patience` is how many seconds a text waits for some connection to be bound before it is given back as
    UNREACHABLE, not offered to anyone.
    """

    def __init__(
        self, connections: Sequence[SmppSettings], clock: Clock, *, patience: float = PATIENCE
    ) -> None:
        names = [settings.name for settings in connections]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInputError(f"sms: there are two connections named {twice}", where=f"sms.{twice}")
        if not any(settings.submits for settings in connections):
            raise InvalidInputError("sms: no connection can submit; all are receivers", where="sms")
        self._connections = tuple(connections)
        self._clock = clock
        self._patience = patience
        self._sessions: list[Session] = []
        self._changed = asyncio.Event()
        self._reference = secrets.randbits(16)
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closed = True

    async def open(self, sink: TextSink) -> None:
        """Begin to connect, and deliver news to `sink` from now on; returns before connections are up.

        The sink may be given the same news twice, after a link broke before our acknowledgement: it must
        be ready for that.
        """
        self._closed = False
        self._sessions = [
            Session(settings, self._clock, sink, self._changed) for settings in self._connections
        ]
        for session in self._sessions:
            session.start()

    async def close(self) -> None:
        """Finish what is being submitted and close all connections."""
        self._closed = True
        for session in self._sessions:
            session.finish()
        self._changed.set()
        await self._quiet.wait()
        await asyncio.gather(*(session.stop() for session in self._sessions))
        self._sessions = []

    @property
    def reachable(self) -> bool:
        """Return whether some connection that submits is bound now."""
        return any(session.bound and session.settings.submits for session in self._sessions)

    @property
    def rate(self) -> float | None:
        """Texts per second that all connections that submit carry together; None: some has no limit."""
        rates = [each.rate for each in self._connections if each.submits]
        return None if None in rates else sum(rate for rate in rates if rate is not None)

    def connections(self) -> tuple[ConnectionState, ...]:
        """Return the state of every connection, in configured order."""
        return tuple(
            ConnectionState(
                each.settings, each.bound, each.free, each.trouble, each.counters, each.tried, each.complaint
            )
            for each in self._sessions
        )

    async def bound(self, within: float) -> bool:
        """Wait until some connection is bound, at most `within` seconds; return whether one is."""
        until = stopwatch() + within
        while not self.reachable and (left := until - stopwatch()) > 0:
            await self._change(left)
        return self.reachable

    async def send(self, text: OutboundText) -> TextSent:
        """Submit one text and say what became of it; never raises for what a centre may answer.

        A long text is ACCEPTED when all its parts are. Its parts go one after the other, so that a
        refusal of the first keeps the others from being sent. Raises ChannelError when the channel is closed.
        """
        if self._closed:
            raise ChannelError("the text channel is closed; open it before sending")
        self._sending += 1
        self._quiet.clear()
        try:
            return await self._send(text)
        finally:
            self._sending -= 1
            if self._sending == 0:
                self._quiet.set()

    async def _send(self, text: OutboundText) -> TextSent:
        """Send every part, over other connections when one is lost before it took a part."""
        self._reference = self._reference + 1 & 0xFFFF
        reference = text.reference or self._reference
        progress = _Progress([])
        until = stopwatch() + self._patience
        part, form = 0, self._connections[0]
        while True:
            session = await self._session(text.connection, until)
            if session is None:
                return self._unreachable(text, progress)
            form = session.settings if part == 0 else form
            settings = session.settings if form is session.settings else _in_form_of(form, session.settings)
            try:
                made, progress.segments = submissions(text, settings, reference)
            except BadRecipientError as error:
                return self._sent(text, progress, TextResult.BAD_ADDRESS, error.message)
            except InvalidInputError as error:
                return self._sent(text, progress, TextResult.FAILED, error.message)
            progress.connection = session.settings.name
            try:
                while part < len(made):
                    failed = await self._submit(session, made[part], progress)
                    if failed is not None:
                        return self._failed(text, progress, *failed, part=part, parts=len(made))
                    part += 1
            except NotWrittenError:
                continue
            except LinkLostError as error:
                session.counters.unanswered += 1
                unknown = (TextResult.UNKNOWN, f"unknown: {error.message}; it is not sent again")
                return self._failed(text, progress, *unknown, part=part, parts=len(made))
            return self._sent(text, progress, TextResult.ACCEPTED, "")

    async def _submit(
        self, session: Session, message: SubmitSm, progress: _Progress
    ) -> tuple[TextResult, str] | None:
        """Submit one part; return None when it was accepted, else what its refusal means."""
        answer = await session.submit(message)
        if answer.status == 0 and isinstance(answer.body, SubmitSmResponse):
            progress.remote_ids.append(answer.body.message_id)
            return None
        if is_throttling(answer.status):
            return TextResult.UNREACHABLE, f"not taken: {describe(answer.status)}"
        return result_of(answer.status or 0xFF), f"refused: {describe(answer.status or 0xFF)}"

    async def _session(self, name: str, until: float) -> Session | None:
        """Return the connection to use, waiting for one until `until`; None when there is none."""
        while not self._closed or self._sessions:
            usable = [
                s for s in self._sessions if s.settings.submits and (not name or s.settings.name == name)
            ]
            bound = [session for session in usable if session.bound]
            if bound:
                return max(bound, key=lambda session: (session.settings.priority, session.free))
            left = until - stopwatch()
            if left <= 0 or self._closed or not usable:
                return None
            await self._change(left)
        return None

    async def _change(self, within: float) -> None:
        """Wait until some connection was bound or lost, at most `within` seconds."""
        self._changed.clear()
        try:
            async with asyncio.timeout(within):
                await self._changed.wait()
        except TimeoutError:
            return

    def _unreachable(self, text: OutboundText, progress: _Progress) -> TextSent:
        """Return that nobody was there; with parts accepted already, that is said instead."""
        asked = [s for s in self._sessions if not text.connection or s.settings.name == text.connection]
        if not asked:
            detail = f"there is no connection named {text.connection}"
            return self._sent(text, progress, TextResult.UNREACHABLE, detail)
        detail = (
            "; ".join(session.trouble for session in asked if session.trouble) or "no connection is bound"
        )
        if progress.remote_ids:
            accepted = f"{len(progress.remote_ids)} of {progress.segments} parts were accepted"
            return self._sent(text, progress, TextResult.UNKNOWN, f"{accepted}, then {detail}")
        return self._sent(text, progress, TextResult.UNREACHABLE, detail)

    def _failed(
        self,
        text: OutboundText,
        progress: _Progress,
        result: TextResult,
        detail: str,
        *,
        part: int,
        parts: int,
    ) -> TextSent:
        """Return an outcome that says how many parts of a long text were accepted before."""
        if parts > 1:
            detail = f"part {part + 1} of {parts} {detail}"
        if part and result is TextResult.UNREACHABLE:
            result = TextResult.UNKNOWN
        return self._sent(text, progress, result, detail)

    def _sent(self, text: OutboundText, progress: _Progress, result: TextResult, detail: str) -> TextSent:
        return TextSent(
            text.message_id,
            self._clock.now(),
            result,
            progress.connection,
            tuple(progress.remote_ids),
            progress.segments,
            detail,
        )


def _in_form_of(form: SmppSettings, settings: SmppSettings) -> SmppSettings:
    """Return settings that cut a text as `form` does: its first parts went out so, over that connection."""
    return replace(settings, long_messages=form.long_messages, reference_size=form.reference_size)
