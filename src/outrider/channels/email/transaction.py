"""One message's SMTP dialogue, step by step, so that it is always known how far it got.

`smtp` runs it on a connection of its pool. aiosmtplib's own `sendmail` does not tell a connection that broke
before the content from one that broke after it, and that decides whether the message may be sent again.
"""

import re
from dataclasses import dataclass

import aiosmtplib

from outrider.channels.email.classify import Stage

_EXPECTED = {Stage.MAIL: (250,), Stage.RCPT: (250, 251), Stage.DATA: (354,)}
_COMPLETED = 250
_CLOSING = 421
_FIRST_REFUSAL = 400
_LAST_SUCCESS = 299
_LINE_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that ended the dialogue. `reusable`: the connection may carry another message."""

    stage: Stage
    code: int
    text: str
    reusable: bool = True


class Broken(Exception):  # noqa: N818 - a connection is broken; the message's outcome is in the fields
    """The dialogue ended without an answer; `may_retry` when the message cannot have been delivered.

    `closed`: the server ended it, with 421, and not the network.
    """

    def __init__(self, detail: str, *, may_retry: bool, closed: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.may_retry = may_retry
        self.closed = closed


class Unreachable(Broken):
    """No connection was made, or the server would not talk to us: no message was offered."""


async def transmit(client: aiosmtplib.SMTP, sender: str, recipient: str, content: bytes) -> Answer:
    """Hand one message over and return the answer that decided; each step has the client's timeout.

    Raises Broken when the connection fails, or closes with 421 before the content was sent.
    """
    options = []
    if client.supports_extension("size"):
        options.append(b"SIZE=%d" % len(content))
    for stage, words in (
        (Stage.MAIL, (b"MAIL", b"FROM:<" + sender.encode() + b">", *options)),
        (Stage.RCPT, (b"RCPT", b"TO:<" + recipient.encode() + b">")),
        (Stage.DATA, (b"DATA",)),
    ):
        code, text = await _command(client, stage, *words)
        if code in _EXPECTED[stage]:
            continue
        if code < _FIRST_REFUSAL:
            client.close()
            raise Broken(f"the server answered {stage} out of turn: {code} {text}", may_retry=False)
        return Answer(stage, code, text, reusable=await _reset(client))
    return await _content(client, content)


async def _command(client: aiosmtplib.SMTP, stage: Stage, *words: bytes) -> tuple[int, str]:
    """Send one command before the content; whatever breaks here, nothing was delivered."""
    try:
        response = await client.execute_command(*words)
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise Broken(f"the connection broke at {stage}: {error}", may_retry=True) from error
    if response.code == _CLOSING:
        client.close()
        detail = f"the server closed the connection at {stage}: 421 {response.message}"
        raise Broken(detail, may_retry=True, closed=True)
    return response.code, response.message


async def _reset(client: aiosmtplib.SMTP) -> bool:
    """Make the connection ready for another message after a refusal; return whether it is."""
    try:
        response = await client.execute_command(b"RSET")
    except (aiosmtplib.SMTPException, OSError):
        return False
    return response.code == _COMPLETED


async def _content(client: aiosmtplib.SMTP, content: bytes) -> Answer:
    """Send the content after 354; without an answer to its end, nobody knows what became of it."""
    protocol = client.protocol
    if protocol is None:
        raise Broken("the connection broke before the content", may_retry=True)
    # Most messages have no such line, and looking is much cheaper than replacing.
    dotted = content.startswith(b".") or b"\n." in content
    body = _LINE_DOT.sub(b"..", content) if dotted else content
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    try:
        protocol.write(body + b".\r\n")
        code, text = await protocol.read_response(timeout=client.timeout)
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        message = f"unknown: the connection broke after the content was sent, it is not sent again: {error}"
        raise Broken(message, may_retry=False) from error
    if _LAST_SUCCESS < code < _FIRST_REFUSAL:
        client.close()
        message = f"unknown: the server answered the content out of turn: {code} {text}"
        raise Broken(message, may_retry=False)
    return Answer(Stage.CONTENT, code, text, reusable=code != _CLOSING)
