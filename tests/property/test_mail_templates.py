"""No value of a contact can break out of its place: not in HTML, not in headers, not in links or bodies."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from outrider.channels.email.classify import Stage, classify
from outrider.channels.email.encoding import quoted_printable, unstructured
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.email.template import Kind, header_value, parse_template
from outrider.channels.email.unsubscribe import Unsubscribe, make_token, verify_token
from outrider.channels.model import MailResult, OutboundMail
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId, JobId, OrganizationId

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
HTML = (
    '<p title="{v}">Hello {v}</p><a href="{v}">one</a><a href=\'https://x.test/?q={v}&r=1\'>two</a>'
    "<!--[if mso]><b>{v}</b><![endif]--><style>p { color: red }</style>"
)
SOURCE = MessageSource("News <news@out.test>", "About {v}!", "Dear {v},\n\nbye {v}", HTML)
COMPILED = compile_message(SOURCE)

nasty = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from(list("<>\"'&=/:;{}()\\`-!? \t\r\n\x00\x0b\x85\u2028."))
    ),
    max_size=60,
) | st.sampled_from(
    [
        "javascript:alert(1)",
        " java\nscript:alert(1)",
        '"><script>alert(1)</script>',
        "' onmouseover='alert(1)",
        "--><script>alert(1)</script><!--",
        "</style><script>alert(1)</script>",
        "a\r\nBcc: eve@evil.test\r\n\r\nbody",
        "\r\n.\r\nMAIL FROM:<eve@evil.test>",
        "--=_outrider_",
        "=?utf-8?b?Zm9v?=",
        "data:text/html,<script>1</script>",
    ]
)


class Skeleton(HTMLParser):
    """Collects everything but text: what values must not be able to change."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))
        for name, value in attrs:
            if name == "href":
                scheme, colon, _ = (value or "").partition(":")
                assert (
                    not colon
                    or "/" in scheme
                    or "?" in scheme
                    or "#" in scheme
                    or scheme.lower() in {"http", "https", "mailto", "tel", "sms"}
                )

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        inner = Skeleton()
        inner.feed(data)
        self.found.append(inner.found)


def skeleton(html: str) -> list[object]:
    parser = Skeleton()
    parser.feed(html)
    parser.close()
    return parser.found


@given(nasty)
def test_a_value_never_changes_the_structure_of_html(value: str) -> None:
    template = parse_template(HTML, Kind.HTML, "html")
    assert skeleton(template.fill({"v": value})) == skeleton(template.fill({"v": "x"}))


@given(nasty, nasty)
def test_a_message_says_what_it_should_and_nothing_else(value: str, missing: str) -> None:
    mail = OutboundMail(
        AttemptId("m1"), "ann@cust.test", SOURCE.sender, SOURCE.subject, SOURCE.text, attributes={"v": value}
    )
    content = build_message(COMPILED, mail, domain="out.test", at=AT, missing=missing)
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert list(message.keys()) == [
        "From",
        "Auto-Submitted",
        "MIME-Version",
        "To",
        "Subject",
        "Message-ID",
        "Date",
        "Content-Type",
    ]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    values = {"v": value}
    expected = parse_template(SOURCE.text, Kind.TEXT, "text").fill(values, missing)
    assert text == expected.replace("\r\n", "\n").replace("\r", "\n")
    expected = parse_template(HTML, Kind.HTML, "html").fill(values, missing)
    assert html == expected.replace("\r\n", "\n").replace("\r", "\n")


@given(nasty)
def test_a_header_is_one_field_and_says_the_text(value: str) -> None:
    line = header_value(value).strip()
    field = unstructured("Subject", line)
    assert field.endswith(b"\r\n")
    message = email.message_from_bytes(field + b"\r\n", policy=email.policy.default)
    assert list(message.keys()) == ["Subject"]
    assert not any(control in str(message["Subject"]) for control in "\r\n\x00")
    if line.isascii() and len(line) < 60:
        assert message["Subject"] == line


@given(nasty)
def test_quoted_printable_lines_are_short_and_mean_the_text(value: str) -> None:
    encoded = quoted_printable(value)
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    header = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    message = email.message_from_bytes(header + encoded, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    decoded = message.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    expected = value.replace("\r\n", "\n").replace("\r", "\n")
    assert decoded.decode().replace("\r\n", "\n") == expected


@given(st.text(max_size=80), st.sampled_from(list(Kind)))
def test_any_template_is_parsed_or_refused_with_its_place(text: str, kind: Kind) -> None:
    try:
        template = parse_template(text, kind, "there")
    except InvalidInputError as error:
        refusal = error.message
    else:
        assert isinstance(template.fill({}), str)
        return
    assert refusal.startswith("there, line ")


@given(st.sampled_from(list(Stage)), st.integers(200, 599), st.text(max_size=60))
def test_every_answer_has_a_verdict(stage: Stage, code: int, text: str) -> None:
    verdict = classify(stage, code, text)
    assert verdict.reason
    assert (verdict.result is MailResult.ACCEPTED) == (code < 400)
    if 400 <= code < 500:
        assert verdict.result is not MailResult.HARD_BOUNCE
    if stage in {Stage.CONNECT, Stage.AUTH, Stage.MAIL} and code >= 400:
        assert verdict.result is MailResult.FAILED


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.text(max_size=60), st.data())
def test_an_unsubscribe_token_holds_for_what_it_was_made_for_only(
    organization: int, job: int, address: str, data: st.DataObject
) -> None:
    wish = Unsubscribe(OrganizationId(organization), JobId(job), address)
    token = make_token(wish, b"s" * 32)
    assert verify_token(token, b"s" * 32) == wish
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_.~ü"))
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        try:
            verify_token(changed, b"s" * 32)
        except InvalidInputError:
            return
        raise AssertionError("a changed token was accepted")
