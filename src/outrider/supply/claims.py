"""What a licence file says, and every reason for which one can be refused; no keys, files or clock.

`file` signs and verifies these claims; the store and pages keep and show a LicenceFile. Pure.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.errors import LicenceFileError
from outrider.licences.model import LARGEST_COUNT, LicenceKind

FORMAT_VERSION = 1
"""The newest format of licence file that this version reads, and the one that it writes."""

PRODUCT = "outrider"
ANY_HOST = "any"
_TEXTS = ("id", "product", "customer", "host_id", "platform_version")
_TIMES = ("issued_at", "not_before", "expires_at")


class Refusal(enum.StrEnum):
    """Why a licence file is refused: the `reason` in the facts of its LicenceFileError."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    NOT_A_LICENCE_FILE = "not_a_licence_file"
    WRONG_ALGORITHM = "wrong_algorithm"
    WRONG_KEY = "wrong_key"
    TAMPERED = "tampered"
    FUTURE_VERSION = "future_version"
    OTHER_PRODUCT = "other_product"
    MISSING_CLAIM = "missing_claim"
    BAD_CLAIM = "bad_claim"
    UNKNOWN_COUNT = "unknown_count"
    BAD_COUNT = "bad_count"
    FOREIGN_HOST = "foreign_host"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    OLDER_ISSUE = "older_issue"


@dataclass(frozen=True, slots=True)
class LicenceFile:
    """The claims of one licence file. Times are aware, in UTC; types that `counts` lacks count 0.

    `version` is the format of the file, `platform_version` the version of the licences it is for.
    """

    id: str
    customer: str
    issued_at: dt.datetime
    not_before: dt.datetime
    expires_at: dt.datetime
    counts: Mapping[LicenceKind, int]
    host_id: str = ANY_HOST
    product: str = PRODUCT
    platform_version: str = "1.0"
    version: int = FORMAT_VERSION
    supersedes: tuple[str, ...] = ()
    """Ids of older files that this one takes the place of, as after a move to another host."""


def to_claims(licence: LicenceFile) -> dict[str, object]:
    """Return the claims as JSON data: ISO 8601 times in UTC, counts by type name."""
    claims: dict[str, object] = {
        "version": licence.version,
        "id": licence.id,
        "product": licence.product,
        "customer": licence.customer,
        "host_id": licence.host_id,
        "platform_version": licence.platform_version,
        "issued_at": _iso(licence.issued_at),
        "not_before": _iso(licence.not_before),
        "expires_at": _iso(licence.expires_at),
        "counts": {kind.value: licence.counts[kind] for kind in sorted(licence.counts)},
    }
    if licence.supersedes:
        claims["supersedes"] = list(licence.supersedes)
    return claims


def from_claims(claims: Mapping[str, object]) -> LicenceFile:
    """Return the licence file that `claims` (JSON data) describe.

    Raises LicenceFileError: future_version first, as a newer format may mean anything by the rest, then
    missing_claim, bad_claim, other_product, unknown_count, bad_count. Unknown claims are ignored.
    """
    version = claims.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT_VERSION:
        raise refusal(
            Refusal.FUTURE_VERSION,
            f"the licence file has format version {version}, and this program reads up to {FORMAT_VERSION}:"
            " upgrade the program or ask the issuer for an older format.",
            version=version,
        )
    missing = [name for name in ("version", *_TEXTS, *_TIMES, "counts") if name not in claims]
    if missing:
        raise refusal(
            Refusal.MISSING_CLAIM,
            f"the licence file lacks {', '.join(missing)}: ask the issuer for a complete one.",
            missing=missing,
        )
    if isinstance(version, bool) or version != FORMAT_VERSION:
        raise _bad_claim("version", version, f"must be {FORMAT_VERSION}")
    texts = {name: _text(claims, name) for name in _TEXTS}
    if texts["product"] != PRODUCT:
        raise refusal(
            Refusal.OTHER_PRODUCT,
            f"the licence file is for the product {texts['product']!r}, not for {PRODUCT!r}:"
            " load a file issued for this product.",
            product=texts["product"],
        )
    issued_at, not_before, expires_at = (_time(claims, name) for name in _TIMES)
    if expires_at <= not_before:
        raise _bad_claim("expires_at", claims["expires_at"], "must be later than not_before")
    return LicenceFile(
        id=texts["id"],
        customer=texts["customer"],
        issued_at=issued_at,
        not_before=not_before,
        expires_at=expires_at,
        counts=_counts(claims["counts"]),
        host_id=texts["host_id"],
        product=texts["product"],
        platform_version=texts["platform_version"],
        version=FORMAT_VERSION,
        supersedes=_supersedes(claims.get("supersedes", []), texts["id"]),
    )


