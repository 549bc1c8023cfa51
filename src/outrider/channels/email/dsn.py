"""Reads what comes back to the bounce address: delivery reports (RFC 3464), and what is none. Pure.

`bounces` asks it about every incoming mail. Nothing that a mail may contain makes it fail: what cannot be
understood is MailKind.OTHER. Reports name their message by the VERP recipient, or by its returned headers.
"""

import base64
import email
import email.policy
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from outrider.channels.email.classify import Stage, classify
from outrider.channels.email.verp import read_bounce_address
from outrider.channels.model import MailResult
from outrider.ids import AttemptId


class MailKind(enum.StrEnum):
    """What an incoming mail is about."""

    FAILED = "failed"
    """The message was given up."""
    DELAYED = "delayed"
    """It is still being tried: nothing has been decided."""
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    """The recipient called it spam (RFC 5965)."""
    AUTO_REPLY = "auto_reply"
    """Somebody is on holiday: the message was delivered."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says of one message and recipient. Empty texts: it does not say.

    `permanent`: the address is bad (MailResult.HARD_BOUNCE). `status` is an enhanced code (RFC 3463).
    """

    message_id: AttemptId | None
    recipient: str
    status: str
    permanent: bool
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """An incoming mail, understood. `report` is there for FAILED, DELAYED, DELIVERED and COMPLAINT."""

    kind: MailKind
    report: Bounce | None = None


_ACTIONS = {
    "failed": MailKind.FAILED,
    "delayed": MailKind.DELAYED,
    "delivered": MailKind.DELIVERED,
    "relayed": MailKind.DELIVERED,
    "expanded": MailKind.DELIVERED,
}
_WEIGHT = (MailKind.FAILED, MailKind.DELAYED, MailKind.DELIVERED)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#])")
_ADDRESS = re.compile(r"[^\s<>@;,:\"()\[\]]{1,64}@[A-Za-z0-9.\-]{1,253}")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*<\s*([A-Za-z0-9._=\-]{1,56})@", re.IGNORECASE | re.MULTILINE)
_BOUNCER = re.compile(r"mailer-daemon|postmaster|mail delivery (sub)?system|mdaemon", re.IGNORECASE)
_RETURNING = frozenset({"text/rfc822-headers", "message/global-headers", "text/plain", "message/rfc822"})
_MUCH_TEXT = 20_000
_MOST_PARTS = 50
_DETAIL = 500
_UNKNOWN_STATUS = "5.0.0"


def read_mail(content: bytes, recipient: str = "", sender: str | None = None) -> Incoming:
    """Return what an incoming mail is about. Never raises.

    `recipient` and `sender` are those of the envelope; the null sender "" is a bounce's (RFC 5321 4.5.5).
    """
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        return _understand(message, read_bounce_address(recipient), sender)
    except Exception:  # noqa: BLE001 - the standard library fails in many ways on garbage; it tells nothing
        return Incoming(MailKind.OTHER)


def _understand(message: Message, named: AttemptId | None, sender: str | None) -> Incoming:
    parts = _parts(message)
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return Incoming(MailKind.COMPLAINT, _complaint(part, parts, named))
        if kind in {"message/delivery-status", "message/global-delivery-status"}:
            found = _delivery_status(part, parts, named)
            if found is not None:
                return found
    if _is_auto_reply(message):
        return Incoming(MailKind.AUTO_REPLY)
    if sender == "" or _BOUNCER.search(_header(message, "From")):
        return _plain_bounce(message, parts, named)
    return Incoming(MailKind.OTHER)


def _parts(message: Message) -> list[Message]:
    """Return the parts in order; a report has three."""
    found: list[Message] = []
    for part in message.walk():
        found.append(part)
        if len(found) == _MOST_PARTS:
            break
    return found


def _delivery_status(part: Message, parts: list[Message], named: AttemptId | None) -> Incoming | None:
    """Return the gravest of the report's statements about recipients; None when it makes none."""
    found: list[Incoming] = []
    for group in _groups(part):
        action = _header(group, "Action").split(" ")[0].lower()
        status = _STATUS.search(_header(group, "Status"))
        if not action and status is None:
            continue
        diagnostic = _after_type(_header(group, "Diagnostic-Code"))
        code = ".".join(status.groups()) if status is not None else ""
        kind = _ACTIONS.get(action) or _kind_of(code)
        address = _after_type(_header(group, "Original-Recipient") or _header(group, "Final-Recipient"))
        message_id = named or _returned_id(parts)
        permanent = kind is MailKind.FAILED and _is_permanent(code, diagnostic)
        report = Bounce(message_id, _address(address), code or _UNKNOWN_STATUS, permanent, diagnostic)
        found.append(Incoming(kind, report))
    return min(found, key=lambda one: _WEIGHT.index(one.kind), default=None)


