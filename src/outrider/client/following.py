"""Notifications of a session, without gaps: connects, resumes after what was seen, connects again.

`AgentClient.notifications` is it. While it is connected, commands go the same way, which costs the least.
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from outrider.agents.desk_messages import decode
from outrider.agents.notifications import Notification, Welcome
from outrider.client.errors import AgentApiError, of_answer
from outrider.client.retrying import FIRST_PAUSE, LONGEST_PAUSE, PASSING

OVER: Final = 4000
NOT_ALLOWED: Final = 4401
LARGEST: Final = 1 << 22
MOST_UNREAD: Final = 1_000
"""Notifications that wait for whoever iterates; then the server is read no further."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notification with its number, which grows, and the time at which it was told."""

    id: int
    at: dt.datetime
    notification: Notification


class Following:
    """Follows one session; `last_id` is the last notification that was given out."""

    def __init__(self, address: str, token: str, after: int | None, patience: float = 10.0) -> None:
        """`patience` is the seconds for which a reply to a command is waited for."""
        self._patience = patience
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self._socket: ClientConnection | None = None
        self._asked: dict[str, asyncio.Future[Mapping[str, Any] | None]] = {}
        self.last_id = after

    async def ask(self, number: str, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Send a command with this id; return the reply, None where none came: it may have been done."""
        socket = self._socket
        if socket is None or number in self._asked:
            return None
        answer: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            async with asyncio.timeout(self._patience):
                await socket.send(json.dumps({"id": number, **message}))
                return await answer
        except (ConnectionClosed, TimeoutError):
            return None
        finally:
            del self._asked[number]

    async def __aiter__(self) -> AsyncGenerator[Told, None]:
        """Give everything until the session is over. AgentApiError when the caller may not follow it."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with (
                    connect(self._url(), additional_headers=self._headers, max_size=LARGEST) as socket,
                    aclosing(self._follow(socket)) as told_here,
                ):
                    async for told in told_here:
                        pause = FIRST_PAUSE
                        yield told
            except InvalidStatus as refused:
                status = refused.response.status_code
                if status not in PASSING:
                    raise of_answer(status, bytes(refused.response.body or b"")) from None
            except ConnectionClosed as closed:
                if _is_over(closed):
                    return
            except (OSError, TimeoutError, InvalidHandshake):
                # The server is away: it comes back, or whoever iterates gives up.
                pass
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _url(self) -> str:
        return self._address if self.last_id is None else f"{self._address}?after={self.last_id}"

    async def _follow(self, socket: ClientConnection) -> AsyncGenerator[Told, None]:
        """Give what one connection brings, until ConnectionClosed.

        It is read beside whoever iterates: replies come while a command is awaited between two notifications.
        """
        arrived: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        room = asyncio.Semaphore(MOST_UNREAD)
        reading = asyncio.ensure_future(self._read(socket, arrived, room))
        self._socket = socket
        try:
            while (message := await arrived.get()) is not None:
                room.release()
                told = self._told(message)
                if told is not None:
                    yield told
            await reading
        finally:
            self._socket = None
            reading.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await reading

    async def _read(
        self,
        socket: ClientConnection,
        arrived: "asyncio.Queue[Mapping[str, Any] | None]",
        room: asyncio.Semaphore,
    ) -> None:
        try:
            while True:
                message = json.loads(await socket.recv())
                if "reply" not in message:
                    await room.acquire()
                    arrived.put_nowait(message)
                elif (answer := self._asked.get(str(message["reply"]))) is not None and not answer.done():
                    answer.set_result(message)
        finally:
            for each in self._asked.values():
                if not each.done():
                    each.set_result(None)
            arrived.put_nowait(None)

    def _told(self, message: Mapping[str, Any]) -> Told | None:
        notification = decode(message)
        if notification is None:
            return None
        number = int(message["id"])
        if isinstance(notification, Welcome):
            self.last_id = number if not notification.resumed else self.last_id
        elif self.last_id is not None and number <= self.last_id:
            return None
        else:
            self.last_id = number
        return Told(number, dt.datetime.fromisoformat(message["at"]), notification)


def _is_over(closed: ConnectionClosed) -> bool:
    """Return whether the session has ended; False when it is to be followed again. AgentApiError."""
    code = None if closed.rcvd is None else closed.rcvd.code
    if code == NOT_ALLOWED:
        raise AgentApiError("the token is not valid any more", "not_authenticated", 401) from None
    return code == OVER
