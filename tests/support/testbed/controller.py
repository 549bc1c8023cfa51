"""A minimal ARI controller for tests of the test bed itself: it places calls and keeps every event it hears.

The product has its own driver; tests of that do not need this one.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.testbed.asterisk import AsteriskServer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from support.processes import eventually

Event = dict[str, Any]


class Controller:
    """Connected to one server as its application; events are read by a thread of their own."""

    def __init__(self, server: AsteriskServer, socket: ClientConnection) -> None:
        self._server = server
        self._socket = socket
        self._events: list[Event] = []
        self._reader = threading.Thread(target=self._read, name="ari-events", daemon=True)
        self._reader.start()

    def call(self, number: str, channel: str, ring: int = 30, context: str | None = None) -> None:
        """Call a number with our own channel id; the call is given up after `ring` seconds without answer.

        An answered call comes to the application, or first to extension `s` of a dialplan `context`.
        """
        application = {"app": self._server.instance.application}
        dialplan = {"context": context or "", "extension": "s", "priority": "1"}
        query = {
            "endpoint": self._server.endpoint(number),
            **(dialplan if context else application),
            "channelId": channel,
            "callerId": "Outrider <+4930555000>",
            "timeout": str(ring),
        }
        self._server.ari("POST", "/channels", **query).raise_for_status()

    def set_variable(self, channel: str, name: str, value: str) -> None:
        """Set a channel variable or write a dialplan function, as TALK_DETECT(set)."""
        query = {"variable": name, "value": value}
        self._server.ari("POST", f"/channels/{channel}/variable", **query).raise_for_status()

    def hang_up(self, channel: str) -> None:
        """Hang a call up."""
        self._server.ari("DELETE", f"/channels/{channel}").raise_for_status()

    def events(self, channel: str) -> list[Event]:
        """Return what was heard of a channel so far, in order."""
        return [event for event in list(self._events) if _channel(event) == channel]

    def event(self, kind: str, channel: str, within: float = 20.0) -> Event:
        """Return the first event of a kind about a channel, as soon as it comes."""

        def heard() -> Event | None:
            return next((event for event in self.events(channel) if event["type"] == kind), None)

        return eventually(f"{kind} of {channel}, after {self._kinds(channel)}", heard, within)

    def _kinds(self, channel: str) -> list[str]:
        return [str(event["type"]) for event in self.events(channel)]

    def _read(self) -> None:
        try:
            for message in self._socket:
                self._events.append(json.loads(message))
        except ConnectionClosed:
            return


@contextmanager
def controlling(server: AsteriskServer) -> Iterator[Controller]:
    """Give a controller that is connected; it is disconnected afterwards."""
    key = f"{server.username}:{server.password}"
    address = f"ws://127.0.0.1:{server.http_port}/ari/events?app={server.instance.application}&api_key={key}"
    with connect(address) as socket:
        yield Controller(server, socket)


def _channel(event: Event) -> str:
    found = event.get("channel") or event.get("peer") or {}
    target = str(event.get("playback", {}).get("target_uri", "")).removeprefix("channel:")
    return str(found.get("id") or target)
