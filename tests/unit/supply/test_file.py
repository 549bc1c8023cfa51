"""Licence files: what is issued can be loaded, and every other file is refused with its reason."""

import base64
import dataclasses
import datetime as dt
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from outrider.errors import LicenceFileError
from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile, Refusal, to_claims
from outrider.supply.file import LARGEST_FILE, issue, load, read
from outrider.supply.keys import generate_keypair, key_id, read_private, read_public

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
HOST = "3f2a9c"
PRIVATE, PUBLIC = generate_keypair()
OTHER_PRIVATE, OTHER_PUBLIC = generate_keypair()
LICENCE = LicenceFile(
    id="L-1",
    customer="Zürich Call & Co",
    issued_at=NOW,
    not_before=NOW,
    expires_at=NOW + dt.timedelta(days=365),
    counts={LicenceKind.OUTBOUND_PORTS: 60, LicenceKind.EMAIL: 1},
    host_id=HOST,
)


def signed(claims: Any, *, header: dict[str, object] | None = None, private: str = PRIVATE) -> str:
    """Sign anything, as a careless or hostile issuer might."""
    key = read_private(private)
    full = {"alg": "Ed25519", "typ": "outrider-licence", "kid": key_id(key)} | (header or {})
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    return jws.serialize_compact(full, payload, key, algorithms=["Ed25519"])


def changed(**claims: object) -> str:
    """Sign the good claims with some of them replaced, or left out when None."""
    replaced = to_claims(LICENCE) | claims
    return signed({name: value for name, value in replaced.items() if value is not None})


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned() -> str:
    """Return the good claims under `alg: none`."""
    return f"{encoded({'alg': 'none', 'typ': 'outrider-licence'})}.{encoded(to_claims(LICENCE))}."


def confused() -> str:
    """Sign the good claims with HMAC, using the public key's text as the secret."""
    header = {"alg": "HS256", "typ": "outrider-licence"}
    secret = OctKey.import_key(str(read_public(PUBLIC).as_dict()["x"]))
    return jws.serialize_compact(header, json.dumps(to_claims(LICENCE)), secret, algorithms=["HS256"])


def with_more_ports() -> str:
    """Change the payload and keep the signature."""
    header, _, signature = issue(LICENCE, PRIVATE).split(".")
    claims = to_claims(LICENCE) | {"counts": {"outbound_ports": 6000}}
    return f"{header}.{encoded(claims)}.{signature}"


def with_flipped_signature() -> str:
    token = issue(LICENCE, PRIVATE).strip()
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


OUR_NAME: dict[str, object] = {"kid": key_id(read_public(PUBLIC))}
LONG_AGO = "2025-01-01T00:00:00Z"

BROKEN: list[tuple[str, str | bytes, Refusal]] = [
    ("empty", "", Refusal.EMPTY),
    ("blank", b" \n\t\n", Refusal.EMPTY),
    ("binary", b"\x7fELF\x02\x01\x01\x00\xff\xfe", Refusal.NOT_TEXT),
    ("NULs", b"\x00" * 100, Refusal.NOT_A_LICENCE_FILE),
    ("not ASCII", "líçence.a.b", Refusal.NOT_TEXT),
    ("too large", b"a" * (LARGEST_FILE + 1), Refusal.TOO_LARGE),
    ("payload too large", changed(customer="x" * 200_000), Refusal.TOO_LARGE),
    ("prose", "This is our licence. Enjoy it. Bye", Refusal.NOT_A_LICENCE_FILE),
    ("JSON", '{"counts": {"outbound_ports": 60}}', Refusal.NOT_A_LICENCE_FILE),
    ("PEM", PUBLIC, Refusal.NOT_A_LICENCE_FILE),
    ("two parts", "abc.def", Refusal.NOT_A_LICENCE_FILE),
    ("header is a list", f"{encoded([1])}.e30.AAAA", Refusal.NOT_A_LICENCE_FILE),
    ("another kind of JWS", signed({}, header={"typ": "JWT"}), Refusal.NOT_A_LICENCE_FILE),
    ("payload is not JSON", signed("sixty ports"), Refusal.NOT_A_LICENCE_FILE),
    ("payload is a list", signed([60]), Refusal.NOT_A_LICENCE_FILE),
    ("payload is nested deep", signed("[" * 50_000), Refusal.NOT_A_LICENCE_FILE),
    ("alg none", unsigned(), Refusal.WRONG_ALGORITHM),
    ("alg HS256", confused(), Refusal.WRONG_ALGORITHM),
    ("other key", issue(LICENCE, OTHER_PRIVATE), Refusal.WRONG_KEY),
    (
        "other key under our name",
        signed({}, header={"kid": key_id(read_public(PUBLIC))}, private=OTHER_PRIVATE),
        Refusal.TAMPERED,
    ),
    ("payload changed", with_more_ports(), Refusal.TAMPERED),
    ("signature changed", with_flipped_signature(), Refusal.TAMPERED),
    ("cut short", issue(LICENCE, PRIVATE)[:-20], Refusal.TAMPERED),
    ("future format", changed(version=2, counts="as of format 2"), Refusal.FUTURE_VERSION),
    ("version is a text", changed(version="1"), Refusal.BAD_CLAIM),
    ("version is true", changed(version=True), Refusal.BAD_CLAIM),
    ("version 0", changed(version=0), Refusal.BAD_CLAIM),
    ("other product", changed(product="inrider"), Refusal.OTHER_PRODUCT),
    ("no expiry", changed(expires_at=None), Refusal.MISSING_CLAIM),
    ("no counts", changed(counts=None), Refusal.MISSING_CLAIM),
    ("nothing at all", signed({}), Refusal.MISSING_CLAIM),
    ("customer is a number", changed(customer=7), Refusal.BAD_CLAIM),
    ("customer of two lines", changed(customer="A\nB"), Refusal.BAD_CLAIM),
    ("time without offset", changed(not_before="2026-05-01T12:00:00"), Refusal.BAD_CLAIM),
    ("time out of range", changed(issued_at="0001-01-01T00:00:00+23:00"), Refusal.BAD_CLAIM),
    ("time is no time", changed(expires_at="next year"), Refusal.BAD_CLAIM),
    ("ends before it begins", changed(expires_at="2026-04-30T00:00:00Z"), Refusal.BAD_CLAIM),
    ("counts are a list", changed(counts=[60]), Refusal.BAD_CLAIM),
    ("unknown type", changed(counts={"outbound_prots": 60}), Refusal.UNKNOWN_COUNT),
    ("negative count", changed(counts={"outbound_ports": -1}), Refusal.BAD_COUNT),
    ("fraction", changed(counts={"outbound_ports": 1.5}), Refusal.BAD_COUNT),
    ("count is a text", changed(counts={"outbound_ports": "60"}), Refusal.BAD_COUNT),
    ("count is true", changed(counts={"outbound_ports": True}), Refusal.BAD_COUNT),
    ("count is huge", changed(counts={"outbound_ports": 10**30}), Refusal.BAD_COUNT),
    ("foreign host", changed(host_id="someone-else"), Refusal.FOREIGN_HOST),
    ("not yet", changed(not_before="2026-05-01T12:00:01Z"), Refusal.NOT_YET_VALID),
    ("expired", changed(not_before=LONG_AGO, expires_at="2026-05-01T12:00:00Z"), Refusal.EXPIRED),
]