def _groups(part: Message) -> Iterator[Message]:
    """Return the groups of fields of a report, those about recipients among them."""
    payload = part.get_payload()
    groups = [group for group in payload if isinstance(group, Message)] if isinstance(payload, list) else []
    if groups and _header(part, "Content-Transfer-Encoding").lower() != "base64":
        yield from groups
        return
    # The standard library does not decode a report before it reads it: here it is one text after all.
    texts = [group.get_payload() for group in groups] if groups else [_text(part)]
    text = "".join(text for text in texts if isinstance(text, str))
    if groups:
        text = base64.b64decode(text).decode("utf-8", errors="replace")
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        yield email.message_from_string(block.strip() + "\n\n", policy=email.policy.compat32)


def _kind_of(status: str) -> MailKind:
    return {"2": MailKind.DELIVERED, "4": MailKind.DELAYED}.get(status[:1], MailKind.FAILED)


def _is_permanent(status: str, diagnostic: str) -> bool:
    """Return whether the address is bad, by the table that answers to RCPT are judged by."""
    code = _CODE.search(diagnostic)
    number = int(code.group(1)) if code is not None else 100 * int(status[:1] or "5") + 50
    said = _STATUS.search(diagnostic)
    enhanced = ".".join(said.groups()) if said is not None else status
    words = diagnostic if enhanced.endswith(".0.0") else f"{enhanced} {diagnostic}"
    return classify(Stage.RCPT, number, words).result is MailResult.HARD_BOUNCE


def _complaint(part: Message, parts: list[Message], named: AttemptId | None) -> Bounce:
    """Return whom and what a feedback report names: recipients are often blacked out, ids rarely."""
    fields = next(_groups(part), part)
    kind = _header(fields, "Feedback-Type") or "abuse"
    address = _address(_header(fields, "Original-Rcpt-To") or _header(fields, "Removal-Recipient"))
    by_sender = read_bounce_address(_address(_header(fields, "Original-Mail-From")))
    agent = _header(fields, "User-Agent")
    detail = f"{kind}, reported by {agent}" if agent else kind
    return Bounce(named or by_sender or _returned_id(parts), address, "", permanent=False, diagnostic=detail)


def _plain_bounce(message: Message, parts: list[Message], named: AttemptId | None) -> Incoming:
    """Return what can be told of a bounce that is no report: its words, and a status among them."""
    text = next((_text(part) for part in parts if part.get_content_type() == "text/plain"), "")[:_MUCH_TEXT]
    status, code = _STATUS.search(text), _CODE.search(text)
    message_id = named or _returned_id(parts)
    if (status is None and code is None) or message_id is None:
        return Incoming(MailKind.OTHER)
    found = ".".join(status.groups()) if status is not None else f"{text[code.start()] if code else 5}.0.0"
    place = min(match.start() for match in (status, code) if match is not None)
    line_end = text.find("\n\n", place)
    diagnostic = _line(text[place : line_end if line_end >= 0 else None])
    kind = _kind_of(found)
    address = _address(_header(message, "X-Failed-Recipients")) or _address(text)
    permanent = kind is MailKind.FAILED and _is_permanent(found, diagnostic)
    return Incoming(kind, Bounce(message_id, address, found, permanent, diagnostic))


def _is_auto_reply(message: Message) -> bool:
    """Return whether a program answered for a person (RFC 3834, and what came before it)."""
    submitted = _header(message, "Auto-Submitted").lower()
    if submitted.startswith(("auto-replied", "auto-notified")):
        return True
    if _header(message, "Precedence").lower() in {"auto_reply", "auto-reply"}:
        return True
    return any(message[name] is not None for name in ("X-Autoreply", "X-Autorespond", "X-AutoReply-From"))


def _returned_id(parts: list[Message]) -> AttemptId | None:
    """Return the Message-ID of the original: of a returned message, of its headers, or in a text."""
    for part in parts[1:]:
        found = _MESSAGE_ID.match(f"Message-ID: {_header(part, 'Message-ID')}")
        if found is None and part.get_content_type() in _RETURNING:
            found = _MESSAGE_ID.search(_text(part)[:_MUCH_TEXT])
        if found is not None:
            return AttemptId(found.group(1))
    found = _MESSAGE_ID.search(_text(parts[0])[:_MUCH_TEXT])
    return AttemptId(found.group(1)) if found is not None else None


def _text(part: Message) -> str:
    """Return a part's text, whatever its encoding; empty for parts that hold others."""
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""


def _header(message: Message, name: str) -> str:
    """Return a header's text on one line, empty without one."""
    value = message[name]
    return "" if value is None else _line(str(value))


def _after_type(value: str) -> str:
    """Return a field's value without its type: `rfc822; ann@cust.test`."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[A-Za-z0-9 \-]+", kind) else value


def _address(text: str) -> str:
    found = _ADDRESS.search(text)
    return found.group() if found is not None else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:_DETAIL]
