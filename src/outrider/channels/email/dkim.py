"""DKIM signatures (RFC 6376, RFC 8463) with RSA or Ed25519 keys, and the keys' DNS records.

`smtp` signs with it, `outrider mail dkim-key` makes keys. dkimpy canonicalises and composes the header;
its own RSA is pure Python and slow, so the key operation is done by `cryptography` (decisions/0006).
"""

import base64
import datetime as dt
import enum
import hashlib
from dataclasses import dataclass
from pathlib import Path

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import CanonicalizationPolicy

from outrider.channels.email.settings import DkimSettings
from outrider.errors import InvalidInputError

SIGNED_HEADERS = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "reply-to",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
"""What the signature covers. RFC 8058 4 wants both list headers in it."""

_KEY_BITS = 2048
_LEAST_BITS = 1024
_STRING_OCTETS = 255

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class KeyKind(enum.StrEnum):
    """The kinds of keys that receivers verify: all know RSA, not all Ed25519."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class _Signed:
    """What dkimpy expects of a key that signs by itself."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class _SigningKey:
    """A key of `cryptography` in the shape that dkimpy asks for a signature of a SHA-256 digest."""

    key: PrivateKey

    def sign(self, digest: bytes) -> _Signed:
        if isinstance(self.key, RSAPrivateKey):
            return _Signed(self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256())))
        return _Signed(self.key.sign(digest))


class DkimSigner:
    """Signs messages for one domain with one key."""

    def __init__(self, domain: str, selector: str, key: PrivateKey) -> None:
        self._domain = domain.encode()
        self._selector = selector.encode()
        self._key = _SigningKey(key)
        self._algorithm = b"rsa-sha256" if isinstance(key, RSAPrivateKey) else b"ed25519-sha256"
        self._policy = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")

    def sign(self, content: bytes, at: dt.datetime) -> bytes:
        """Return a message (CRLF line ends, not dot-stuffed) with a DKIM-Signature in front.

        Each signed header is listed once more than it occurs, so that none can be added on the way.
        """
        # This algorithm's name makes dkimpy ask the key for the signature; `a=` names the true one.
        message = dkim.DKIM(content, signature_algorithm=b"ed25519-sha256")
        message.hasher = hashlib.sha256
        present = [name.lower() for name, _ in message.headers]
        names = [
            name
            for name in (header.encode() for header in SIGNED_HEADERS)
            for _ in range(present.count(name) + 1)
        ]
        body = base64.b64encode(hashlib.sha256(self._policy.canonicalize_body(message.body)).digest())
        fields = [
            (b"v", b"1"),
            (b"a", self._algorithm),
            (b"c", b"relaxed/relaxed"),
            (b"d", self._domain),
            (b"s", self._selector),
            (b"t", b"%d" % at.timestamp()),
            (b"h", b" : ".join(names)),
            (b"bh", body),
            (b"b", b"0" * 60),
        ]
        value: bytes = message.gen_header(fields, tuple(names), self._policy, b"DKIM-Signature", self._key)
        return b"DKIM-Signature: " + value + content


def load_signer(settings: DkimSettings) -> DkimSigner:
    """Return the signer of the configured key; InvalidInputError names the file and what is wrong with it."""
    return DkimSigner(settings.domain, settings.selector, load_key(Path(settings.key_file)))


def load_key(path: Path) -> PrivateKey:
    """Return a private key in PEM; InvalidInputError names the file and what is wrong with it."""
    where = "smtp.dkim.key_file"
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{where}: {path} cannot be read: {error.strerror}", where=where) from error
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        message = f"{where}: {path} is protected by a passphrase; store the key without one"
        raise InvalidInputError(message, where=where) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "it holds a public key" if b"PUBLIC KEY" in pem else "it is damaged, or something else"
        message = f"{where}: {path} is not a private key in PEM: {hint}"
        raise InvalidInputError(message, where=where) from error
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_BITS:
        message = f"{where}: {path} has {key.key_size} bits; receivers ignore RSA keys under {_LEAST_BITS}"
        raise InvalidInputError(message, where=where)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise InvalidInputError(f"{where}: {path} is neither an RSA nor an Ed25519 key", where=where)
    return key


def new_key(kind: KeyKind) -> bytes:
    """Return a new private key as PEM: RSA of 2048 bits, or Ed25519."""
    key: PrivateKey
    if kind is KeyKind.RSA:
        key = generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    else:
        key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def record_value(key: PrivateKey) -> str:
    """Return the text of a key's TXT record (RFC 6376 3.6.1, RFC 8463 4)."""
    if isinstance(key, RSAPrivateKey):
        kind, public = "rsa", key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, public = "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


def dns_record(domain: str, selector: str, key: PrivateKey) -> str:
    """Return the record as a zone file's line; a string of a TXT record has at most 255 octets."""
    value = record_value(key)
    strings = [value[start : start + _STRING_OCTETS] for start in range(0, len(value), _STRING_OCTETS)]
    quoted = " ".join(f'"{one}"' for one in strings)
    return f"{selector}._domainkey.{domain}. IN TXT ( {quoted} )"
