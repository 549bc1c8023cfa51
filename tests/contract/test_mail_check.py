"""`check` against servers with every kind of mistake: each is one clear sentence, and nothing is sent."""

import asyncio
import datetime as dt
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outrider.channels.email.check import check
from outrider.channels.email.dkim import KeyKind, load_key, new_key, record_value
from outrider.channels.email.findings import Finding, Level, works
from outrider.channels.email.settings import DkimSettings, SmtpSettings, Tls
from outrider.clock import RealClock
from outrider.demo.mail_sink import SinkSettings
from outrider.errors import ChannelError
from support.mail_sink import own_certificate, sink
from support.scripted_smtp import Answer, scripted_smtp


def settings(port: int, **changes: object) -> SmtpSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "domain": "out.test",
        "tls": Tls.NONE,
        "timeout": 0.5,
        **changes,
    }
    return SmtpSettings(**values)  # type: ignore[arg-type] # fields by name


def problem(findings: list[Finding]) -> str:
    """Return the one problem, which ends the check."""
    assert [finding.level for finding in findings].count(Level.PROBLEM) == 1, findings
    assert findings[-1].level is Level.PROBLEM
    assert not works(findings)
    message = findings[-1].message
    assert "\n" not in message
    return message


def against_sink(server_settings: SinkSettings, **changes: object) -> list[Finding]:
    async def run() -> list[Finding]:
        async with sink(server_settings) as server:
            found = await check(settings(server.port, **changes), "news@out.test", "ann@cust.test")
            assert not server.mails
            return found

    return asyncio.run(run())


def against_script(answers: Mapping[str, Answer], **changes: object) -> list[Finding]:
    async def run() -> list[Finding]:
        async with scripted_smtp(answers) as server:
            found = await check(settings(server.port, **changes), "news@out.test", "ann@cust.test")
            assert not server.contents
            return found

    return asyncio.run(run())


@pytest.mark.parametrize("tls", list(Tls))
def test_a_server_that_works(tls: Tls, tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)
    server = SinkSettings(
        tls=None if tls is Tls.NONE else context,
        implicit_tls=tls is Tls.IMPLICIT,
        username="out",
        password="pw-1",
    )
    found = against_sink(
        server, tls=tls, ca_file=str(certificate), username="out", password="pw-1", timeout=10.0
    )
    assert works(found)
    steps = [finding.step for finding in found if finding.level is Level.GOOD]
    expected = ["name", "connection", "tls", "sign-in", "sender", "recipient"]
    assert steps == [step for step in expected if step != "tls" or tls is not Tls.NONE]


def test_a_name_that_is_not_known() -> None:
    found = asyncio.run(check(settings(25, host="mail.invalid")))
    assert "no address is known for mail.invalid" in problem(found)


def test_a_closed_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = asyncio.run(check(settings(port)))
    assert f"nothing listens on 127.0.0.1 port {port}" in problem(found)


@pytest.mark.parametrize(
    ("answers", "changes", "words"),
    [
        (
            {"GREETING": "554 5.7.1 your address is blocked"},
            {},
            "refuses us at the beginning: 554 5.7.1 your",
        ),
        ({"GREETING": "SSH-2.0-OpenSSH"}, {}, "is not a mail server: it said 'SSH-2.0-OpenSSH'"),
        ({"GREETING": ""}, {}, "is not a mail server: it said nothing within 0.5 s"),
        ({}, {"tls": Tls.STARTTLS}, "offers no STARTTLS, so nothing is sent"),
        ({}, {"tls": Tls.IMPLICIT}, 'does not begin with TLS; set tls to "starttls"'),
        ({}, {"username": "out", "password": "pw"}, "takes no sign-in, but a user name is configured"),
        ({"MAIL": "550 5.1.8 not your domain"}, {}, "the sender news@out.test is refused"),
        ({"MAIL": "530 5.7.0 sign in"}, {}, "wants a sign-in: set username and password"),
        ({"RCPT": "554 5.7.1 Relay access denied"}, {}, "the recipient ann@cust.test is refused: refused by"),
        ({"RCPT": "550 5.1.1 nobody"}, {}, "no such mailbox (550 5.1.1 nobody)"),
        ({"RCPT": ""}, {}, "the connection broke: Timed out"),
    ],
)
def test_servers_that_refuse_or_are_something_else(
    answers: Mapping[str, Answer], changes: dict[str, object], words: str
) -> None:
    assert words in problem(against_script(answers, **changes))


