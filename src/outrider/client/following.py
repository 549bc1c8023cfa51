"""Notifications of a session, without gaps: connects, resumes after what was seen, connects again.

`AgentClient.notifications` is it.
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from outrider.agents.desk_messages import decode
from outrider.agents.notifications import Notification, Welcome
from outrider.client.errors import AgentApiError, of_answer
from outrider.client.retrying import FIRST_PAUSE, LONGEST_PAUSE, PASSING

OVER: Final = 4000
NOT_ALLOWED: Final = 4401
LARGEST: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Told:
    """One notification with its number, which grows, and the time at which it was told."""

    id: int
    at: dt.datetime
    notification: Notification


class Following:
    """Follows one session; `last_id` is the last notification that was given out."""

    def __init__(self, address: str, token: str, after: int | None) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self.last_id = after

    async def __aiter__(self) -> AsyncIterator[Told]:
        """Give everything until the session is over. AgentApiError when the caller may not follow it."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with connect(self._url(), additional_headers=self._headers, max_size=LARGEST) as socket:
                    async for told in self._read(socket):
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

    async def _read(self, socket: ClientConnection) -> AsyncIterator[Told]:
        while True:
            message = json.loads(await socket.recv())
            notification = decode(message)
            if notification is None:
                continue
            number = int(message["id"])
            if isinstance(notification, Welcome):
                self.last_id = number if not notification.resumed else self.last_id
            elif self.last_id is not None and number <= self.last_id:
                continue
            else:
                self.last_id = number
            yield Told(number, dt.datetime.fromisoformat(message["at"]), notification)


def _is_over(closed: ConnectionClosed) -> bool:
    """Return whether the session has ended; False when it is to be followed again. AgentApiError."""
    code = None if closed.rcvd is None else closed.rcvd.code
    if code == NOT_ALLOWED:
        raise AgentApiError("the token is not valid any more", "not_authenticated", 401) from None
    return code == OVER
