"""Messages as bytes: headers of every kind of name, bodies of every kind of text, addresses that are none."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage

import pytest

from outrider.channels.email.encoding import mail_address, mailbox
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.model import OutboundMail
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def built(source: MessageSource, address: str = "ann@cust.test", **attributes: str) -> EmailMessage:
    mail = OutboundMail(
        AttemptId("m1"), address, source.sender, source.subject, source.text, attributes=attributes
    )
    content = build_message(compile_message(source), mail, domain="out.test", at=AT)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def test_a_text_alone_is_a_simple_message() -> None:
    message = built(MessageSource("news@out.test", "Hi", "Dear {n},\n\n  bye \n"), n="Ann")
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == "Dear Ann,\n\n  bye \n"
    assert message["List-Unsubscribe"] is None
    assert message["Reply-To"] is None


def test_long_and_foreign_headers_are_encoded_and_folded() -> None:
    subject = "Ihre Rechnung für März — " * 8
    source = MessageSource(
        '"Müller, Söhne" <news@müller.test>', subject, "x", reply_to="O'Neil, A. <r@out.test>"
    )
    with pytest.raises(InvalidInputError, match="reply_to"):
        compile_message(source)
    source = MessageSource(
        '"Müller, Söhne" <news@müller.test>', subject, "x", reply_to='"O, A." <r@out.test>'
    )
    message = built(source)
    assert message["Subject"] == subject.strip()
    assert message["From"].addresses[0].display_name == "Müller, Söhne"
    assert message["From"].addresses[0].addr_spec == "news@xn--mller-kva.test"
    assert message["Reply-To"].addresses[0].display_name == "O, A."


def test_a_long_plain_subject_is_folded_at_spaces() -> None:
    subject = "word " * 60 + "end"
    assert built(MessageSource("news@out.test", subject, "x"))["Subject"] == subject


def test_a_subject_that_looks_encoded_is_not_decoded() -> None:
    assert built(MessageSource("news@out.test", "=?utf-8?q?a?=", "x"))["Subject"] == "=?utf-8?q?a?="


def test_the_unsubscribe_link_may_be_shown_in_the_text() -> None:
    source = MessageSource("news@out.test", "Hi", "out: {unsubscribe_url}")
    mail = OutboundMail(
        AttemptId("m1"),
        "ann@cust.test",
        source.sender,
        source.subject,
        source.text,
        unsubscribe_url="https://out.test/u/a b>\r\nX: y",
    )
    content = build_message(compile_message(source), mail, domain="out.test", at=AT)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["List-Unsubscribe"] == "<https://out.test/u/a%20b%3E%0D%0AX:%20y>"
    assert message["X"] is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@cust.test",
        "ann@",
        "a b@cust.test",
        "ann@cust test",
        "ann@cust.test\r\nX: y",
        "ann@cust.test>",
        "<ann@cust.test>",
        "ann@@cust.test",
        "a..b@cust.test",
        ".a@cust.test",
        "ann@cust..test",
        "änn@cust.test",
        "a" * 65 + "@cust.test",
        "ann@" + "a" * 64 + ".test",
        "ann@ü" + "ü" * 70 + ".test",
        "ann\x00@cust.test",
    ],
)
def test_addresses_that_no_mail_can_reach(address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        mail_address(address, "address")
    assert caught.value.facts["where"] == "address"


def test_addresses_that_mail_can_reach() -> None:
    assert mail_address(" ann.o'neil+tag@Cust.test ", "address") == "ann.o'neil+tag@Cust.test"
    assert mail_address("ann@bücher.test", "address") == "ann@xn--bcher-kva.test"


@pytest.mark.parametrize("sender", ["", "Ann", "Ann <>", "Ann <ann>", "Ann <a@b.test>\r\nX: y <c@d.test>"])
def test_senders_that_are_none(sender: str) -> None:
    with pytest.raises(InvalidInputError, match="sender"):
        mailbox(sender, "sender")


def test_an_id_that_no_header_can_hold() -> None:
    source = MessageSource("news@out.test", "Hi", "x")
    mail = OutboundMail(AttemptId("a>\r\nX: y"), "ann@cust.test", source.sender, source.subject, source.text)
    with pytest.raises(InvalidInputError, match="Message-ID"):
        build_message(compile_message(source), mail, domain="out.test", at=AT)
