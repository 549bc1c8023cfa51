"""Desktops that speak the websocket of the Agent Web API themselves, message by message."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from outrider.agents.model import SessionId
from support.desk_site import DeskSite


class Desktop:
    """A desktop that speaks on the wire itself."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.unread: list[dict[str, Any]] = []

    async def say(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.socket.recv())
        return found

    async def until(self, **wanted: object) -> dict[str, Any]:
        """Return the first message that has these values; others may be asked for later."""
        looked = 0
        while True:
            if looked == len(self.unread):
                self.unread.append(await self.hear())
            if all(self.unread[looked].get(name) == value for name, value in wanted.items()):
                return self.unread.pop(looked)
            looked += 1

    async def reply(self, **message: object) -> dict[str, Any]:
        """Give a command; return its reply."""
        await self.say(**message)
        return await self.until(reply=message.get("id"))

    async def closed(self) -> int:
        """Return why the server ends the connection."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as closed:
            return 0 if closed.rcvd is None else closed.rcvd.code


@asynccontextmanager
async def desktop(address: str, token: str, query: str = "") -> AsyncIterator[Desktop]:
    """Give a desktop with a token."""
    url = f"{address.replace('http', 'ws')}/api/agent/events{query}"
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        yield Desktop(socket)


async def logged_in(desk: DeskSite, name: str = "ann") -> tuple[SessionId, str]:
    """Let an agent log in; return its session and token."""
    agent_id, token = await asyncio.to_thread(desk.agent, name)
    session = await desk.desk.log_in(agent_id, api=True, now=desk.site.clock.now())
    return session, token


async def not_listening(desk: DeskSite, session: SessionId) -> None:
    """Wait until the floor knows that a session has no desktop."""
    while desk.desk.listening[session]:  # noqa: ASYNC110 - the floor tells nobody
        await asyncio.sleep(0.01)
