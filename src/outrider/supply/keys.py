"""Ed25519 keys of licence files, as PEM text: made, and read with errors a person can act on.

`file` signs and verifies with them; `outrider licences keygen` writes them to disk.
"""

from typing import Literal

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from outrider.errors import LicenceFileError

CURVE: Literal["Ed25519"] = "Ed25519"


def generate_keypair() -> tuple[str, str]:
    """Return a new (private, public) key pair as PEM text (PKCS 8 and SubjectPublicKeyInfo)."""
    key = OKPKey.generate_key(CURVE)
    return key.as_pem(private=True).decode("ascii"), key.as_pem(private=False).decode("ascii")


def read_private(pem: str) -> OKPKey:
    """Return the signing key in `pem`. Raises LicenceFileError (reason `bad_key`) for anything else."""
    key = _read(pem)
    if not key.is_private:
        raise LicenceFileError(
            "this is a public key, and only the private key can sign: give the private key file.",
            reason="bad_key",
        )
    return key


def read_public(pem: str) -> OKPKey:
    """Return the verifying key in `pem`. Raises LicenceFileError (reason `bad_key`) for anything else.

    A private key is refused although the public one could be derived: it should never be on this host.
    """
    key = _read(pem)
    if key.is_private:
        raise LicenceFileError(
            "this is the private signing key, which should stay with the issuer: give the public key file.",
            reason="bad_key",
        )
    return key


def key_id(key: OKPKey) -> str:
    """Return the key's RFC 7638 thumbprint: how a licence file says which key signed it."""
    return key.thumbprint()


def _read(pem: str) -> OKPKey:
    try:
        key = OKPKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise LicenceFileError(
            "the key is not an Ed25519 key in PEM form: make one with `outrider licences keygen`.",
            reason="bad_key",
        ) from error
    if key.curve_name != CURVE:
        raise LicenceFileError(
            f"the key is of the curve {key.curve_name}, and licence files need {CURVE}:"
            " make one with `outrider licences keygen`.",
            reason="bad_key",
        )
    return key
