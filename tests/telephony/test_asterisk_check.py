"""`check` on real servers that are set up wrongly on purpose, and on one of the generated configuration."""

import asyncio
from pathlib import Path

import pytest
from tools.testbed import ports
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome
from tools.testbed.public_network import PublicNetwork

from outrider.channels.asterisk import client, messages
from outrider.channels.asterisk.check import PROBE, check
from outrider.channels.asterisk.configuration import snippets
from outrider.channels.asterisk.findings import Finding, Level
from outrider.channels.asterisk.settings import AsteriskSettings, Requests
from outrider.channels.asterisk.version import Version
from outrider.channels.model import AnsweredBy, CallClassified
from support.asterisk_driving import Driving, drive, settings_of

READ_ONLY = """[general]
enabled=yes
[outrider]
type=user
read_only=yes
password=outrider-password
"""


def findings(settings: AsteriskSettings, *, in_use: bool = False) -> list[Finding]:
    async def run() -> list[Finding]:
        async with asyncio.timeout(30):
            return await check(settings, in_use=in_use)

    return asyncio.run(run())


def told(settings: AsteriskSettings, level: Level, what: str) -> str:
    """Return the one message of this name; it must be of this level."""
    found = findings(settings)
    (one,) = [finding for finding in found if finding.what == what]
    assert one.level is level, found
    assert "\n" not in one.message
    return one.message


@pytest.mark.parametrize(
    ("changes", "what", "message"),
    [
        ({"password": "wrong"}, "credentials", "password is wrong"),
        ({"username": "nobody"}, "credentials", "'nobody' or its password"),
        ({"url": "http://127.0.0.1:9"}, "refused", "nothing listens at 127.0.0.1:9"),
        ({"url": "http://no-such-host.invalid:8088"}, "dns", "no-such-host.invalid cannot be resolved"),
        ({"url": "{base}/elsewhere"}, "ari", "there is no ARI at"),
        ({"url": "{secure}"}, "tls", "does not speak TLS"),
        ({"trunk": "PJSIP/{number}@nowhere"}, "trunk", "no PJSIP endpoint 'nowhere'"),
    ],
)
def test_wrong_settings_are_told_in_one_sentence(
    asterisk: AsteriskServer, changes: dict[str, str], what: str, message: str
) -> None:
    base = asterisk.ari_url.removesuffix("/ari")
    secure = base.replace("http", "https", 1)
    filled = {
        name: value.replace("{base}", base).replace("{secure}", secure) for name, value in changes.items()
    }
    assert message in told(settings_of(asterisk, **filled), Level.ERROR, what)


def test_a_frozen_server_is_told_to_give_no_answer(asterisk: AsteriskServer) -> None:
    asterisk.suspend()
    try:
        message = told(settings_of(asterisk, timeout=1.0), Level.ERROR, "timeout")
    finally:
        asterisk.resume()
    assert "did not answer within 1 s" in message


def test_an_old_version_is_refused(asterisk: AsteriskServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "OLDEST", Version(99))
    assert "is version 22" in told(settings_of(asterisk), Level.ERROR, "version")


