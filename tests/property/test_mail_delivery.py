"""Messages equal those of the standard library; rates hold for any arrivals; no report breaks the reader."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from email.utils import format_datetime

from hypothesis import example, given
from hypothesis import strategies as st

from outrider.channels.email.dsn import Incoming, MailKind, read_mail
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.email.rates import CATCH_UP, DomainRates, RateSettings
from outrider.channels.email.template import Kind, header_value, parse_template
from outrider.channels.model import Attachment, OutboundMail
from outrider.ids import AttemptId
from support.reports import ALL, VERP, octets

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
TEXT = "Dear {first name|customer},\n\n.\n100 % {n}{n} = {{m}}\n\nbye\u2028 {n}"
HTML = '<p title="{n}">Hällo {n} 50 %</p>\n<a href="https://x.test/?q={m}">{first name}</a>'

values = st.dictionaries(
    st.sampled_from(["first name", "n", "m"]),
    st.text(st.characters(codec="utf-8"), max_size=90)
    | st.text(st.sampled_from("ab =.%\r\n\té€"), max_size=200)
    | st.text(st.sampled_from("ab c.,-"), min_size=60, max_size=90),
)
files = st.lists(
    st.builds(
        Attachment,
        st.from_regex(r"[A-Za-zäöü0-9%' ()+-]{1,30}\.pdf", fullmatch=True).filter(
            lambda name: name[0] != " "
        ),
        st.sampled_from(["application/pdf", "text/plain"]),
        st.binary(max_size=300),
    ),
    max_size=2,
    unique_by=lambda file: file.name.casefold(),
)


def straightforward(source: MessageSource, mail: OutboundMail) -> EmailMessage:
    """Return the message as the standard library makes it from filled templates."""
    subject = parse_template(source.subject, Kind.HEADER, "subject").fill(mail.attributes)
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = source.sender, mail.address
    message["Subject"] = header_value(subject).strip()
    message["Message-ID"], message["Date"] = f"<{mail.message_id}@out.test>", format_datetime(AT)
    message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(parse_template(source.text, Kind.TEXT, "text").fill(mail.attributes))
    if source.html is not None:
        html = parse_template(source.html, Kind.HTML, "html").fill(mail.attributes)
        message.add_alternative(html, subtype="html")
    for file in source.attachments:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return message


def headers(message: EmailMessage) -> dict[str, str]:
    """Return the headers, decoded, but for those of MIME."""
    return {name: str(value) for name, value in message.items() if not name.startswith(("Content-", "MIME-"))}


def parts(message: EmailMessage) -> list[object]:
    """Return what a reader sees: kinds, names and decoded contents."""
    seen: list[object] = []
    for part in message.walk():
        content: object = None
        if not part.is_multipart():
            raw = part.get_payload(decode=True)
            assert isinstance(raw, bytes)
            content = raw
            if part.get_content_disposition() is None:
                # Line ends become CRLF on the way, and a last line end may be added.
                lines = raw.decode().replace("\r\n", "\n").replace("\r", "\n")
                content = lines.rstrip("\n")
        seen.append((part.get_content_type(), part.get_filename(), content))
    return seen


@given(values, st.sampled_from([None, HTML]), files)
@example({"n": "x" * 75, "m": " "}, HTML, [])
@example({"n": ".", "m": "=", "first name": "From me"}, None, [])
def test_a_compiled_message_means_what_the_standard_library_would_send(
    attributes: dict[str, str], html: str | None, attached: list[Attachment]
) -> None:
    source = MessageSource(
        "Water Company <news@out.test>", "Bill {n} für {m}", TEXT, html, None, tuple(attached)
    )
    mail = OutboundMail(
        AttemptId("m1"),
        "ann@cust.test",
        source.sender,
        source.subject,
        source.text,
        unsubscribe_url="https://out.test/u/token",
        attributes=attributes,
    )
    content = build_message(compile_message(source), mail, domain="out.test", at=AT)
    ours = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(ours, EmailMessage)
    assert ours.defects == []
    made = straightforward(source, mail)
    theirs = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert isinstance(theirs, EmailMessage)
    # Not the headers that it wrote: folding a long Subject, it adds spaces.
    assert headers(ours) == headers(made)
    assert parts(ours) == parts(theirs)


@given(
    st.floats(0.05, 500), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 5)), min_size=1, max_size=60)
)
def test_no_window_holds_more_than_the_rate_allows(rate: float, arrivals: list[tuple[str, float]]) -> None:
    rates = DomainRates(RateSettings(default=rate, domains={"b": 1.0}))
    free = dict.fromkeys("ab", 0.0)
    gone: dict[str, list[float]] = {"a": [], "b": []}
    now = 1000.0
    for domain, pause in arrivals:
        now += pause
        at = max(now, free[domain])
        at += rates.wait(domain, at)
        assert rates.wait(domain, at) <= 1e-6
        rates.take(domain, at)
        free[domain] = at
        gone[domain].append(at)
    for domain, limit in (("a", rate), ("b", 1.0)):
        burst = max(1.0, CATCH_UP * limit)
        for first in range(len(gone[domain])):
            for last in range(first, len(gone[domain])):
                window = gone[domain][last] - gone[domain][first]
                assert last - first + 1 <= window * limit + burst + 1e-3
    alone = DomainRates(RateSettings(default=1.0))
    assert alone.wait("a", now) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 40)), max_size=40))
def test_a_slowed_domain_is_always_sent_to_again(events: list[tuple[bool, float]]) -> None:
    rates = DomainRates(RateSettings())
    now = 0.0
    for refused, pause in events:
        now += pause
        if refused:
            assert 0 < rates.slow_down("a", now) <= 320.001
        wait = rates.wait("a", now)
        assert 0 <= wait <= 320.001
        now += wait
        assert rates.wait("a", now) <= 1e-6
        rates.take("a", now)
    assert rates.wait("a", now + 1000) == 0
    assert rates.wait("b", now) == 0


@given(st.sampled_from(ALL), st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=6)), max_size=12))
def test_no_mail_breaks_the_reader_of_reports(text: str, changes: list[tuple[int, bytes]]) -> None:
    content = octets(text)
    for place, put in changes:
        content = content[:place] + put + content[place + len(put) // 2 :]
    check_read(read_mail(content, VERP, ""))
    check_read(read_mail(content[: len(content) // 2], "bounces@b.test", None))


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [b"", b"Content-Type: message/delivery-status\r\n", b"Content-Type: multipart/report; boundary=a\r\n"]
    ),
    st.sampled_from(
        [b"", b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n"]
    ),
)
def test_no_garbage_breaks_the_reader_of_reports(body: bytes, kind: bytes, encoding: bytes) -> None:
    check_read(read_mail(kind + encoding + b"\r\n" + body, VERP, ""))
    check_read(read_mail(body, body.decode("latin-1"), None))


def check_read(found: Incoming) -> None:
    told = found.kind in {MailKind.FAILED, MailKind.DELAYED, MailKind.DELIVERED, MailKind.COMPLAINT}
    assert (found.report is not None) == told
    if found.report is not None:
        assert found.report.permanent <= (found.kind is MailKind.FAILED)
        assert all(
            text.isprintable() or "\n" not in text
            for text in (found.report.recipient, found.report.diagnostic)
        )
