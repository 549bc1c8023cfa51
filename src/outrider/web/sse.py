"""Server-sent events: `event_stream` for any source, and /api/events, which follows the event log.

A stream starts again after the browser's Last-Event-ID, so a reconnect loses nothing. It ends when the
browser leaves, when the caller may no longer see it, and when the server stops (`News.close`).
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import StreamingResponse

from outrider.db import log
from outrider.errors import OutriderError
from outrider.events import MediaPortsMoved, MediaServerChanged, RecordChanged, SignIn
from outrider.people.model import Caller, Role
from outrider.web.access import Edge, EdgeServices, Viewer, authenticate

POLL = 0.25
"""Real seconds after which the log is looked at without news: other processes write too."""
SPACING = 0.05
"""Real seconds between two looks at least, so that many transactions in a moment make one look."""
HEARTBEAT = 15.0
"""Real seconds of silence after which a comment is sent, so that proxies keep the connection."""
RETRY_MS = 1_000
BATCH = 500
LARGEST_ID = 2**63 - 1
LONGEST_ID = len(str(LARGEST_ID))
"""Digits."""

router = APIRouter(prefix="/api", tags=["events"])


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event. `data` may have several lines."""

    id: int
    event: str
    data: str

    def encode(self) -> str:
        """Return the event in the wire format of the HTML standard, 9.2.5."""
        lines = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"id: {self.id}\nevent: {self.event}\n{lines}\n"


Source = Callable[[int], Awaitable[tuple[Sequence[Message], int]]]
"""Given the last id seen, returns what is new and the id to go on from (which may pass unseen events)."""

Permission = Callable[[], Awaitable[None]]
"""Raises an OutriderError when the stream must not go on."""


def read_event_id(text: str) -> int | None:
    """Return the number of an event as clients send it back; None for what is not one of 63 bits."""
    # The length comes first: int() raises when it is given thousands of digits.
    if len(text) > LONGEST_ID or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def event_stream(
    request: Request, edge: EdgeServices, source: Source, *, start: int, permission: Permission | None = None
) -> StreamingResponse:
    """Return a response that sends what `source` gives, from `start` or the browser's Last-Event-ID on.

    `permission` is asked at every heartbeat. News of this process wakes the stream at once.
    """
    seen = read_event_id(request.headers.get("last-event-id", ""))
    return StreamingResponse(
        _follow(edge, source, start if seen is None else seen, permission),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _follow(
    edge: EdgeServices, source: Source, last: int, permission: Permission | None
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    with edge.news.subscribe() as news:
        yield f"retry: {RETRY_MS}\n\n"
        beat = loop.time() + HEARTBEAT
        while not news.closed:
            looked = loop.time()
            messages, last = await source(last)
            if messages:
                yield "".join(message.encode() for message in messages)
            if loop.time() >= beat:
                if permission is not None and not await _permitted(permission):
                    return
                yield ": alive\n\n"
                beat = loop.time() + HEARTBEAT
            if len(messages) < BATCH:
                await news.wait(POLL)
                await asyncio.sleep(max(0.0, looked + SPACING - loop.time()))


async def _permitted(permission: Permission) -> bool:
    try:
        await permission()
    except OutriderError:
        return False
    return True


CONFIDENTIAL = frozenset({SignIn.kind, MediaServerChanged.kind, MediaPortsMoved.kind})
CONFIDENTIAL_RECORDS = frozenset({"user", "token", "media_server", "speech_server"})


def visible(row: Mapping[str, Any], caller: Caller) -> bool:
    """Return whether a row of the event log may be shown to the caller.

    Events of no organization are everybody's, except those about people and media servers, which only the
    administrators of the system see; who signed in is for administrators only.
    """
    confidential = row["kind"] in CONFIDENTIAL or (
        row["kind"] == RecordChanged.kind and row["data"].get("record") in CONFIDENTIAL_RECORDS
    )
    if not confidential:
        return caller.organization_id is None or row["organization_id"] in {None, caller.organization_id}
    return caller.role is Role.ADMINISTRATOR and caller.sees(row["organization_id"])


def of_log_row(row: Mapping[str, Any]) -> Message:
    """Return the message of one row of the event log; its data is a JSON object with all columns."""
    at = row["at"]
    document = {**row, "at": at.isoformat() if isinstance(at, dt.datetime) else at}
    return Message(row["id"], row["kind"], json.dumps(document, default=jsonable_encoder))


def log_source(edge: EdgeServices, caller: Caller) -> Source:
    """Return a source that reads those events of the log that the caller may see."""

    async def read(last: int) -> tuple[Sequence[Message], int]:
        rows = await edge.database.read(log.since, last, caller.organization_id, BATCH)
        return [of_log_row(row) for row in rows if visible(row, caller)], rows[-1]["id"] if rows else last

    return read


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}},
)
async def events(
    request: Request,
    edge: Edge,
    caller: Viewer,
    after: Annotated[int | None, Query(ge=0, le=LARGEST_ID)] = None,
) -> StreamingResponse:
    """Follow the event log from now on, or after the event `after`; Last-Event-ID comes first."""
    start = after if after is not None else await edge.database.read(log.latest_id)

    async def permission() -> None:
        request.state.credential = None
        await authenticate(request, edge)

    return event_stream(request, edge, log_source(edge, caller), start=start, permission=permission)
