"""The lease protocol on the wire: JSON requests, and answers as compact JWS signed with the server's key.

`lease_endpoint` reads requests and signs answers, `client` the other way round. Every answer repeats the
request's nonce and names client and server, so that none can be forged, replayed or passed to another.
"""

import base64
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import OKPKey

from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT, LicenceKind
from outrider.people.passwords import digest
from outrider.supply.authorisation import Feature
from outrider.supply.file import ALGORITHM
from outrider.supply.keys import key_id
from outrider.supply.server.model import (
    ALL,
    LONGEST_NAME,
    Granted,
    LeaseAnswer,
    LeaseRequest,
    Refused,
    Wanted,
)
from outrider.supply.server.versions import PROTOCOL_VERSION, parse_version

LEASES, RELEASE = "/v1/leases", "/v1/release"
"""Where requests go."""

ANSWER_TYPE = "outrider-lease"
MEDIA_TYPE = "application/jose"
LARGEST_REQUEST = 64 * 1024
SHORTEST_NONCE, LONGEST_NONCE = 16, 128
LARGEST_SEQUENCE = 2**62
EVERYTHING = "all"
_KINDS = {kind.value: kind for kind in LicenceKind}
_FIELDS = frozenset({"protocol", "client", "nonce", "wants", "seen", "installation"})


class Signer:
    """Signs answers with one key; the header is the same each time, and made once."""

    def __init__(self, key: OKPKey, protocol_version: str = PROTOCOL_VERSION) -> None:
        self.server_id = key_id(key)
        self.protocol_version = protocol_version
        self._private: Any = key.get_op_key("sign")
        self._header = _encoded(_json({"alg": ALGORITHM, "typ": ANSWER_TYPE, "kid": self.server_id}))

    def sign(self, answer: LeaseAnswer, request: LeaseRequest) -> bytes:
        """Return the answer to `request` as compact JWS (RFC 7515, Ed25519)."""
        said: dict[str, object] = {
            "protocol": self.protocol_version,
            "server": self.server_id,
            "client": request.client,
            "nonce": request.nonce,
        }
        said |= _refusal(answer) if isinstance(answer, Refused) else _grant(answer)
        signing_input = self._header + b"." + _encoded(_json(said))
        return signing_input + b"." + _encoded(self._private.sign(signing_input))


