"""Which answers of a licence server are believed, and what is said of the others. Pure.

`client` asks it about every answer: signature first, then the nonce, then the version, then the content.
"""

import json
from dataclasses import dataclass

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from outrider.errors import InvalidInputError
from outrider.supply.authorisation import LicenceSourceError, SourceFault
from outrider.supply.file import ALGORITHM
from outrider.supply.server.model import Granted
from outrider.supply.server.protocol import ANSWER_TYPE, SignedAnswer
from outrider.supply.server.versions import is_older

JWS_DOTS = 2
OK = 200
AWAY = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that say that nobody could answer now."""
NOT_LET_IN = frozenset({401, 403})
LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Checks:
    """What an answer must fit: the server's address and key, and the request that it answers."""

    url: str
    key: OKPKey
    client: str
    nonce: str
    minimum_version: str


def believe(status: int, body: bytes, checks: Checks) -> tuple[SignedAnswer, Granted]:
    """Return what the server of `checks` grants. LicenceSourceError for every answer that is not believed.

    FORGED: not signed by the server's key, or the answer to another request. TOO_OLD: signed, but by a server
    below the minimum version. REFUSED, UNREACHABLE and BROKEN as in SourceFault.
    """
    if body.count(b".") != JWS_DOTS or not body.isascii() or body[:1] in {b"{", b"<"}:
        raise _unsigned(status, body, checks)
    answer = _verified(body, checks)
    if answer.nonce != checks.nonce or answer.client != checks.client:
        raise LicenceSourceError(
            SourceFault.FORGED,
            f"the licence server at {checks.url} gave the answer to another request, perhaps an old one"
            " played again: check what stands between us and the server",
        )
    _check_version(answer.protocol_version, checks)
    if answer.refused:
        raise LicenceSourceError(
            SourceFault.REFUSED, f"the licence server at {checks.url} refuses: {answer.refused}"
        )
    try:
        return answer, answer.granted
    except ValueError as error:
        raise _broken(checks, str(error)) from None


def _verified(body: bytes, checks: Checks) -> SignedAnswer:
    try:
        found = jws.deserialize_compact(body, checks.key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError):
        raise LicenceSourceError(
            SourceFault.FORGED,
            f"the answer of the licence server at {checks.url} is not signed with its key: it is not the"
            " server that we know, or it has a new key (outrider licences server-key shows it on the server)",
        ) from None
    if found.headers().get("typ") != ANSWER_TYPE:
        raise _broken(checks, "it signs something else")
    try:
        return SignedAnswer.of(json.loads(found.payload))
    except (ValueError, RecursionError) as error:
        raise _broken(checks, str(error)) from None


def _check_version(version: str, checks: Checks) -> None:
    try:
        old = is_older(version, checks.minimum_version)
    except InvalidInputError as error:
        raise _broken(checks, error.message) from None
    if old:
        raise LicenceSourceError(
            SourceFault.TOO_OLD,
            f"the licence server at {checks.url} speaks protocol {version}, and at least"
            f" {checks.minimum_version} is required: upgrade the licence server",
        )


def _unsigned(status: int, body: bytes, checks: Checks) -> LicenceSourceError:
    said = _said(body)
    if status in AWAY:
        return LicenceSourceError(
            SourceFault.UNREACHABLE,
            f"the licence server at {checks.url} cannot answer now (HTTP {status}{said}): look at its log",
        )
    if status in NOT_LET_IN:
        return LicenceSourceError(
            SourceFault.REFUSED,
            f"something before the licence server at {checks.url} refuses us (HTTP {status}{said}): check the"
            " address, and proxies between",
        )
    if status == OK:
        return _broken(checks, "it is not a signed answer")
    return _broken(checks, f"HTTP {status}{said}")


def _said(body: bytes) -> str:
    """Return what a problem document says, as the end of a parenthesis."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    detail = data.get("detail") if isinstance(data, dict) else None
    return f": {detail[:LONGEST_SHOWN]}" if isinstance(detail, str) and detail.isprintable() else ""


def _broken(checks: Checks, why: str) -> LicenceSourceError:
    return LicenceSourceError(
        SourceFault.BROKEN,
        f"what answers at {checks.url} does not answer as a licence server ({why}): check the address",
    )
