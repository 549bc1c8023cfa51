"""Asterisk servers set up wrongly: each is one sentence in `media check`, on the page and in the log.

All of them are registered at once; a real worker tries them, and people read what it says.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.ports import free_udp_ports

from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.licences import division
from support.databases import sqlite_url
from support.mail_sink import own_certificate
from support.misconfigured import Misconfigured, misconfigured, one_sentence
from support.odd_servers import asterisk_of, closed_port, http_server

TRUNKS = """
[dead]
type=endpoint
transport=udp
context=inbound
disallow=all
allow=ulaw
aors=dead
[dead]
type=aor
contact=sip:127.0.0.1:{port}
qualify_frequency=1
qualify_timeout=0.3
[video]
type=endpoint
transport=udp
context=inbound
disallow=all
allow=g729
aors=trunk
"""
LOOKER = """
[looker]
type=user
read_only=yes
password=outrider-password
"""
DISABLED = "[general]\nenabled=no\n"


@dataclass(frozen=True)
class Case:
    """What is registered, on which of the servers, and the words that must be said of it.

    `url` and `fields` may name places of `Places`; `level` is what `media check` begins the line with.
    """

    url: str
    words: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    sight: str = "failing"


CASES = {
    "wrong-password": Case(
        "{good}", ("user 'outrider' or its password is wrong", "ari.conf"), {"secret": "bad"}
    ),
    "wrong-user": Case(
        "{good}", ("user 'nobody' or its password is wrong", "ari.conf"), {"username": "nobody"}
    ),
    "closed-port": Case("http://127.0.0.1:{closed}", ("nothing listens at 127.0.0.1:{closed}", "http.conf")),
    "dns": Case(
        "http://no-such-host.invalid:8088", ("the name no-such-host.invalid cannot be resolved", "DNS")
    ),
    "tls-to-plain": Case("{secure}", ("does not speak TLS", "use http://")),
    "plain-to-tls": Case("http://127.0.0.1:{tls}", ("does not answer in plain HTTP", "use https://")),
    "certificate": Case(
        "https://127.0.0.1:{tls}", ("certificate of 127.0.0.1:{tls} is not trusted", "issue")
    ),
    "other-web-server": Case("http://127.0.0.1:{web}", ("does not answer like ARI", "check its url")),
    "no-ari": Case("{disabled}", ("there is no ARI at", "enabled=yes in ari.conf")),
    "old": Case("http://127.0.0.1:{old}", ("is version 16.28.0", "version 20 or later is needed", "upgrade")),
    "no-websocket": Case("http://127.0.0.1:{deaf}", ("would not open a websocket", "res_http_websocket")),
    "no-channels": Case("{without_channels}", ("module res_ari_channels is not loaded", "making calls")),
    "no-trunk": Case(
        "{good}", ("no PJSIP endpoint 'nowhere'", "pjsip.conf"), {"trunk": "PJSIP/{number}@nowhere"}
    ),
    "dead-trunk": Case(
        "{good}", ("trunk 'dead' is unreachable", "pjsip show contacts"), {"trunk": "PJSIP/{number}@dead"}
    ),
    "codecs": Case(
        "{good}",
        ("none of the trunk's codecs (g729)", "allow ulaw or alaw"),
        {"trunk": "PJSIP/{number}@video"},
    ),
    "read-only": Case("{good}", ("user 'looker' may", "read_only=no"), {"username": "looker"}),
    "wrong-zone": Case("{good}", ("zone 'south' has no telephony ports", "Licences page"), {"zone": "south"}),
    "no-speech": Case(
        "{without_media}", ("module chan_websocket is not loaded", "speech recognition"), sight="limited"
    ),
    "no-amd": Case("{without_media}", ("module app_amd is not loaded", "AMD()"), sight="limited"),
}
BESIDE_OTHERS = frozenset({"no-speech", "no-amd"})
"""Found beside other things that are missing."""


@dataclass(frozen=True)
class Told:
    """What people were told of every server: by the command, by the API, by the page and by the log."""

    places: dict[str, object]
    commands: dict[str, str]
    channels: dict[str, dict[str, object]]
    page: str
    registry: str
    log: tuple[str, ...]

    def words(self, case: Case) -> list[str]:
        """Return what must be said, with the ports of this run."""
        return [each.format(**self.places) if "{" in each else each for each in case.words]


@contextlib.contextmanager
def servers(bed: Bed, folder: Path) -> Iterator[dict[str, object]]:
    """Give the addresses of real servers, good and bad."""
    (nobody,) = free_udp_ports(1)
    with contextlib.ExitStack() as stack:

        def start(name: str, **options: object) -> AsteriskServer:
            return stack.enter_context(running_asterisk(bed, folder / name, nobody, **options))

        good = start("good", additions={"pjsip.conf": TRUNKS.format(port=nobody), "ari.conf": LOOKER})
        disabled = start("disabled", files={"ari.conf": DISABLED})
        channels = start("channels", without=frozenset({"res_ari_channels"}))
        missing = frozenset({"chan_websocket", "app_amd"})
        media = start("media", without=missing)
        yield {
            "good": good.ari_url,
            "secure": good.ari_url.replace("http:", "https:"),
            "disabled": disabled.ari_url,
            "without_channels": channels.ari_url,
            "without_media": media.ari_url,
            "closed": stack.enter_context(closed_port()),
        }


def odd_servers(system: Misconfigured, folder: Path, stack: contextlib.AsyncExitStack) -> dict[str, object]:
    """Open servers that are no good Asterisk, in the worker's loop; return their ports."""
    tls, _ = own_certificate(folder)
    deaf = asterisk_of("22.5.1", **{"/ari/events": (200, "no websocket here")})
    wanted = {
        "tls": http_server({}, tls),
        "web": http_server({"/ari/asterisk/info": (200, "<html>It works!</html>")}),
        "old": http_server(asterisk_of("16.28.0")),
        "deaf": http_server(deaf),
    }
    return {name: system.run(stack.enter_async_context(server)) for name, server in wanted.items()}


