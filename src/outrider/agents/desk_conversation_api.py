"""One websocket of a desktop: welcome, what was missed, what happens, and the replies to its commands.

`desk_socket_api.py` runs one for each connection. A desktop that does not read is disconnected: it gets
what it missed when it comes back.
"""

import asyncio
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from fastapi import WebSocket
from fastapi.encoders import jsonable_encoder
from starlette.websockets import WebSocketDisconnect, WebSocketState

from outrider.agents.desk import AgentDesk, Feed, SlowReaderError
from outrider.agents.desk_doing import do_once
from outrider.agents.desk_messages import SUPERVISORS, command_of, encode, read_body
from outrider.agents.model import SessionId
from outrider.agents.notifications import Welcome
from outrider.errors import InvalidInputError, NotAllowedError, NotFoundError, OutriderError
from outrider.web import problems
from outrider.web.access import EdgeServices
from outrider.web.plain_text import check

log = structlog.get_logger(__name__)

OVER, NOT_ALLOWED, SLOW, RESTART = 4000, 4401, 4408, 1012
CLOSE_CODES: Mapping[int, str] = {
    OVER: "the session is over: log in again",
    NOT_ALLOWED: "the token or browser session is not valid any more",
    SLOW: "the desktop did not read its notifications: connect again, nothing is lost",
    RESTART: "the server stops, or another process serves the agents: connect again",
}
"""Why the server ends a connection."""

CHECK_SECONDS = 1.0
"""Real seconds between two looks at whether the floor that tells this desktop is still the one."""
ALLOWED_EVERY = 30
"""Looks at the floor for each look at whether the caller still may."""
CLOSE_SECONDS = 1.0


class Conversation:
    """Speaks with one desktop until either side ends it."""

    def __init__(
        self,
        websocket: WebSocket,
        edge: EdgeServices,
        floor: AgentDesk,
        session_id: SessionId,
        still_allowed: Callable[[], Awaitable[None]],
    ) -> None:
        self._websocket = websocket
        self._edge = edge
        self._floor = floor
        self._desk = floor.desk
        self._session_id = session_id
        self._still_allowed = still_allowed

    async def run(self, after: int | None) -> None:
        """Speak; `after` is the last notification that the desktop has seen."""
        desktops, patience = self._floor.desktops, self._edge.settings.agents.desktop_patience
        desktops.opened(self._session_id, self._desk.connected)
        try:
            if self._desk.session(self._session_id) is None:
                await self._close(OVER)
                return
            with self._desk.subscribe(self._session_id) as feed:
                # Before anything else can happen: what comes from now on is in the feed, and only there.
                opening = self._opening(feed, after)
                await self._until_one_ends(feed, opening)
        finally:
            desktops.closed(self._session_id, self._desk.connected, patience)

    async def _until_one_ends(self, feed: Feed, opening: Sequence[str]) -> None:
        parts = [
            asyncio.ensure_future(each)
            for each in (self._tell(feed, opening), self._hear(), self._watch(feed))
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in parts:
                each.cancel()
            ended = await asyncio.gather(*parts, return_exceptions=True)
        code = RESTART
        for part, result in zip(parts, ended, strict=True):
            if part in done:
                code = result if isinstance(result, int) else self._of_failure(result)
        await self._close(code)

    def _of_failure(self, failure: object) -> int:
        if isinstance(failure, SlowReaderError):
            return SLOW
        if isinstance(failure, NotFoundError):
            return OVER
        if isinstance(failure, Exception) and not isinstance(failure, WebSocketDisconnect | RuntimeError):
            log.error("websocket_failed", session=self._session_id, exc_info=failure)
        return RESTART

    def _opening(self, feed: Feed, after: int | None) -> list[str]:
        """Return the welcome, and what was missed. NotFoundError when the session is over."""
        missed = None if after is None else feed.replay(after)
        first = feed.last_id if missed is None or after is None else after
        welcome = Welcome(session=self._desk.snapshot(self._session_id), resumed=missed is not None)
        texts = [encode(first, self._edge.clock.now(), welcome)]
        return texts + [encode(told.id, told.at, told.notification) for told in missed or ()]

    async def _tell(self, feed: Feed, opening: Sequence[str]) -> int:
        """Welcome the desktop, then tell it everything; return the code to close with."""
        for text in opening:
            await self._say(text)
        while (told := await feed.get()) is not None:
            await self._say(encode(told.id, told.at, told.notification))
        is_over = self._desk.available and self._desk.session(self._session_id) is None
        return OVER if is_over else RESTART

    async def _hear(self) -> int:
        """Answer commands and pings in their order, until the desktop goes away."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return OVER
            await self._say(json.dumps(await self._answer(message.get("text")), default=jsonable_encoder))

    async def _watch(self, feed: Feed) -> int:
        """Return the code to close with when the floor has moved, or the caller may not listen any more."""
        for look in itertools.count(1):
            await asyncio.sleep(CHECK_SECONDS)
            if not self._is_fed(feed):
                return RESTART
            if look % ALLOWED_EVERY:
                continue
            try:
                await self._still_allowed()
            except OutriderError as error:
                if error.code in {"not_authenticated", "not_allowed"}:
                    return NOT_ALLOWED
        return RESTART

    def _is_fed(self, feed: Feed) -> bool:
        """Return whether the feed is of the floor that is here now, not of one that this process lost."""
        return self._desk.available and self._desk.last_id(self._session_id) == feed.last_id

    async def _answer(self, text: str | None) -> dict[str, Any]:
        number: object = None
        try:
            message = _read(text)
            if "ping" in message:
                return {"pong": message["ping"]}
            number = message.get("id")
            await self._do(message)
        except OutriderError as error:
            return {"reply": number, "ok": False, "problem": problems.of_error(error).document()}
        except Exception as error:
            incident = secrets.token_hex(4)
            log.exception("command_failed", session=self._session_id, incident=incident, exc_info=error)
            found = problems.problem(
                "incident",
                f"the server failed to do this; the incident {incident} is in its log",
                {"incident": incident},
            )
            return {"reply": number, "ok": False, "problem": found.document()}
        return {"reply": number, "ok": True}

    async def _do(self, message: Mapping[str, Any]) -> None:
        name = str(message.get("command", ""))
        fields = {key: value for key, value in message.items() if key != "command"}
        body = read_body(name, fields)
        if name in SUPERVISORS:
            raise NotAllowedError(f"{name}: only a supervisor may do this")
        session = self._desk.session(self._session_id)
        if session is None:
            raise NotFoundError("the session is over: log in again")
        command = command_of(name, body)
        database, clock = self._edge.database, self._edge.clock
        await do_once(self._floor, database, clock, session, name, command, body.id or "")

    async def _say(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._edge.settings.agents.slow_reader):
                await self._websocket.send_text(text)
        except TimeoutError:
            raise SlowReaderError from None

    async def _close(self, code: int) -> None:
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code, CLOSE_CODES[code])
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            # It does not read even that: the server ends the connection when this returns.
            return


def _read(text: str | None) -> dict[str, Any]:
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        raise InvalidInputError("a message must be a JSON object, as text") from None
    if not isinstance(message, dict):
        raise InvalidInputError("a message must be a JSON object, as text")
    check(message, "message")
    return message
