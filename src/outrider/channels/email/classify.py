"""What a mail server's answer means for the address: one table from RFC 3463 and RFC 5321 codes. Pure.

`smtp` asks it once per message. The question is always the same: does the answer speak of the recipient (a
hard bounce), of the moment (a soft bounce), or of us (failed, the address is not to blame)?
"""

import enum
import re
from dataclasses import dataclass

from outrider.channels.model import MailResult


class Stage(enum.StrEnum):
    """The step of the dialogue that was answered."""

    CONNECT = "connect"
    AUTH = "auth"
    MAIL = "mail from"
    RCPT = "rcpt to"
    DATA = "data"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means, and why in a few words."""

    result: MailResult
    reason: str


_ENHANCED = re.compile(r"(?:^|\s)([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_LAST_TEMPORARY = 499
_FIRST_FAILURE = 400

_HARD, _SOFT, _FAILED = MailResult.HARD_BOUNCE, MailResult.SOFT_BOUNCE, MailResult.FAILED

_BY_STATUS: dict[str, Verdict] = {
    "1.0": Verdict(_HARD, "bad address"),
    "1.1": Verdict(_HARD, "no such mailbox"),
    "1.2": Verdict(_HARD, "no such domain"),
    "1.3": Verdict(_HARD, "the address is malformed"),
    "1.4": Verdict(_HARD, "the address is ambiguous"),
    "1.6": Verdict(_HARD, "the mailbox has moved"),
    "1.7": Verdict(_FAILED, "our sender address is malformed"),
    "1.8": Verdict(_FAILED, "our sender domain is not accepted"),
    "1.10": Verdict(_HARD, "the domain takes no mail"),
    "2.0": Verdict(_SOFT, "a problem of the mailbox"),
    "2.1": Verdict(_HARD, "the mailbox is disabled"),
    "2.2": Verdict(_SOFT, "the mailbox is full"),
    "2.3": Verdict(_FAILED, "the message is too long for the mailbox"),
    "2.4": Verdict(_SOFT, "a problem of a mailing list"),
    "3.1": Verdict(_SOFT, "the mail system is full"),
    "3.2": Verdict(_SOFT, "the mail system accepts nothing at present"),
    "3.4": Verdict(_FAILED, "the message is too big"),
    "4.1": Verdict(_HARD, "the recipient's host does not take the address"),
    "4.4": Verdict(_HARD, "there is no route to the domain"),
    "4.6": Verdict(_SOFT, "a mail loop"),
    "4.7": Verdict(_SOFT, "the message expired at the server"),
}
"""Enhanced status codes without their class: subject.detail. The class is looked at afterwards."""

_BY_SUBJECT: dict[str, Verdict] = {
    "1": Verdict(_HARD, "bad address"),
    "2": Verdict(_SOFT, "a problem of the mailbox"),
    "3": Verdict(_SOFT, "a problem of the mail system"),
    "4": Verdict(_SOFT, "a problem of the network"),
    "5": Verdict(_FAILED, "the server did not understand us"),
    "6": Verdict(_FAILED, "the content is not accepted"),
    "7": Verdict(_FAILED, "refused by policy"),
}

_BY_RCPT_CODE: dict[int, Verdict] = {
    521: Verdict(_HARD, "the host takes no mail"),
    550: Verdict(_HARD, "no such mailbox"),
    551: Verdict(_HARD, "the mailbox has moved"),
    552: Verdict(_SOFT, "the mailbox is full"),
    553: Verdict(_HARD, "the mailbox name is not allowed"),
    556: Verdict(_HARD, "the domain takes no mail"),
}
"""Answers to RCPT without an enhanced status; all other permanent ones speak of us."""

_SHUTTING_DOWN = 421
_OVER_QUOTA = 552

_TOO_FAST_WORDS = re.compile(r"too (many|fast|much)|rate|throttl|slow down|defer|limit", re.IGNORECASE)
_GREYLIST_WORDS = re.compile(r"gr[ae]y-?list", re.IGNORECASE)

_POLICY_WORDS = re.compile(
    r"relay|spam|block|black ?list|blocklist|denylist|reputation|policy|spf|dkim|dmarc|authentic|rate limit"
    r"|too many|not permitted|access denied",
    re.IGNORECASE,
)
_FULL_WORDS = re.compile(r"mailbox (is )?full|over ?quota|quota exceeded|storage", re.IGNORECASE)


def classify(stage: Stage, code: int, text: str) -> Verdict:
    """Return what the answer `code` `text` means at `stage`. Answers below 400 are accepted.

    A temporary answer (4xx) never blames the address for good, a full mailbox is soft whatever its class,
    and nothing that is said before RCPT speaks of the recipient.
    """
    if code < _FIRST_FAILURE:
        return Verdict(MailResult.ACCEPTED, "accepted")
    if stage is Stage.AUTH:
        return Verdict(_FAILED, "the server refused our user name or password")
    if stage is Stage.MAIL and code == _OVER_QUOTA:
        return _BY_STATUS["3.4"]
    if stage in {Stage.CONNECT, Stage.MAIL}:
        return Verdict(_FAILED, "the server refused us")
    if code == _SHUTTING_DOWN:
        return Verdict(_FAILED, "the server is closing the connection")
    verdict = _by_status(text) or _by_code(stage, code, text)
    if code <= _LAST_TEMPORARY and verdict.result is not _SOFT:
        return Verdict(_SOFT, f"temporary: {verdict.reason}")
    return verdict


def is_too_fast(code: int, text: str) -> bool:
    """Return whether a temporary answer asks us to send more slowly: 421, 4.7.x, or words that say so.

    Greylisting (also 4.7.1) asks us to come again, not to be slower.
    """
    if not _FIRST_FAILURE <= code <= _LAST_TEMPORARY or _GREYLIST_WORDS.search(text):
        return False
    found = _ENHANCED.search(text)
    by_policy = found is not None and found.group(1) == "4" and found.group(2) == "7"
    return code == _SHUTTING_DOWN or by_policy or bool(_TOO_FAST_WORDS.search(text))


def _by_status(text: str) -> Verdict | None:
    """Return the verdict of an enhanced status code (RFC 3463) at the text's beginning or inside it."""
    found = _ENHANCED.search(text)
    if found is None or found.group(1) == "2":
        return None
    _, subject, detail = found.groups()
    if subject == "1" and _POLICY_WORDS.search(text) and detail == "0":
        return _BY_SUBJECT["7"]
    return _BY_STATUS.get(f"{subject}.{detail}") or _BY_SUBJECT.get(subject)


def _by_code(stage: Stage, code: int, text: str) -> Verdict:
    """Return the verdict of a bare code, where needed with the server's words."""
    if code <= _LAST_TEMPORARY:
        return Verdict(_SOFT, "try again later")
    if _FULL_WORDS.search(text):
        return _BY_STATUS["2.2"]
    if _POLICY_WORDS.search(text):
        return _BY_SUBJECT["7"]
    if stage is Stage.RCPT:
        return _BY_RCPT_CODE.get(code, Verdict(_FAILED, "the server refused us"))
    if code == _OVER_QUOTA:
        return _BY_STATUS["3.4"]
    return Verdict(_FAILED, "the server refused the message")