@pytest.fixture(scope="module")
def told(testbed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Register every case, let the worker try them all, and keep what was said."""
    folder = tmp_path_factory.mktemp("misconfigured")
    stack = contextlib.AsyncExitStack()
    with sqlite_url(folder) as url, servers(testbed, folder) as real:
        database = Database(url, connections=4)
        with misconfigured(database, folder / "data") as system:
            try:
                places = {**real, **odd_servers(system, folder, stack)}
                yield tried(system, places)
            finally:
                system.run(stack.aclose())
        database.close()


def tried(system: Misconfigured, places: dict[str, object]) -> Told:
    """Return what is told of all cases, once each was tried."""
    system.database.write_now(division.add_zone, "south", RealClock().now(), "test")
    for name, case in CASES.items():
        own = {"app": f"app-{name}", "maximum_ports": 5}
        fields = {"url": case.url.format(**places), **own, **case.fields}
        system.media_server(name, **fields)

    def all_seen() -> dict[str, dict[str, object]] | None:
        seen = system.channels()
        return seen if all(seen[name]["sight"] == case.sight for name, case in CASES.items()) else None

    try:
        seen = system.until("every server was tried", all_seen)
    except AssertionError as error:
        seen = system.channels()
        wrong = {name: seen[name] for name, case in CASES.items() if seen[name]["sight"] != case.sight}
        raise AssertionError(wrong) from error
    commands = {name: system.command("media", "check", name) for name in CASES}
    pages = (system.page("/channels"), system.page("/media"))
    return Told(places, commands, seen, *pages, tuple(system.logged()))


@pytest.mark.parametrize("name", CASES)
def test_a_media_server_set_up_wrongly_is_told_in_one_sentence(told: Told, name: str) -> None:
    case, words = CASES[name], told.words(CASES[name])
    sentences = [str(each) for each in told.channels[name]["sentences"]]  # type: ignore[attr-defined] # JSON
    (said,) = [each for each in sentences if all(word in each for word in words)]
    one_sentence(said)
    assert len(sentences) == 1 or name in BESIDE_OTHERS, sentences
    # The page shows it, the log has it once, and the command says the very same.
    assert said[1:] in told.page
    assert said[1:] in told.registry
    assert told.log.count(said) >= 1
    mark = "wrong: " if case.sight == "failing" else "warning: "
    (line,) = [each for each in told.commands[name].splitlines() if all(word in each for word in words)]
    assert line.startswith(mark)
    assert line.endswith(said)


def test_what_does_not_change_is_logged_once(told: Told) -> None:
    refused = [each for each in told.log if "user 'nobody' or its password" in each]
    assert len(refused) == 1


def test_an_asterisk_that_is_registered_twice_is_told(asterisk: AsteriskServer, tmp_path: Path) -> None:
    with sqlite_url(tmp_path) as url:
        database = Database(url, connections=4)
        with misconfigured(database, tmp_path / "data") as system:
            for name in ("left", "right"):
                system.media_server(name, url=asterisk.ari_url, maximum_ports=5)
            registered = "are the same Asterisk with the same app 'outrider'"
            system.until("one of them sees it", lambda: registered in system.page("/media"))
            system.until("the channels tell it too", lambda: registered in system.page("/channels"))
            system.until("it is logged", lambda: any(registered in each for each in system.logged()))
            one_sentence(next(each for each in system.logged() if registered in each))
            assert registered in system.command("media", "check", "left")
        database.close()
