"""What is up on one Asterisk: its channels, and which of them are ours. `server` asks at every doubt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outrider.channels.asterisk.calls import CallState, Phase
from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.listening import PARTS, part_of
from outrider.channels.asterisk.messages import Answer
from outrider.channels.model import LivingCall
from outrider.errors import ChannelError
from outrider.ids import AttemptId


@dataclass(frozen=True, slots=True)
class Stock:
    """What a server has of ours: the calls of all applications of our family, and more of our own one.

    `own` are the ids of our application's channels, `parts` paths of what speech recognition has there.
    """

    calls: Mapping[AttemptId, Mapping[str, Any]]
    own: frozenset[str]
    parts: Mapping[str, AttemptId]
    rooms: Sequence[Mapping[str, Any]] | None = None
    """All bridges, those of others too: ours are known by their names. None: they could not be had."""


async def survey(client: AriClient) -> Stock:
    """Ask a server what it has of ours.

    ChannelError when it cannot be had. Channels come first: one that ends meanwhile is then not in an
    application any more, and counts as over.
    """
    channels = _content(await client.request("GET", "channels"), "channels")
    applications = _content(await client.request("GET", "applications"), "applications")
    every = await client.request("GET", "bridges")
    rooms = _content(every, "bridges") if every.ok else None
    settings = client.settings
    own: set[str] = set()
    bridges: set[str] = set()
    family: set[str] = set()
    for application in applications:
        if settings.is_family(application["name"]):
            family.update(application["channel_ids"])
        if application["name"] == settings.application:
            own.update(application["channel_ids"])
            bridges.update(application["bridge_ids"])
    calls = {
        AttemptId(channel["id"]): channel
        for channel in channels
        if channel["id"] in family and not channel["id"].endswith(PARTS)
    }
    paths = {f"channels/{name}": name for name in own} | {f"bridges/{name}": name for name in bridges}
    parts = {path: call_id for path, name in paths.items() if (call_id := part_of(name)) is not None}
    return Stock(calls, frozenset(own), parts, rooms)


async def playing(client: AriClient, calls: list[AttemptId]) -> frozenset[AttemptId]:
    """Return those of the calls on which a prompt is being played."""
    answers = await asyncio.gather(*(client.request("GET", f"playbacks/{call_id}") for call_id in calls))
    return frozenset(call_id for call_id, answer in zip(calls, answers, strict=True) if answer.ok)


async def subscribe(client: AriClient, call_id: AttemptId) -> Answer:
    """Ask for the events of a channel, wherever it is: in another application, or in the dialplan."""
    path = f"applications/{client.settings.application}/subscription?eventSource=channel:{call_id}"
    return await client.request("POST", path)


def living_call(state: CallState, server: str, room: str) -> LivingCall:
    """Return a call as an answer to "what is up?"."""
    return LivingCall(state.call_id, state.phase is not Phase.PLACED, state.by, state.playing, server, room)


def _content(answer: Answer, what: str) -> list[Mapping[str, Any]]:
    content = answer.json() if answer.ok else None
    if not isinstance(content, list):
        raise ChannelError(f"the list of {what} was refused: {answer.complaint}")
    return content
