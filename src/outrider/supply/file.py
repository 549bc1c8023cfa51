"""Signed licence files: JWS compact serialisation (RFC 7515), signed with Ed25519 (RFC 8037, RFC 9864).

The command line issues and shows them; the supply service loads them with the host's id and the clock's
time. Nothing in a file is believed before its signature is checked.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Iterable

from joserfc import jws
from joserfc.errors import BadSignatureError, ExceededSizeError, JoseError
from joserfc.jwk import OKPKey

from outrider.errors import LicenceFileError
from outrider.supply.claims import LicenceFile, Refusal, check_use, from_claims, refusal, to_claims
from outrider.supply.keys import key_id, read_private, read_public

ALGORITHM = "Ed25519"
"""The name of RFC 9864 for EdDSA with this curve: the only one that is signed with or accepted."""

FILE_TYPE = "outrider-licence"
LARGEST_FILE = 1024 * 1024
"""Bytes. A real file has less than 2,000; what is larger is refused unread."""

_PARTS = 3


def issue(licence: LicenceFile, private_key: str) -> str:
    """Return `licence` as the text of a signed file (one line, with a line break at its end).

    `private_key` is PEM text. Raises LicenceFileError for a key that cannot sign, and for claims that
    `load` would refuse whatever the host and time.
    """
    claims = to_claims(licence)
    from_claims(claims)
    key = read_private(private_key)
    header = {"alg": ALGORITHM, "typ": FILE_TYPE, "kid": key_id(key)}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return jws.serialize_compact(header, payload.encode(), key, algorithms=[ALGORITHM]) + "\n"


def load(
    content: str | bytes, public_keys: str | Iterable[str], host_id: str, now: dt.datetime
) -> LicenceFile:
    """Return what the file `content` authorises on `host_id` at `now` (aware).

    `public_keys` is one PEM text or several; any of them may have signed. Raises LicenceFileError whose
    facts hold a `reason` of `Refusal`, in this order: form, algorithm, key, signature, claims, host, time.
    """
    licence = read(content, public_keys)
    check_use(licence, host_id, now)
    return licence


def read(content: str | bytes, public_keys: str | Iterable[str]) -> LicenceFile:
    """Return what an authentic file says, wherever and whenever it is valid (for showing, and for grace).

    Raises LicenceFileError as `load` does, for everything but host and time.
    """
    token = _as_text(content)
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise refusal(
            Refusal.WRONG_ALGORITHM,
            f"the licence file says it is signed with {header.get('alg')!r}, and only {ALGORITHM} is"
            " accepted: ask the issuer for the original file.",
            algorithm=str(header.get("alg")),
        )
    payload = _verified(token, header, _signers(header, public_keys))
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _not_a_licence_file("what it signs is not JSON") from error
    if not isinstance(claims, dict):
        raise _not_a_licence_file("what it signs is not a JSON object")
    return from_claims(claims)


def _as_text(content: str | bytes) -> str:
    if len(content) > LARGEST_FILE:
        raise refusal(
            Refusal.TOO_LARGE,
            f"the licence file has more than {LARGEST_FILE} bytes, which no licence file has:"
            " give the file that the issuer sent.",
        )
    try:
        text = content.decode("ascii") if isinstance(content, bytes) else content
        text = text.strip()
        text.encode("ascii")
    except UnicodeError as error:
        raise refusal(
            Refusal.NOT_TEXT,
            "the licence file is binary or has other than ASCII characters, which no licence file has:"
            " give the file that the issuer sent.",
        ) from error
    if not text:
        raise refusal(Refusal.EMPTY, "the licence file is empty: copy it again from the issuer.")
    return text


def _header(token: str) -> dict[str, object]:
    parts = token.split(".")
    if len(parts) != _PARTS or not all(parts[:2]):
        raise _not_a_licence_file("it is not three parts joined by dots")
    try:
        header = json.loads(base64.b64decode(parts[0] + "=" * (-len(parts[0]) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _not_a_licence_file("its header cannot be read") from error
    if not isinstance(header, dict) or header.get("typ", FILE_TYPE) != FILE_TYPE:
        raise _not_a_licence_file("its header is that of something else")
    return header


def _signers(header: dict[str, object], public_keys: str | Iterable[str]) -> list[OKPKey]:
    """Return the keys that may have signed: the one that the header names, or all if it names none."""
    keys = [read_public(pem) for pem in ([public_keys] if isinstance(public_keys, str) else public_keys)]
    named = header.get("kid")
    signers = [key for key in keys if named is None or key_id(key) == named]
    if not signers:
        raise refusal(
            Refusal.WRONG_KEY,
            f"the licence file is signed with the key {named}, and it was checked against"
            f" {', '.join(key_id(key) for key in keys) or 'no key at all'}:"
            " give the public key of the one who issued the file.",
            key_id=str(named),
        )
    return signers


def _verified(token: str, header: dict[str, object], signers: list[OKPKey]) -> bytes:
    for key in signers:
        try:
            return jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
        except BadSignatureError:
            continue
        except ExceededSizeError as error:
            raise refusal(
                Refusal.TOO_LARGE,
                "a part of the licence file is larger than any licence file's: give the issuer's file.",
            ) from error
        except (JoseError, ValueError, TypeError) as error:
            raise _not_a_licence_file("its parts cannot be read") from error
    blame = "was changed after it was signed"
    if header.get("kid") is None:
        blame += ", or is signed with another key"
    raise refusal(
        Refusal.TAMPERED,
        f"the signature does not fit: the licence file {blame}; copy it again from the issuer.",
    )


def _not_a_licence_file(why: str) -> LicenceFileError:
    return refusal(
        Refusal.NOT_A_LICENCE_FILE, f"this is not a licence file: {why}; give the file that the issuer sent."
    )
