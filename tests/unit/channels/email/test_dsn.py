"""Reports of real servers: what became of the message, whose it was, and what is no report at all."""

import base64

import pytest

from outrider.channels.email.dsn import Incoming, MailKind, read_mail
from support.reports import (
    COMPLAINT,
    EXCHANGE_POLICY,
    EXPIRED,
    GMAIL,
    HUMAN,
    ID,
    POSTFIX_DELAYED,
    POSTFIX_FAILED,
    POSTFIX_FULL,
    QMAIL,
    VACATION,
    VERP,
    octets,
)


def read(text: str, recipient: str = VERP, sender: str = "") -> Incoming:
    return read_mail(octets(text), recipient, sender)


@pytest.mark.parametrize(
    ("text", "address", "status", "permanent", "words"),
    [
        (POSTFIX_FAILED, "bad1@cust.test", "5.1.1", True, "User unknown"),
        (POSTFIX_FULL, "bad1@cust.test", "5.2.2", False, "Mailbox full"),
        (EXPIRED, "bad1@cust.test", "4.4.1", False, "Connection timed out"),
        (GMAIL, "nobody@gmail.com", "5.1.1", True, "does not exist"),
        (EXCHANGE_POLICY, "ann@corp.test", "5.7.1", False, "NotAuthorized"),
        (QMAIL, "gone@old.test", "5.1.1", True, "unknown user"),
    ],
)
def test_bounces(text: str, address: str, status: str, permanent: bool, words: str) -> None:  # noqa: FBT001 - a table's column
    found = read(text)
    assert found.kind is MailKind.FAILED
    assert found.report is not None
    assert found.report.message_id == ID
    assert (found.report.recipient, found.report.status) == (address, status)
    assert found.report.permanent is permanent
    assert words in found.report.diagnostic
    assert "\n" not in found.report.diagnostic


def test_a_delayed_message_is_no_bounce() -> None:
    found = read(POSTFIX_DELAYED)
    assert found.kind is MailKind.DELAYED
    assert found.report is not None
    assert not found.report.permanent


@pytest.mark.parametrize("text", [POSTFIX_FAILED, GMAIL, QMAIL, COMPLAINT])
@pytest.mark.parametrize("recipient", ["bounces@bounce.out.test", "complaints@bounce.out.test"])
def test_without_a_verp_recipient_the_returned_headers_name_the_message(text: str, recipient: str) -> None:
    if text is COMPLAINT:
        text = text.replace("Original-Mail-From", "X-Removed")
    report = read(text, recipient).report
    assert report is not None
    assert report.message_id == ID


def test_the_verp_recipient_is_believed_before_the_headers() -> None:
    report = read(POSTFIX_FAILED, "bounces+other@bounce.out.test").report
    assert report is not None
    assert report.message_id == "other"


@pytest.mark.parametrize("header", ["X-Autoreply: yes", "X-Autorespond: x", "Precedence: auto_reply"])
def test_auto_replies_are_no_bounces(header: str) -> None:
    assert read(VACATION) == Incoming(MailKind.AUTO_REPLY)
    assert read(VACATION, sender="ann@cust.test") == Incoming(MailKind.AUTO_REPLY)
    other = VACATION.replace("Auto-Submitted: auto-replied (vacation)", header)
    assert read(other) == Incoming(MailKind.AUTO_REPLY)


def test_what_people_write_is_no_bounce() -> None:
    assert read(HUMAN, sender="ann@cust.test") == Incoming(MailKind.OTHER)


def test_a_complaint_names_the_message_and_the_kind() -> None:
    found = read(COMPLAINT, "complaints@bounce.out.test", "feedback@provider.test")
    assert found.kind is MailKind.COMPLAINT
    assert found.report is not None
    assert (found.report.message_id, found.report.recipient) == (ID, "ann@provider.test")
    assert found.report.diagnostic == "abuse, reported by SomeGenerator/1.0"


def test_of_several_recipients_the_gravest_fate_counts() -> None:
    several = POSTFIX_DELAYED.replace(
        "Final-Recipient: rfc822; bad1",
        "Final-Recipient: rfc822; ok@cust.test\nAction: relayed\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822; gone@cust.test\nAction: failed\nStatus: 5.1.1\n\n"
        "Final-Recipient: rfc822; bad1",
    )
    found = read(several)
    assert found.kind is MailKind.FAILED
    assert found.report is not None
    assert (found.report.recipient, found.report.permanent) == ("gone@cust.test", True)
    delivered = POSTFIX_FAILED.replace("Action: failed", "Action: delivered").replace(
        ": 5.1.1\n", ": 2.0.0\n"
    )
    assert read(delivered).kind is MailKind.DELIVERED


def test_a_report_in_base64_is_read() -> None:
    head, _, rest = POSTFIX_FAILED.partition("Content-Type: message/delivery-status\n\n")
    status, boundary, tail = rest.partition("\n--4F1C2.1772452805/mta.test\nContent-Description: Und")
    encoded = base64.encodebytes(octets(status)).decode()
    kind = "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
    report = read(head + kind + encoded + boundary + tail).report
    assert report is not None
    assert (report.recipient, report.status, report.permanent) == ("bad1@cust.test", "5.1.1", True)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\x00\xff", b"Content-Type: multipart/report\r\n\r\n--"])
def test_garbage_is_other(content: bytes) -> None:
    assert read_mail(content, VERP, "") == Incoming(MailKind.OTHER)
