"""As much SIP (RFC 3261) and SDP as phones of the test bed need, to be called: messages in and out. Pure.

No authentication, no TCP, and answers are sent once more only when the question comes once more: on the
loopback address nothing is lost.
"""

import re
from dataclasses import dataclass, field

from tools.testbed.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Message:
    """One request, or response (its method is then empty)."""

    method: str
    user: str
    headers: dict[str, list[str]]
    body: str

    @property
    def call_id(self) -> str:
        """Return the dialogue's id."""
        return self.headers.get("call-id", [""])[0]

    @property
    def sequence(self) -> str:
        """Return the CSeq: another number is another request."""
        return self.headers.get("cseq", [""])[0]


def parse(data: bytes) -> Message:
    """Return a message."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    method = "" if first.startswith("SIP/2.0") else first.partition(" ")[0]
    user = re.search(r"sips?:([^@;>\s]+)@", first)
    return Message(method, user.group(1) if user else "", headers, body)


@dataclass(slots=True)
class Dialog:
    """What a phone that was called says in one call."""

    invite: Message
    address: tuple[str, int]
    """Where the caller's messages came from."""
    media_port: int = 0
    """Our port for sound."""
    _tag: str = field(init=False)

    def __post_init__(self) -> None:
        self._tag = f"p{id(self):x}"

    @property
    def media(self) -> tuple[str, int]:
        """Return where the caller wants sound."""
        host = re.search(r"c=IN IP4 ([\d.]+)", self.invite.body)
        port = re.search(r"m=audio (\d+)", self.invite.body)
        return (host.group(1) if host else LOOPBACK), int(port.group(1)) if port else 0

    @property
    def caller(self) -> str:
        """Return the caller's number, as the phone shows it."""
        user = re.search(r"sips?:([^@;>]+)@", self.invite.headers["from"][0])
        return user.group(1) if user else ""

    def answer(
        self,
        code: int,
        reason: str,
        request: Message | None = None,
        port: int = 0,
        sdp: str = "",
        contact: str = "",
    ) -> bytes:
        """Return a response to a request, by default to the INVITE; `contact` is where a 302 sends on to."""
        headers = (request or self.invite).headers
        to = headers["to"][0]
        lines = [
            f"SIP/2.0 {code} {reason}",
            *(f"Via: {via}" for via in headers["via"]),
            f"From: {headers['from'][0]}",
            f"To: {to}" if "tag=" in to else f"To: {to};tag={self._tag}",
            f"Call-ID: {self.invite.call_id}",
            f"CSeq: {headers['cseq'][0]}",
        ]
        if contact:
            lines.append(f"Contact: <{contact}>")
        if port:
            lines += [f"Contact: <sip:phone@{LOOPBACK}:{port}>", "Content-Type: application/sdp"]
        return _message(lines, sdp)

    def accept(self, port: int, request: Message | None = None) -> bytes:
        """Return the 200 OK of a phone on `port`, with where it wants sound."""
        sdp = [
            "v=0",
            f"o=- 1 1 IN IP4 {LOOPBACK}",
            "s=-",
            f"c=IN IP4 {LOOPBACK}",
            "t=0 0",
            f"m=audio {self.media_port} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=ptime:20",
        ]
        return self.answer(200, "OK", request, port, "\r\n".join(sdp) + "\r\n")

    def bye(self, port: int) -> bytes:
        """Return the BYE of a phone on `port`."""
        headers = self.invite.headers
        contact = re.search(r"<([^>]+)>", headers["contact"][0])
        lines = [
            f"BYE {contact.group(1) if contact else 'sip:nobody'} SIP/2.0",
            f"Via: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bK{self._tag}bye;rport",
            f"From: {headers['to'][0]};tag={self._tag}",
            f"To: {headers['from'][0]}",
            f"Call-ID: {self.invite.call_id}",
            "CSeq: 1 BYE",
            "Reason: Q.850;cause=16",
            "Max-Forwards: 70",
        ]
        return _message(lines, "")


def _message(lines: list[str], body: str) -> bytes:
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()