@pytest.mark.parametrize(
    ("content", "reason"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_file_is_refused_with_its_reason(content: str | bytes, reason: Refusal) -> None:
    with pytest.raises(LicenceFileError) as caught:
        load(content, PUBLIC, HOST, NOW)
    assert caught.value.facts["reason"] == reason
    message = caught.value.message
    assert message.endswith(".")
    assert ":" in message or ";" in message, "a message says what to do after what was wrong"
    assert "\n" not in message
    assert len(message) < 400


def test_an_issued_file_says_the_same_when_loaded() -> None:
    text = issue(LICENCE, PRIVATE)
    assert text.count("\n") == 1
    assert text.isascii()
    assert load(text, PUBLIC, HOST, NOW) == LICENCE
    assert load(f"\r\n{text}\r\n".encode(), [OTHER_PUBLIC, PUBLIC], HOST, NOW) == LICENCE


def test_a_file_for_any_host_is_good_everywhere() -> None:
    anywhere = dataclasses.replace(LICENCE, host_id="any")
    assert load(issue(anywhere, PRIVATE), PUBLIC, "whatever", NOW) == anywhere


def test_a_file_without_key_id_is_checked_against_every_key() -> None:
    key = read_private(PRIVATE)
    token = jws.serialize_compact(
        {"alg": "Ed25519"}, json.dumps(to_claims(LICENCE)), key, algorithms=["Ed25519"]
    )
    assert load(token, [OTHER_PUBLIC, PUBLIC], HOST, NOW) == LICENCE
    with pytest.raises(LicenceFileError, match="another key") as caught:
        load(token, [OTHER_PUBLIC], HOST, NOW)
    assert caught.value.facts["reason"] == Refusal.TAMPERED


def test_it_is_valid_from_its_first_to_just_before_its_last_moment() -> None:
    text = issue(LICENCE, PRIVATE)
    last = LICENCE.expires_at - dt.timedelta(microseconds=1)
    assert load(text, PUBLIC, HOST, LICENCE.not_before) == load(text, PUBLIC, HOST, last)


def test_an_expired_file_can_still_be_read_for_its_grace_period() -> None:
    assert read(issue(LICENCE, PRIVATE), PUBLIC).expires_at == LICENCE.expires_at


def test_nothing_is_issued_that_could_never_be_loaded() -> None:
    with pytest.raises(LicenceFileError) as caught:
        issue(dataclasses.replace(LICENCE, counts={LicenceKind.SMS: -3}), PRIVATE)
    assert caught.value.facts["reason"] == Refusal.BAD_COUNT


@pytest.mark.parametrize(
    "key",
    [
        "",
        "garbage",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        PRIVATE,
        OKPKey.generate_key("Ed448").as_pem(private=False).decode(),
    ],
    ids=["empty", "garbage", "damaged", "private", "other curve"],
)
def test_a_wrong_public_key_is_refused(key: str) -> None:
    with pytest.raises(LicenceFileError) as caught:
        load(issue(LICENCE, PRIVATE), key, HOST, NOW)
    assert caught.value.facts["reason"] == "bad_key"


def test_a_public_key_cannot_sign() -> None:
    with pytest.raises(LicenceFileError, match="private key"):
        issue(LICENCE, PUBLIC)


def test_without_any_key_the_file_is_refused() -> None:
    with pytest.raises(LicenceFileError, match="no key at all"):
        load(issue(LICENCE, PRIVATE), [], HOST, NOW)