def check_use(licence: LicenceFile, host_id: str, now: dt.datetime) -> None:
    """Raise LicenceFileError when `licence` is not for `host_id` (foreign_host) or not valid at `now`.

    Valid is not_before <= now < expires_at; both the times and the reason are in the facts, so that the
    grace period (licensing.md 7) can be counted from them.
    """
    if licence.host_id not in {ANY_HOST, host_id}:
        raise refusal(
            Refusal.FOREIGN_HOST,
            f"the licence file is for the host {licence.host_id}, and this host is {host_id}:"
            " ask the issuer for a file for this host.",
            file_host_id=licence.host_id,
            host_id=host_id,
        )
    if now < licence.not_before:
        raise refusal(
            Refusal.NOT_YET_VALID,
            f"the licence file is not valid before {_iso(licence.not_before)}, and it is {_iso(now)}:"
            " wait until then, or check this host's clock.",
            not_before=_iso(licence.not_before),
        )
    if now >= licence.expires_at:
        raise refusal(
            Refusal.EXPIRED,
            f"the licence file expired at {_iso(licence.expires_at)}, and it is {_iso(now)}:"
            " ask the issuer for a new one.",
            expires_at=_iso(licence.expires_at),
        )


def refusal(reason: Refusal, message: str, **facts: object) -> LicenceFileError:
    """Return the error for one refused file, with the reason in its facts."""
    return LicenceFileError(message, reason=reason.value, **facts)


def _bad_claim(name: str, value: object, rule: str) -> LicenceFileError:
    shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."  # noqa: PLR2004 - a line
    return refusal(
        Refusal.BAD_CLAIM,
        f"{name} in the licence file is {shown}, but it {rule}: ask the issuer for a corrected file.",
        claim=name,
    )


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _bad_claim(name, value, "must be a text of one line")
    return value


def _time(claims: Mapping[str, object], name: str) -> dt.datetime:
    value = claims[name]
    try:
        time = dt.datetime.fromisoformat(value if isinstance(value, str) else "")
        if time.tzinfo is not None:
            return time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise _bad_claim(name, value, "must be an ISO 8601 time with its offset, such as 2026-12-31T23:59:59Z")


def _counts(value: object) -> dict[LicenceKind, int]:
    if not isinstance(value, dict):
        raise _bad_claim("counts", value, "must be a table of licence type and count")
    known = [kind.value for kind in LicenceKind]
    counts: dict[LicenceKind, int] = {}
    for name, count in value.items():
        if name not in known:
            raise refusal(
                Refusal.UNKNOWN_COUNT,
                f"the licence file counts {name!r}, which is no licence type: the types are"
                f" {', '.join(known)}.",
                kind=name,
            )
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= LARGEST_COUNT:
            raise refusal(
                Refusal.BAD_COUNT,
                f"the count of {name} in the licence file is {count!r}, but it must be a whole number"
                f" from 0 to {LARGEST_COUNT}: ask the issuer for a corrected file.",
                kind=name,
            )
        counts[LicenceKind(name)] = count
    return counts


def _supersedes(value: object, own_id: str) -> tuple[str, ...]:
    rule = "must be a list of ids of other files"
    if not isinstance(value, list):
        raise _bad_claim("supersedes", value, rule)
    for each in value:
        if not isinstance(each, str) or not each.strip() or not each.isprintable() or each == own_id:
            raise _bad_claim("supersedes", each, rule)
    return tuple(value)


def _iso(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