def read_request(body: bytes, token: str, *, releases: bool = False) -> LeaseRequest:
    """Return the request in a JSON body. InvalidInputError names the field that is wrong.

    `wants` maps features to counts or "all", or is "all" for every feature; `seen` is the sequence of the
    last answer that the client took note of.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInputError("the request is not JSON", where="body") from None
    if not isinstance(data, dict):
        raise InvalidInputError("the request is not a JSON object", where="body")
    unknown = sorted(set(data) - _FIELDS)
    if unknown:
        raise InvalidInputError(f"the request has an unknown field {unknown[0]!r}", where=unknown[0])
    parse_version(_text(data, "protocol", 1, 16))
    seen = data.get("seen", 0)
    if isinstance(seen, bool) or not isinstance(seen, int) or not 0 <= seen <= LARGEST_SEQUENCE:
        raise InvalidInputError("seen must be the sequence of an answer, or 0", where="seen")
    return LeaseRequest(
        client=_text(data, "client", 1, LONGEST_NAME),
        nonce=_text(data, "nonce", SHORTEST_NONCE, LONGEST_NONCE),
        wants={} if releases else _wants(data.get("wants", EVERYTHING)),
        seen=seen,
        installation=_text(data, "installation", 0, LONGEST_NAME) if "installation" in data else "",
        token_hash=digest(token),
        releases=releases,
    )


def write_request(request: LeaseRequest) -> bytes:
    """Return a request as the JSON body that `read_request` reads; the token goes in a header."""
    data: dict[str, object] = {
        "protocol": PROTOCOL_VERSION,
        "client": request.client,
        "nonce": request.nonce,
        "seen": request.seen,
        "installation": request.installation,
    }
    if not request.releases:
        data["wants"] = (
            EVERYTHING
            if request.wants is None
            else {kind.value: EVERYTHING if count is ALL else count for kind, count in request.wants.items()}
        )
    return _json(data)


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What a signed answer says of itself, before its content is read."""

    protocol_version: str
    server_id: str
    client: str
    nonce: str
    refused: str
    """Why the server does not serve the request; "" when it does."""
    content: Mapping[str, Any]

    @classmethod
    def of(cls, data: object) -> "SignedAnswer":
        """Return the answer in a verified payload (JSON data). ValueError when it is none."""
        content = data if isinstance(data, dict) else {}
        refused = content.get("refused", "")
        protocol, server, client, nonce = (
            content.get(name) for name in ("protocol", "server", "client", "nonce")
        )
        if (
            isinstance(protocol, str)
            and isinstance(server, str)
            and isinstance(client, str)
            and isinstance(nonce, str)
            and isinstance(refused, str)
        ):
            return cls(protocol, server, client, nonce, refused, content)
        raise ValueError("a field of its answer is missing")

    @property
    def granted(self) -> Granted:
        """Return what is granted. ValueError when the answer says something else."""
        data = self.content
        try:
            return Granted(
                client=self.client,
                sequence=_number(data["sequence"], LARGEST_SEQUENCE),
                server_time=_time(data["server_time"]),
                lease_until=_time(data["lease_until"]),
                customer=str(data["customer"]),
                features=tuple(_feature(each) for each in data["features"]),
                message=str(data["message"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the answer lacks or garbles {error}") from None


def _grant(answer: Granted) -> dict[str, object]:
    return {
        "sequence": answer.sequence,
        "server_time": answer.server_time.isoformat(),
        "lease_until": answer.lease_until.isoformat(),
        "customer": answer.customer,
        "features": [
            {
                "feature": feature.kind.value,
                "count": feature.count,
                "expires_at": feature.expires_at.isoformat(),
                "version": feature.version,
            }
            for feature in answer.features
        ],
        "message": answer.message,
    }


def _refusal(answer: Refused) -> dict[str, object]:
    return {"refused": answer.message, "reason": answer.reason.value}


def _feature(data: Mapping[str, Any]) -> Feature:
    return Feature(
        kind=LicenceKind(data["feature"]),
        count=_number(data["count"], LARGEST_COUNT),
        expires_at=_time(data["expires_at"]),
        version=str(data["version"]),
    )


def _number(value: object, largest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise ValueError(f"{value!r} is not a count")
    return value


def _time(value: str) -> dt.datetime:
    time = dt.datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{value!r} has no offset")
    return time.astimezone(dt.UTC)


def _text(data: Mapping[str, Any], name: str, shortest: int, longest: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not shortest <= len(value) <= longest or not value.isprintable():
        raise InvalidInputError(
            f"{name} must be a text of {shortest} to {longest} printable characters", where=name
        )
    return value


def _wants(value: object) -> Mapping[LicenceKind, Wanted] | None:
    if value == EVERYTHING:
        return None
    if not isinstance(value, dict):
        raise InvalidInputError('wants must be "all", or a table of feature and count', where="wants")
    wants: dict[LicenceKind, Wanted] = {}
    for name, count in value.items():
        kind = _KINDS.get(name)
        if kind is None:
            raise InvalidInputError(
                f"wants names {name!r}, which is no feature: the features are {', '.join(_KINDS)}",
                where="wants",
            )
        if count == EVERYTHING:
            wants[kind] = ALL
        elif isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= LARGEST_COUNT:
            raise InvalidInputError(
                f'wants asks for {count!r} of {name}: give "all" or a whole number from 0 to {LARGEST_COUNT}',
                where=f"wants.{name}",
            )
        else:
            wants[kind] = count
    return wants


def _json(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
