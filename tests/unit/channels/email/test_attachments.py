"""Attachments: names that lead nowhere else, sizes, kinds, and how they arrive."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from outrider.channels.email.attachments import check_attachments, check_name
from outrider.channels.email.compiled import CompiledMessages
from outrider.channels.email.files import AttachmentFiles
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.model import Attachment, OutboundMail
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
PDF = Attachment("Rechnung März 100%.pdf", "application/pdf", bytes(range(256)) * 5)
TEXT = Attachment("terms (v2).txt", "text/plain", b"line one\r\n.\r\n% end")


def built(html: str | None, *attachments: Attachment) -> EmailMessage:
    source = MessageSource("news@out.test", "Hi", "Dear {n}, 50 % off", html, attachments=attachments)
    mail = OutboundMail(
        AttemptId("m1"), "ann@cust.test", source.sender, "Hi", source.text, attributes={"n": "Ann"}
    )
    content = build_message(compile_message(source), mail, domain="out.test", at=AT)
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


@pytest.mark.parametrize("html", [None, "<p>Dear {n}, 50 % off</p>"])
def test_attachments_arrive_behind_the_text(html: str | None) -> None:
    message = built(html, PDF, TEXT)
    assert message.get_content_type() == "multipart/mixed"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().rstrip("\r\n") == "Dear Ann, 50 % off"
    if html is not None:
        body = message.get_body(("html",))
        assert body is not None
        assert "50 % off</p>" in body.get_content()
    found = list(message.iter_attachments())
    assert [part.get_filename() for part in found] == [PDF.name, TEXT.name]
    assert [part.get_content_type() for part in found] == [PDF.media_type, TEXT.media_type]
    assert [part.get_payload(decode=True) for part in found] == [PDF.content, TEXT.content]


def test_an_empty_file_arrives_empty() -> None:
    (part,) = built(None, Attachment("empty.bin", "application/octet-stream", b"")).iter_attachments()
    assert part.get_payload(decode=True) == b""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b.pdf",
        "..\\b.pdf",
        "..",
        ".hidden",
        "a\x00.pdf",
        "a\r\nX: y.pdf",
        "invoice\u202efdp.exe",
        'a"b.pdf',
        "CON.txt",
        "lpt1",
        "a.pdf ",
        "x" * 256,
    ],
)
def test_names_that_are_not_safe_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="attachments"):
        check_name(name)


@pytest.mark.parametrize(
    "kind", ["", "pdf", "text/", "text/plain; charset=x", "a/b\r\nX: y", "message/rfc822", "Multipart/mixed"]
)
def test_kinds_that_are_no_file_are_refused(kind: str) -> None:
    with pytest.raises(InvalidInputError, match="media type"):
        check_attachments([Attachment("a.bin", kind, b"")])


def test_too_much_and_twice_the_same_name_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="1,280 bytes together, more than 1,279"):
        check_attachments([PDF], 1279)
    check_attachments([PDF], 1280)
    with pytest.raises(InvalidInputError, match="two files"):
        check_attachments([Attachment("A.txt", "text/plain", b""), Attachment("a.TXT", "text/plain", b"")])


def test_files_are_loaded_once_and_again_when_changed(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path, largest=100)
    (tmp_path / "terms.pdf").write_bytes(b"one")
    (first,) = files.load(["terms.pdf"])
    assert (first.media_type, first.content) == ("application/pdf", b"one")
    (again,) = files.load(["terms.pdf"])
    assert again is first
    (tmp_path / "terms.pdf").write_bytes(b"three")
    (changed,) = files.load(["terms.pdf"])
    assert changed.content == b"three"
    (tmp_path / "data.tar.gz").write_bytes(b"x")
    assert files.load(["data.tar.gz"])[0].media_type == "application/octet-stream"
    with pytest.raises(InvalidInputError, match=r"missing.pdf cannot be read"):
        files.load(["missing.pdf"])
    with pytest.raises(InvalidInputError, match="not a plain file name"):
        files.load(["../secret"])
    (tmp_path / "big.bin").write_bytes(b"x" * 101)
    with pytest.raises(InvalidInputError, match=r"big.bin has 101 bytes"):
        files.load(["big.bin"])


def test_compiled_templates_are_kept_within_a_budget_of_bytes() -> None:
    kept = CompiledMessages(10_000, most_bytes=5_000)
    small = MessageSource("news@out.test", "Hi", "x")
    assert kept.get(small) is kept.get(small)
    before = kept.get(small)
    big = MessageSource(
        "news@out.test", "Hi", "x", attachments=(Attachment("a.bin", "application/x", b"x" * 9_000),)
    )
    assert kept.get(big) is kept.get(big)
    assert kept.get(small) is not before
