"""Signed tokens for one-click unsubscribe links (RFC 8058): who, from which job, sealed with a secret. Pure.

The worker makes one per message; the web endpoint that mail providers POST to verifies it. A token needs no
row of its own and never expires: an unsubscribe link in an old message must still work.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from outrider.errors import InvalidInputError
from outrider.ids import JobId, OrganizationId

_SEAL_BYTES = 16
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Whose address shall not be written to any more, and which job's message said so."""

    organization: OrganizationId
    job: JobId
    address: str


def make_token(wish: Unsubscribe, secret: bytes) -> str:
    """Return a token of URL-safe characters. ValueError for a secret under 16 bytes."""
    if len(secret) < SHORTEST_SECRET:
        raise ValueError("the secret of unsubscribe tokens must have at least 16 bytes")
    body = json.dumps([wish.organization, wish.job, wish.address], separators=(",", ":")).encode()
    return f"{_encode(body)}.{_encode(_seal(body, secret))}"


def verify_token(token: str, secret: bytes) -> Unsubscribe:
    """Return what a token says; InvalidInputError when it is broken or not ours, without saying which."""
    body_text, _, seal_text = token.partition(".")
    try:
        body = _decode(body_text)
        seal = _decode(seal_text)
    except ValueError as error:
        raise _damaged() from error
    if not hmac.compare_digest(seal, _seal(body, secret)):
        raise _damaged()
    organization, job, address = json.loads(body)
    return Unsubscribe(OrganizationId(organization), JobId(job), address)


def _damaged() -> InvalidInputError:
    message = "this unsubscribe link is damaged; please use the link as it stands in the message"
    return InvalidInputError(message, where="token")


def _seal(body: bytes, secret: bytes) -> bytes:
    """Return the keyed digest, bound to this use of the secret."""
    return hmac.digest(secret, b"outrider unsubscribe 1\n" + body, hashlib.sha256)[:_SEAL_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of strict base64url; the one spelling of each token is the only one accepted."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:
        raise ValueError("not the canonical spelling")
    return data
