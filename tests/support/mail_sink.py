"""The demo's mail sink for tests: opened in the test's own loop, with channels to it, plain or with TLS."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import OutboundMail
from outrider.clock import RealClock, VirtualClock
from outrider.demo.mail_sink import MailSink, SinkSettings
from outrider.ids import AttemptId

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def a_mail(address: str, message_id: str = "m1", **attributes: str) -> OutboundMail:
    """Return a message to an address; the sink answers by the address's name."""
    return OutboundMail(
        message_id=AttemptId(message_id),
        address=address,
        sender="Water Company <news@out.test>",
        subject="Your bill, {name|customer}",
        text="Hello {name},\n\nyour bill is due.\n.\n..dots\n",
        html="<p>Hello {name}</p>",
        unsubscribe_url="https://out.test/u/token",
        attributes=attributes,
    )


@asynccontextmanager
async def sink(settings: SinkSettings | None = None) -> AsyncIterator[MailSink]:
    """Give a running mail sink."""
    server = MailSink(settings or SinkSettings())
    await server.start()
    try:
        yield server
    finally:
        server.released.set()
        await server.stop()


def settings_for(server: MailSink) -> SmtpSettings:
    """Return settings that reach a sink in clear."""
    return SmtpSettings(host="127.0.0.1", port=server.port, domain="out.test", tls=Tls.NONE, timeout=10.0)


@asynccontextmanager
async def channel_to(server: MailSink, **changes: object) -> AsyncIterator[SmtpChannel]:
    """Give an open channel to a sink; `changes` are fields of SmtpSettings."""
    settings = replace(settings_for(server), **changes)  # type: ignore[arg-type] # fields by name
    channel = SmtpChannel(settings, VirtualClock(NOON))
    await channel.open()
    try:
        yield channel
    finally:
        await channel.close()


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1; return the server's context and the file that clients trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail sink of the tests")])
    now = RealClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file