def test_a_wrong_password() -> None:
    found = against_sink(
        SinkSettings(username="out", password="pw-1"), username="out", password="pw-wrong", timeout=10.0
    )
    message = problem(found)
    assert "refuses the user name 'out' or its password: 535" in message
    assert "pw-wrong" not in message


def test_a_server_that_begins_with_tls_but_is_spoken_to_in_clear(tmp_path: Path) -> None:
    context, _ = own_certificate(tmp_path)
    for tls in (Tls.NONE, Tls.STARTTLS):
        found = against_sink(SinkSettings(tls=context, implicit_tls=True), tls=tls)
        assert 'expects TLS from the first byte; set tls to "implicit"' in problem(found)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_certificates_that_are_not_trusted(tls: Tls, tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)
    server = SinkSettings(tls=context, implicit_tls=tls is Tls.IMPLICIT)
    found = against_sink(server, tls=tls, timeout=10.0)
    assert "the certificate is self-signed; name it in ca_file to trust it" in problem(found)
    found = against_sink(server, tls=tls, timeout=10.0, ca_file=str(certificate), host="localhost")
    assert "the certificate is not for localhost" in problem(found)


def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)
    key_file = tmp_path / "key.pem"
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    old = x509.load_pem_x509_certificate(certificate.read_bytes())
    now = RealClock().now()
    builder = x509.CertificateBuilder(
        issuer_name=old.issuer,
        subject_name=old.subject,
        public_key=old.public_key(),
        serial_number=old.serial_number,
        not_valid_before=now - dt.timedelta(days=9),
        not_valid_after=now - dt.timedelta(days=1),
        extensions=list(old.extensions),
    )
    expired = builder.sign(key, hashes.SHA256())
    certificate.write_bytes(expired.public_bytes(serialization.Encoding.PEM))
    context.load_cert_chain(certificate, key_file)
    found = against_sink(SinkSettings(tls=context), tls=Tls.STARTTLS, timeout=10.0, ca_file=str(certificate))
    assert "the certificate has expired" in problem(found)


def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    found = asyncio.run(check(settings(25, tls=Tls.STARTTLS, ca_file=str(tmp_path / "none.pem"))))
    assert "ca_file" in problem(found)


def test_what_works_but_could_be_better() -> None:
    found = against_script({"EHLO": "250-x\r\n250-STARTTLS\r\n250 SIZE 5000000"})
    warnings = [finding.message for finding in found if finding.level is Level.WARNING]
    assert works(found)
    assert "in clear, though it offers STARTTLS" in warnings[0]
    assert warnings[1].startswith("the server takes messages up to 5,000,000 bytes")


def test_dkim_records(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(new_key(KeyKind.RSA))
    ours = record_value(load_key(path))
    asked: list[str] = []

    async def run(record: str | None, sender: str = "news@out.test") -> list[Finding]:
        async def look_up(name: str) -> tuple[str, ...]:
            asked.append(name)
            if record is None:
                raise ChannelError("the DNS gave no answer")
            return ("v=spf1 -all", record) if record else ()

        async with scripted_smtp() as server:
            dkim = DkimSettings("out.test", "s1", str(path))
            found = await check(
                settings(server.port, dkim=dkim, largest_attachments=0), sender, None, look_up
            )
            return [finding for finding in found if finding.step == "dkim"]

    (good,) = asyncio.run(run(ours.replace("p=", "p= ")))
    assert good.level is Level.GOOD
    assert set(asked) == {"s1._domainkey.out.test"}
    assert "there is no TXT record s1._domainkey.out.test" in problem(asyncio.run(run("")))
    assert "holds another key" in problem(asyncio.run(run("v=DKIM1; k=rsa; p=AAAA")))
    (unanswered,) = asyncio.run(run(None))
    assert unanswered.level is Level.WARNING
    good, foreign = asyncio.run(run(ours, "news@other.test"))
    assert (foreign.level, "other.test" in foreign.message) == (Level.WARNING, True)
    assert len(asyncio.run(run(ours, "news@mail.out.test"))) == 1
    path.unlink()
    assert "cannot be read" in problem(asyncio.run(run(ours)))