def test_requests_fall_back_to_http_where_the_websocket_gives_no_answer(
    asterisk: AsteriskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked to keep its answers from us, a server does what those do that know no requests here.
    wanted = {"allowed": [{"type": "StasisStart"}]}
    monkeypatch.setattr(messages, "wanted", lambda: wanted)
    monkeypatch.setattr(client, "TRIAL", 0.5)
    assert "HTTP is used" in told(settings_of(asterisk), Level.WARNING, "requests")
    # Who wants HTTP is not told that it is HTTP.
    assert not [
        one for one in findings(settings_of(asterisk, requests=Requests.HTTP)) if one.what == "requests"
    ]


def test_a_clash_of_applications_is_told(asterisk: AsteriskServer) -> None:
    settings = settings_of(asterisk, app="clashing")
    before: list[Finding] = []

    async def scenario(driver: Driving) -> None:
        before.extend(await check(settings))
        name = await driver.call("undisturbed", Outcome.BUSY)
        await driver.end_of(name)

    drive(scenario, settings)
    (clash,) = [one for one in before if one.what == "application"]
    assert clash.level is Level.WARNING
    assert "take each other's events" in clash.message
    assert not [one for one in findings(settings, in_use=True) if one.what == "application"]


def test_missing_modules_a_user_who_may_only_look_and_wrong_codecs_are_told(
    testbed: Bed, public_network: PublicNetwork, tmp_path: Path
) -> None:
    without = frozenset({"chan_websocket", "res_ari_playbacks", "func_dialplan"})
    with running_asterisk(
        testbed, tmp_path, public_network.port, without=without, codecs="g729", files={"ari.conf": READ_ONLY}
    ) as server:
        settings = settings_of(server)
        found = {one.what: one for one in findings(settings)}
        assert "user 'outrider' may not choose events" in found["permission"].message
        server.instance = type(server.instance)(
            **{name: getattr(server.instance, name) for name in ("sip_port", "http_port", "media")},
            carrier_port=public_network.port,
            without=without,
            codecs="g729",
        )
        server.restart()
        found = {one.what: one for one in findings(settings)}
        assert found["module res_ari_playbacks"].level is Level.ERROR
        assert found["module chan_websocket"].level is Level.WARNING
        assert "speech recognition" in found["module chan_websocket"].message
        assert found["codecs"].level is Level.ERROR
        assert "g729" in found["codecs"].message
        assert "func_dialplan is not loaded" in found["detection"].message
        assert "usable" not in found


def test_an_unknown_codec_is_told(testbed: Bed, public_network: PublicNetwork, tmp_path: Path) -> None:
    with running_asterisk(testbed, tmp_path, public_network.port, codecs="nonsense") as server:
        assert "such as an unknown codec" in told(settings_of(server), Level.ERROR, "trunk")


def test_a_server_of_the_generated_configuration_has_nothing_wrong_and_works(
    testbed: Bed, public_network: PublicNetwork, tmp_path: Path
) -> None:
    port = ports.free_tcp_port()
    written = AsteriskSettings(
        "generated", f"http://127.0.0.1:{port}", "generated", "a-password", trunk="PJSIP/{number}@carrier"
    )
    carrier = f"127.0.0.1:{public_network.port}"
    parts = {part.file: part.text for part in snippets(written, 50, reveal=True, carrier=carrier)}
    # Our trunk has a transport in the test bed's own file; the provider answers no OPTIONS there.
    trunk = parts["pjsip.conf"].replace("qualify_frequency=60", "qualify_frequency=0")
    with running_asterisk(
        testbed,
        tmp_path,
        public_network.port,
        http_port=port,
        username="generated",
        files={name: parts[name] for name in ("http.conf", "ari.conf", "amd.conf")},
        additions={
            "pjsip.conf": trunk.replace("[carrier]\ntype=identify\nendpoint=carrier\nmatch=127.0.0.1\n", ""),
            "extensions.conf": parts["extensions.conf"],
            "modules.conf": parts["modules.conf"].removeprefix("[modules]\n"),
        },
        password="a-password",
    ) as server:
        found = findings(written)
        assert [one for one in found if one.level is not Level.OK] == []
        assert {one.what for one in found} == {"connection", "trunk", "codecs", "detection", "usable"}
        # Asterisk may still have had something for the check's own application when that was gone.
        errors = [line for line in server.log.splitlines() if "ERROR" in line and PROBE not in line]
        assert errors == []

        async def scenario(driver: Driving) -> None:
            name = await driver.call("generated", Outcome.HUMAN, detect_machine=True)
            await driver.has(name, CallClassified)
            classified = driver.heard.of(name)[-1]
            assert isinstance(classified, CallClassified)
            assert classified.by is AnsweredBy.HUMAN
            await driver.channel.hang_up(name)
            await driver.end_of(name)

        drive(scenario, written)
