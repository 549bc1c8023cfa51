"""Reads what an action says for its channel: a call with its menu, a text, a mail or a webhook.

`strategy_actions.read_action` calls the one of the action's channel; problems are noted at their place. Pure.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import urlsplit

from outrider.campaigns.document_table import Table, shown
from outrider.campaigns.read_call import folder_name
from outrider.campaigns.read_condition import read_condition
from outrider.campaigns.strategy import EmailSettings, SenderRule, SmsSettings, WebhookSettings

LONGEST_BODY = 500_000
LONGEST_TEXT_MESSAGE = 2_000
MOST_SENDERS, MOST_ATTACHMENTS, MOST_HEADERS = 50, 20, 30
DAY = 86_400
LONGEST_RECEIPT_WAIT = 7 * DAY
SHORTEST_VALIDITY = 60
LONGEST_REQUEST = 60

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 &._\-]{1,11}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~\-]{1,80}")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONFIDENTIAL = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token"})
_OURS = frozenset({"host", "content-length", "content-type", "connection", "transfer-encoding"})


def read_sms(table: Table) -> SmsSettings:
    """Return the SMS part of an action."""
    sender = table.text("sender", longest=16)
    if sender is not None:
        _check_sender(table, "sender", sender)
    language = table.text("language", longest=6)
    if language is not None and not _LANGUAGE.fullmatch(language):
        table.complain("language", f"must be an ISO 639 code such as en or de, not {shown(language)}")
    return SmsSettings(
        text=table.text("text", required=True, longest=LONGEST_TEXT_MESSAGE, lines=True) or "",
        sender=sender or "",
        sender_rules=_sender_rules(table, mailbox=False),
        receipt_wait=table.duration("receipt_wait", 1, LONGEST_RECEIPT_WAIT),
        language=language or "en",
        validity=table.duration("validity", SHORTEST_VALIDITY, LONGEST_RECEIPT_WAIT),
    )


def read_email(table: Table) -> EmailSettings:
    """Return the email part of an action."""
    unsubscribe = table.text("unsubscribe", longest=500)
    if unsubscribe is not None and not _web_address(unsubscribe):
        table.complain("unsubscribe", f"must be an https address without a query, not {shown(unsubscribe)}")
    return EmailSettings(
        subject=table.text("subject", required=True, longest=500) or "",
        text=table.text("text", required=True, longest=LONGEST_BODY, lines=True) or "",
        sender=_mailbox(table, "from", required=True) or "",
        html=table.text("html", longest=LONGEST_BODY, lines=True),
        reply_to=_mailbox(table, "reply_to", required=False),
        unsubscribe=unsubscribe,
        attachments=_attachments(table),
        sender_rules=_sender_rules(table, mailbox=True),
        bounce_wait=table.duration("bounce_wait", 1, LONGEST_RECEIPT_WAIT),
    )


def read_webhook(table: Table) -> WebhookSettings:
    """Return the webhook part of an action."""
    url = table.text("url", required=True, longest=2_000)
    if url is not None and not _web_address(url, query=True):
        table.complain(
            "url",
            f"must be an https address (http only to this machine) without a password, not {shown(url)}",
        )
    headers = _headers(table, "headers")
    secrets = _headers(table, "secret_headers")
    for name in headers:
        if name.lower() in _CONFIDENTIAL:
            table.complain(
                f"headers.{name}", "would show a secret to everybody: name a setting in secret_headers"
            )
    for name, setting in secrets.items():
        if name.lower() in {each.lower() for each in headers}:
            table.complain(f"secret_headers.{name}", "stands in headers too: keep one of them")
        if not _SETTING.fullmatch(setting):
            table.complain(
                f"secret_headers.{name}", f"must name a secret of the settings, not {shown(setting)}"
            )
    timeout = table.duration("timeout", 1, LONGEST_REQUEST)
    return WebhookSettings(
        url=url or "",
        headers=headers,
        secret_headers=secrets,
        body=_json_body(table),
        timeout=WebhookSettings("").timeout if timeout is None else timeout,
    )


def _headers(table: Table, name: str) -> dict[str, str]:
    headers = table.table(name)
    if headers is None:
        return {}
    if len(headers.values) > MOST_HEADERS:
        table.complain(name, f"has {len(headers.values)} entries, and at most {MOST_HEADERS} are allowed")
    found: dict[str, str] = {}
    for header in headers.values:
        value = headers.text(header, longest=2_000)
        if not _HEADER.fullmatch(header) or header.lower() in _OURS:
            headers.complain(header, "is no name of a header that can be set here")
        elif header.lower() in {each.lower() for each in found}:
            headers.complain(header, "stands twice, as headers know no capital letters")
        elif value is not None and not value.isascii():
            headers.complain(header, "must be plain ASCII, as headers are")
        elif value is not None:
            found[header] = value
    return found


def _json_body(table: Table) -> str | None:
    """Return the body as JSON text; a table of TOML may say it, or a text that is JSON."""
    value = table.get("body")
    if value is None:
        return None
    if isinstance(value, str):
        text = table.text("body", longest=LONGEST_BODY, lines=True)
        try:
            value = None if text is None else json.loads(text)
        except (ValueError, RecursionError) as error:
            table.complain("body", f"is not JSON: {error}")
            return None
        if text is None:
            return None
    if not isinstance(value, Mapping):
        table.complain("body", f"must be a JSON object, not {shown(value)}")
        return None
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        table.complain("body", "has a value that JSON does not know: write times as text")
        return None


def _sender_rules(table: Table, *, mailbox: bool) -> tuple[SenderRule, ...]:
    rules: list[SenderRule] = []
    for each in table.tables("sender_rules", MOST_SENDERS):
        if mailbox:
            sender = _mailbox(each, "sender", required=True)
        else:
            sender = each.text("sender", required=True, longest=16)
            if sender is not None:
                _check_sender(each, "sender", sender)
        condition_table = each.table("condition", required=True)
        condition = None if condition_table is None else read_condition(condition_table)
        each.close()
        if sender is not None and condition is not None:
            rules.append(SenderRule(condition, sender))
    return tuple(rules)


def _check_sender(table: Table, name: str, value: str) -> None:
    if not _SENDER.fullmatch(value):
        table.complain(
            name, f"must be a number, or a name of at most 11 letters and digits, not {shown(value)}"
        )


def _attachments(table: Table) -> tuple[str, ...]:
    entries = table.entries("attachments") or []
    if len(entries) > MOST_ATTACHMENTS:
        table.complain(
            "attachments", f"has {len(entries)} entries, and at most {MOST_ATTACHMENTS} are allowed"
        )
    names: list[str] = []
    for index, value in enumerate(entries):
        where = f"attachments[{index}]"
        name = Table({where: value}, table.where, table.problems).text(where, longest=255)
        if name is not None and name in names:
            table.complain(where, f"names {shown(name)} again")
        elif name is not None and folder_name(table, where, name, "attachments"):
            names.append(name)
    return tuple(names)


def _web_address(value: str, *, query: bool = False) -> bool:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS)
    plain = query or not parts.query
    named = bool(parts.hostname) and not parts.username and not parts.password
    return secure and named and plain and not parts.fragment and " " not in value


def _mailbox(table: Table, name: str, *, required: bool) -> str | None:
    value = table.text(name, required=required, longest=320)
    if value is None:
        return None
    user, at, host = parseaddr(value)[1].rpartition("@")
    if not (user and at and host) or re.search(r"\s", user + host) or "@" in user:
        table.complain(name, f"must be an email address such as Team <team@example.org>, not {shown(value)}")
    return value
