"""Which answers a platform believes: forged, replayed, old and broken ones have their faults."""

import datetime as dt
import json

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from outrider.errors import InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Feature, LicenceSourceError, SourceFault
from outrider.supply.keys import key_id
from outrider.supply.server.model import ALL, Granted, LeaseRequest, RefusalReason, Refused
from outrider.supply.server.protocol import Signer, read_request, write_request
from outrider.supply.server.verification import Checks, believe
from outrider.supply.server.versions import is_older, parse_version

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
KEY, OTHER = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
NONCE = "a-nonce-of-this-poll"
REQUEST = LeaseRequest("plant", NONCE)
FEATURE = Feature(LicenceKind.OUTBOUND_PORTS, 60, NOW + dt.timedelta(days=9), "1.0")
GRANTED = Granted("plant", 7, NOW, NOW + dt.timedelta(minutes=10), "Zürich & Co", (FEATURE,), "a message")
CHECKS = Checks("https://licences.example:8099", KEY, "plant", NONCE, "1.1")


def signed(payload: object, *, typ: str = "outrider-lease", key: OKPKey = KEY) -> bytes:
    header = {"alg": "Ed25519", "typ": typ, "kid": key_id(key)}
    return jws.serialize_compact(header, json.dumps(payload), key, algorithms=["Ed25519"]).encode()


def payload(**changes: object) -> dict[str, object]:
    body = Signer(KEY).sign(GRANTED, REQUEST)
    found = json.loads(jws.deserialize_compact(body, KEY, algorithms=["Ed25519"]).payload)
    merged: dict[str, object] = {**found, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def fault(status: int, body: bytes, message: str) -> SourceFault:
    with pytest.raises(LicenceSourceError, match=message) as told:
        believe(status, body, CHECKS)
    assert "\n" not in told.value.message
    return told.value.fault


def test_a_good_answer_is_believed_to_the_last_field() -> None:
    answer, granted = believe(200, Signer(KEY).sign(GRANTED, REQUEST), CHECKS)
    assert granted == GRANTED
    assert (answer.protocol_version, answer.server_id) == ("1.1", key_id(KEY))


@pytest.mark.parametrize(
    "body",
    [
        Signer(OTHER).sign(GRANTED, REQUEST),
        Signer(KEY).sign(GRANTED, REQUEST)[:-4] + b"AAAA",
        b"e30.e30.AAAA",
        b"..",
    ],
    ids=["another key", "another signature", "no header", "empty parts"],
)
def test_what_is_not_signed_by_the_server_is_forged(body: bytes) -> None:
    assert fault(200, body, "is not signed with its key") is SourceFault.FORGED
    assert fault(401, body, "is not signed with its key") is SourceFault.FORGED


def test_old_answers_and_those_to_others_are_forged() -> None:
    replayed = Signer(KEY).sign(GRANTED, LeaseRequest("plant", "the-nonce-of-last-time"))
    assert fault(200, replayed, "answer to another request") is SourceFault.FORGED
    passed_on = Signer(KEY).sign(GRANTED, LeaseRequest("other", NONCE))
    assert fault(200, passed_on, "answer to another request") is SourceFault.FORGED


def test_an_old_server_is_refused_with_both_versions() -> None:
    body = Signer(KEY, "1.0").sign(GRANTED, REQUEST)
    message = (
        r"^the licence server at https://licences\.example:8099 speaks protocol 1\.0, and at least 1\.1 is"
        r" required: upgrade"
    )
    assert fault(200, body, message) is SourceFault.TOO_OLD


def test_refusals() -> None:
    refused = Refused(RefusalReason.UNKNOWN_CLIENT, "there is no client 'plant' with this token: ask")
    assert (
        fault(401, Signer(KEY).sign(refused, REQUEST), "refuses: there is no client") is SourceFault.REFUSED
    )
    assert (
        fault(403, b"<html>no</html>", r"something before .* refuses us \(HTTP 403\)") is SourceFault.REFUSED
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>a router's page</html>", SourceFault.BROKEN),
        (404, b'{"detail": "nothing here"}', SourceFault.BROKEN),
        (200, b"", SourceFault.BROKEN),
        (503, b'{"detail": "database: locked"}', SourceFault.UNREACHABLE),
        (502, b"bad gateway", SourceFault.UNREACHABLE),
    ],
)
def test_answers_of_something_else(status: int, body: bytes, expected: SourceFault) -> None:
    assert fault(status, body, "https://licences.example:8099") is expected


@pytest.mark.parametrize(
    "body",
    [
        signed([1]),
        signed(payload(nonce=None)),
        signed(payload(features=None)),
        signed(payload(sequence=True)),
        signed(payload(lease_until="tomorrow")),
        signed(payload(lease_until="2026-05-01T12:00:00")),
        signed(payload(features=[{"feature": "unknown"}])),
        signed(payload(features=[{**asdict, "count": -1}]))
        if (asdict := {"feature": "asr", "expires_at": NOW.isoformat(), "version": ""})
        else b"",
        signed(payload(protocol="new")),
        signed(payload(), typ="outrider-licence"),
    ],
)
def test_signed_answers_that_are_no_authorisation_are_broken(body: bytes) -> None:
    assert fault(200, body, "does not answer as a licence server") is SourceFault.BROKEN


def test_requests_survive_the_wire() -> None:
    wants = {LicenceKind.OUTBOUND_PORTS: 20, LicenceKind.ASR: ALL}
    request = LeaseRequest("plant", NONCE, wants, 41, "installation")
    read = read_request(write_request(request), "token")
    assert (read.client, read.nonce, read.wants, read.seen, read.installation) == (
        "plant",
        NONCE,
        wants,
        41,
        "installation",
    )
    assert read_request(write_request(REQUEST), "token").wants is None
    assert read_request(write_request(REQUEST), "", releases=True).releases


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nonce": "short"}, "nonce must be a text of 16 to 128"),
        ({"client": 5}, "client must be"),
        ({"protocol": "one"}, "is not a protocol version"),
        ({"protocol": None}, "protocol must be"),
        ({"seen": -1}, "seen must be"),
        ({"seen": True}, "seen must be"),
        ({"wants": {"ports": 1}}, "names 'ports', which is no feature"),
        ({"wants": {"asr": -1}}, "asks for -1 of asr"),
        ({"wants": {"asr": 1.5}}, "asks for 1.5 of asr"),
        ({"wants": []}, "wants must be"),
        ({"want": {}}, "unknown field 'want'"),
    ],
)
def test_bad_requests_name_the_field(changes: dict[str, object], message: str) -> None:
    good = json.loads(write_request(REQUEST))
    body = {name: value for name, value in {**good, **changes}.items() if value is not None}
    with pytest.raises(InvalidInputError, match=message):
        read_request(json.dumps(body).encode(), "token")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000])
def test_bodies_that_are_no_request(body: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"not JSON|not a JSON object"):
        read_request(body, "token")


def test_versions_are_ordered_by_number() -> None:
    assert is_older("1.9", "1.10")
    assert not is_older("2.0", "1.10")
    assert not is_older("1.1", "1.1")
    for bad in ("1", "1.", ".1", "1.1.1", "a.b", "1.-1", "1.1234567"):
        with pytest.raises(InvalidInputError, match="is not a protocol version"):
            parse_version(bad)
