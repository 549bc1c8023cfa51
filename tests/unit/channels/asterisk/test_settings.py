"""Settings, versions, modules and the generated configuration: what can be said without a server."""

import pytest

from outrider.channels.asterisk import modules, version
from outrider.channels.asterisk.configuration import HIDDEN, media_ports, snippets, text
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.version import OLDEST, Version
from outrider.errors import InvalidInputError

SETTINGS = AsteriskSettings("a", "http://10.0.0.5:8088", "user", "s3cret")


@pytest.mark.parametrize(
    ("url", "http", "websocket", "port"),
    [
        ("http://10.0.0.5:8088", "http://10.0.0.5:8088/ari", "ws://10.0.0.5:8088", 8088),
        ("http://10.0.0.5:8088/ari/", "http://10.0.0.5:8088/ari", "ws://10.0.0.5:8088", 8088),
        ("https://pbx/prefix", "https://pbx/prefix/ari", "wss://pbx/prefix", 443),
        ("http://[::1]:8088", "http://[::1]:8088/ari", "ws://[::1]:8088", 8088),
    ],
)
def test_the_url_may_have_ari_at_its_end_or_not(url: str, http: str, websocket: str, port: int) -> None:
    settings = AsteriskSettings("a", url, "u", "p")
    assert (settings.http_base, settings.websocket_base, settings.port) == (http, websocket, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "ftp://pbx"),
        ("url", "10.0.0.5:8088"),
        ("url", "http://pbx:port"),
        ("url", "http://pbx/?x=1"),
        ("username", ""),
        ("app", "two words"),
        ("trunk", "PJSIP/trunk"),
        ("trunk", "PJSIP/{number}{digits}@trunk"),
        ("timeout", 0),
    ],
)
def test_wrong_settings_name_their_field(name: str, value: object) -> None:
    fields = {"name": "a", "url": "http://pbx:8088", "username": "u", "password": "p", name: value}
    with pytest.raises(InvalidInputError) as refused:
        AsteriskSettings(**fields)  # type: ignore[arg-type] # fields by name
    assert refused.value.facts["where"] == f"asterisk.a.{name}"


def test_the_password_is_never_shown() -> None:
    assert "s3cret" not in repr(SETTINGS)
    assert "s3cret" not in text(snippets(SETTINGS))
    assert HIDDEN in text(snippets(SETTINGS))
    assert "password=s3cret" in text(snippets(SETTINGS, reveal=True))


def test_each_worker_has_an_application_of_its_own_in_one_family() -> None:
    one = AsteriskSettings("a", "http://pbx", "u", "p", controller="one")
    assert one.application == "outrider-one"
    assert [one.is_family(name) for name in ("outrider", "outrider-two", "outriders", "other")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("22.10.1+dfsg+~cs6.17", Version(22, 10, 1)),
        ("20.3", Version(20, 3)),
        ("certified/20.7-cert2", Version(20, 7)),
        ("GIT-20-0a1b2c", Version(20)),
        ("16.28.0~dfsg-0+deb11u3", Version(16, 28, 0)),
        ("master", None),
    ],
)
def test_versions_are_read(said: str, known: Version | None) -> None:
    assert version.parse(said) == known


@pytest.mark.parametrize(
    ("number", "requests", "media"),
    [
        (Version(20, 13), False, False),
        (Version(20, 14), True, False),
        (Version(20, 16), True, True),
        (Version(21, 8), False, False),
        (Version(22, 3, 9), False, False),
        (Version(22, 4), True, False),
        (Version(22, 10, 1), True, True),
        (Version(23), True, True),
        (None, True, True),
    ],
)
def test_what_a_version_can_do(number: Version | None, *, requests: bool, media: bool) -> None:
    assert version.takes_requests_on_websocket(number) is requests
    assert version.has_media_websocket(number) is media


def test_the_oldest_supported_version_is_20() -> None:
    assert Version(18, 26) < OLDEST <= Version(20, 0, 0)


def test_missing_modules_are_those_that_do_not_run() -> None:
    everything = [f"{need.module}.so" for need in modules.NEEDS]
    assert list(modules.missing(everything)) == []
    (lost,) = modules.missing(name for name in everything if name != "chan_websocket.so")
    assert (lost.module, lost.purpose, lost.essential) == ("chan_websocket", "speech recognition", False)
    without_sip = [name for name in everything if "pjsip" not in name]
    assert {need.module for need in modules.missing(without_sip)} >= {"chan_pjsip", "res_pjsip_session"}
    assert list(modules.missing(without_sip, over_sip=False)) == []


def test_the_configuration_fits_the_settings() -> None:
    settings = AsteriskSettings("a", "http://10.0.0.5:8088", "user", "p", trunk="PJSIP/{number}@carrier")
    parts = {part.file: part.text for part in snippets(settings, 1000, carrier="sip.example.org:5070")}
    assert "bindaddr=10.0.0.5\nbindport=8088\n" in parts["http.conf"]
    assert "[user]\ntype=user\nread_only=no\n" in parts["ari.conf"]
    assert "[carrier]\ntype=endpoint\n" in parts["pjsip.conf"]
    assert "contact=sip:sip.example.org:5070" in parts["pjsip.conf"]
    assert "match=sip.example.org\n" in parts["pjsip.conf"]
    assert "Stasis(${OUTRIDER_APP},amd,${AMDSTATUS},${AMDCAUSE})" in parts["extensions.conf"]
    assert "rtpstart=10000\nrtpend=12598\n" in parts["rtp.conf"]
    assert "maxfiles=5024" in parts["asterisk.conf"]
    secure = AsteriskSettings("a", "https://pbx:8089", "user", "p", trunk="SIP/t/{number}")
    parts = {part.file: part.text for part in snippets(secure)}
    assert "tlsbindaddr=0.0.0.0:8089" in parts["http.conf"]
    assert "pjsip.conf" not in parts


def test_there_are_never_more_media_ports_than_ports() -> None:
    assert media_ports(100_000) == (10_000, 65_535)
