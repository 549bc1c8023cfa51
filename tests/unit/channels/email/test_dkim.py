"""DKIM: signatures that dkimpy verifies, changes that it notices, keys that cannot be used."""

import datetime as dt
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from outrider.channels.email.dkim import (
    SIGNED_HEADERS,
    DkimSigner,
    KeyKind,
    PrivateKey,
    dns_record,
    load_key,
    new_key,
    record_value,
)
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.email.settings import DkimSettings
from outrider.channels.model import Attachment, OutboundMail
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
SOURCE = MessageSource(
    '"Müller, Söhne" <news@out.test>',
    "Rechnung für {n} " + "und noch mehr Worte " * 6,
    "Dear {n},\n\n.\n\n  trailing   \n\n\n",
    "<p>{n}</p>",
    "reply@out.test",
    (Attachment("a.bin", "application/octet-stream", bytes(range(256))),),
)


def content() -> bytes:
    mail = OutboundMail(
        AttemptId("m1"),
        "ann@cust.test",
        SOURCE.sender,
        SOURCE.subject,
        SOURCE.text,
        unsubscribe_url="https://out.test/u/token",
        attributes={"n": "Zoë"},
    )
    return build_message(compile_message(SOURCE), mail, domain="out.test", at=AT)


@pytest.fixture(scope="module", params=list(KeyKind))
def key(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    path = tmp_path_factory.mktemp("keys") / "dkim.pem"
    path.write_bytes(new_key(request.param))
    return load_key(path)


def verifies(message: bytes, key: PrivateKey) -> bool:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: float = 5) -> bytes:
        assert timeout > 0
        asked.append(name)
        return record_value(key).encode()

    result = dkim.verify(message, dnsfunc=dns)
    assert asked == [b"s1._domainkey.out.test."]
    return bool(result)


def test_a_signature_is_verified_and_covers_every_header(key: PrivateKey) -> None:
    signed = DkimSigner("out.test", "s1", key).sign(content(), AT)
    assert signed.endswith(content())
    assert verifies(signed, key)
    header = b"".join(signed[: -len(content())].split())
    listed = header.partition(b";h=")[2].partition(b";")[0].decode().split(":")
    for name in SIGNED_HEADERS:
        assert listed.count(name) == 2, name
    assert b"t=1772452800;" in header
    assert all(len(line) <= 78 for line in signed.split(b"\r\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/u/token>", b"/u/other>"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        (b"To: ann@", b"To: eve@"),
        (b"reply@out.test", b"eve@evil.test"),
        (b"Dear=20", b"Dead=20"),
        (b"multipart/mixed", b"multipart/related"),
    ],
)
def test_a_changed_message_fails(key: PrivateKey, old: bytes, new: bytes) -> None:
    signed = DkimSigner("out.test", "s1", key).sign(content(), AT)
    assert signed.count(old) == 1
    assert not verifies(signed.replace(old, new), key)


@pytest.mark.parametrize("name", SIGNED_HEADERS)
def test_a_second_header_fails(key: PrivateKey, name: str) -> None:
    signed = DkimSigner("out.test", "s1", key).sign(content(), AT)
    assert not verifies(f"{name}: added\r\n".encode() + signed, key)


def test_refolded_headers_and_white_space_at_line_ends_are_still_verified(key: PrivateKey) -> None:
    signed = DkimSigner("out.test", "s1", key).sign(content(), AT)
    assert verifies(signed.replace(b"To: ann@", b"To:\r\n  ann@").replace(b"--\r\n", b"--  \r\n"), key)


def test_the_record_of_an_rsa_key_is_in_strings_that_dns_can_hold(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(new_key(KeyKind.RSA))
    key = load_key(tmp_path / "k")
    record = dns_record("out.test", "s1", key)
    assert record.startswith('s1._domainkey.out.test. IN TXT ( "v=DKIM1; k=rsa; p=')
    strings = record.partition("( ")[2].removesuffix(" )").split('" "')
    strings = [string.strip('"') for string in strings]
    assert all(len(string) <= 255 for string in strings)
    assert "".join(strings) == record_value(key)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        protection = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def test_keys_that_cannot_be_used_are_refused_with_the_reason(tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    public = curve.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for content_of_file, words in (
        (None, "cannot be read: No such file"),
        (b"", "is not a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it is damaged"),
        (public, "it holds a public key"),
        (_pem(curve), "neither an RSA nor an Ed25519 key"),
        (_pem(curve, b"secret"), "protected by a passphrase"),
    ):
        path = tmp_path / "key.pem"
        path.unlink(missing_ok=True)
        if content_of_file is not None:
            path.write_bytes(content_of_file)
        with pytest.raises(InvalidInputError, match=words) as caught:
            load_key(path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("domain", "selector", "file", "field"),
    [("", "s1", "k", "domain"), ("out.test", "s 1", "k", "selector"), ("out.test", "s1", "", "key_file")],
)
def test_settings_that_cannot_work_are_refused(domain: str, selector: str, file: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        DkimSettings(domain, selector, file)
    assert caught.value.facts["where"] == f"smtp.dkim.{field}"
