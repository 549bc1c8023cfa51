"""Servers that are no Asterisk, or not reachable as configured: one clear sentence each, by `check`."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outrider.channels.asterisk.check import check
from outrider.channels.asterisk.findings import Level
from outrider.channels.asterisk.settings import AsteriskSettings

INFO = b'{"system":{"version":"22.10.1"},"status":{"startup_time":"2026-11-23T04:37:42.067+0000"}}'

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(status: str, body: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answering(*answers: bytes) -> Handler:
    """Return a server that gives each request of its life the next answer, the last one again and again."""
    left = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(left.pop(0) if len(left) > 1 else left[0])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def found(handler: Handler, scheme: str = "http", tls: ssl.SSLContext | None = None) -> tuple[str, str]:
    """Return name and sentence of what `check` finds wrong with a server."""

    async def run() -> tuple[str, str]:
        server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        settings = AsteriskSettings("pbx", f"{scheme}://127.0.0.1:{port}", "user", "secret", timeout=0.5)
        async with asyncio.timeout(20):
            (finding,) = await check(settings)
        server.close()
        assert finding.level is Level.ERROR
        assert "secret" not in finding.message
        assert "\n" not in finding.message
        return finding.what, finding.message

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answers", "what", "message"),
    [
        ([http("401 Unauthorized")], "credentials", "user 'user' or its password is wrong"),
        ([http("404 Not Found")], "ari", "set enabled=yes in ari.conf"),
        ([http("503 Service Unavailable")], "busy", "raise sessionlimit"),
        ([http("200 OK", b"<html>hello</html>")], "answer", "does not answer like ARI"),
        ([http("200 OK", b'{"system":{}}')], "answer", "does not answer like ARI"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "protocol", "does not answer in plain HTTP"),
        ([http("200 OK", INFO.replace(b"22.10.1", b"16.28.0"))], "version", "version 20 or later is needed"),
        ([http("200 OK", INFO), http("401 Unauthorized")], "credentials", "password is wrong"),
        (
            [http("200 OK", INFO), http("200 OK", b"{}")],
            "websocket",
            "would not open a websocket (status 200)",
        ),
    ],
)
def test_what_is_no_asterisk_of_ours(answers: list[bytes], what: str, message: str) -> None:
    name, sentence = found(answering(*answers))
    assert name == what
    assert message in sentence
    assert sentence.startswith("Asterisk 'pbx'")


def test_a_server_that_says_nothing() -> None:
    name, sentence = found(silent)
    assert name == "timeout"
    assert "did not answer within 0.5 s" in sentence


def test_https_to_a_plain_port_and_http_to_a_tls_port_and_a_strange_certificate(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))
    assert found(answering(http("400 Bad Request")), "https")[0] == "tls"
    name, sentence = found(silent, "http", tls)
    assert name == "protocol"
    assert "use https://" in sentence
    name, sentence = found(silent, "https", tls)
    assert name == "certificate"
    assert "is not trusted" in sentence


def self_signed(folder: Path) -> Path:
    """Write a certificate that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, plain)
    )
    return path
