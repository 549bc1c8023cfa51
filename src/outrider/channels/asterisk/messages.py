"""What goes over ARI's websocket: requests and their answers, and which events we want. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENTS = (
    "StasisStart",
    "ChannelStateChange",
    "Dial",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelTalkingStarted",
    "ChannelTalkingFinished",
    "PlaybackFinished",
    "ApplicationReplaced",
    "RESTResponse",
)
"""The events that are wanted. Without `RESTResponse` among them every answer would be kept from us too."""

_DIAL = b'{"type":"Dial"'
_EARLY_MEDIA = b'"dialstatus":"PROGRESS"'
_DIAL_HEAD = 200

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request: its HTTP status and body."""

    status: int
    body: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the request was carried out."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's range of success

    def json(self) -> Any:
        """Return the body's content; None when there is none."""
        return json.loads(self.body) if self.body else None

    @property
    def complaint(self) -> str:
        """Return what Asterisk says was wrong, in its own words."""
        try:
            content = self.json()
        except ValueError:
            content = None
        if isinstance(content, dict):
            said = content.get("message") or content.get("error")
            if said:
                return f"{said} ({self.status})"
        return f"status {self.status}"


def wanted() -> Mapping[str, object]:
    """Return the body of `PUT /applications/APP/eventFilter` that leaves us EVENTS only."""
    return {"allowed": [{"type": name} for name in EVENTS]}


def encode_request(number: int, method: str, path: str, body: Mapping[str, object] | None) -> bytes:
    """Return one request as a message; `path` is relative to /ari/, and may have a query."""
    message = {
        "type": "RESTRequest",
        "transaction_id": "",
        "request_id": str(number),
        "method": method,
        "uri": path,
    }
    if body is not None:
        message["content_type"] = "application/json"
        message["message_body"] = json.dumps(body)
    return json.dumps(message).encode()


def decode(raw: bytes) -> Event | None:
    """Return a message's content, or None for one that tells nothing: not JSON, or an idle `Dial`.

    Of the `Dial` events, three or more per call, only early media is news; the others are not even parsed.
    """
    if raw.startswith(_DIAL) and _EARLY_MEDIA not in raw[:_DIAL_HEAD]:
        return None
    try:
        content = json.loads(raw)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def parse_answer(message: Event) -> tuple[int, Answer]:
    """Return the number of the request that a `RESTResponse` answers, and the answer."""
    try:
        number = int(message.get("request_id", ""))
    except ValueError:
        number = 0
    return number, Answer(int(message.get("status_code", 0)), message.get("message_body") or "")
