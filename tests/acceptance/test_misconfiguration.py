"""Mail, text, speech, carrier and licences set up wrongly: one sentence by command, on the page, in the log.

Real servers on loopback, a real worker that tries them, and the commands of `outrider`. Media servers are in
tests/telephony.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from outrider import adapters
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.status import Status
from outrider.cli.speech import speech as speech_command
from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.demo.mail_sink import SinkSettings
from outrider.licences import division
from outrider.licences.model import LicenceKind
from outrider.media.port_findings import without_server
from outrider.runtime.monitor import Monitor
from outrider.runtime.platform import PlatformManager, PollSettings
from outrider.speech import service as speech
from outrider.speech.model import Engine, Plan
from outrider.supply.keys import generate_keypair
from support.campaigning import RULES
from support.databases import sqlite_url
from support.licence_servers import HOST, add_clients, address_of, load, make_certificate, start_server
from support.mail_sink import own_certificate, sink
from support.message_centre import Hearer, a_text, centre
from support.misconfigured import Misconfigured, misconfigured, one_sentence
from support.odd_servers import closed_port, http_server
from support.outreach import LeapingClock
from support.processes import programs
from support.scripted_smtp import scripted_smtp
from support.web import Runner


@dataclass(frozen=True)
class Ground:
    """Where servers of a test live: a loop, what is open, and a certificate of our own."""

    runner: Runner
    stack: contextlib.AsyncExitStack
    folder: Path
    closed: int

    def open(self, server: Any) -> Any:
        """Open an async context manager for as long as the test."""
        return self.runner.run(self.stack.enter_async_context(server))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Give a place for servers."""
    with Runner() as runner, closed_port() as closed:
        stack = contextlib.AsyncExitStack()
        yield Ground(runner, stack, tmp_path, closed)
        runner.run(stack.aclose())


def told_everywhere(system: Misconfigured, name: str, words: tuple[str, ...], command: str) -> str:
    """Return the sentence that is on the page, once it is; the log and the command must say the same."""

    def said() -> str | None:
        sentences = system.channels().get(name, {"sentences": []})["sentences"]
        return next((each for each in sentences if all(word in each for word in words)), None)

    try:
        sentence: str = system.until(f"{name} is told: {words}", said)
    except AssertionError as error:
        raise AssertionError(system.channels().get(name)) from error
    one_sentence(sentence)
    assert sentence[1:] in system.page("/channels")
    assert system.logged().count(sentence) == 1
    assert sentence in command
    return sentence


# Mail


@dataclass(frozen=True)
class Mail:
    """A mail server, the settings for it, and what must be said. `server` returns its port."""

    words: tuple[str, ...]
    server: Callable[[Ground], int]
    settings: dict[str, Any] = field(default_factory=dict)


def sinking(**settings: Any) -> Callable[[Ground], int]:
    """Return what opens the demo's mail server."""
    return lambda ground: int(ground.open(sink(SinkSettings(**settings))).port)


def encrypted(ground: Ground) -> int:
    """Open a mail server with a certificate that nobody trusts."""
    return int(ground.open(sink(SinkSettings(tls=own_certificate(ground.folder)[0]))).port)


def refusing_senders(ground: Ground) -> int:
    """Open a mail server that sends for others only."""
    return int(ground.open(scripted_smtp({"MAIL": "550 5.1.8 not your domain"})).port)


def web(ground: Ground) -> int:
    """Open a web server."""
    return int(ground.open(http_server({})))


MAILS = {
    "closed port": Mail(
        ("nothing listens on 127.0.0.1 port", "check the port"), lambda ground: ground.closed
    ),
    "dns": Mail(("no address is known for mail.invalid", "DNS"), lambda _: 587, {"host": "mail.invalid"}),
    "sign-in": Mail(
        ("refuses the user name 'out' or its password", "535"),
        sinking(username="out", password="right"),
        {"username": "out", "password": "wrong"},
    ),
    "no STARTTLS": Mail(("offers no STARTTLS", "set tls to"), sinking(), {"tls": "starttls"}),
    "certificate": Mail(("certificate is self-signed", "ca_file"), encrypted, {"tls": "starttls"}),
    "implicit": Mail(("does not begin with TLS", 'set tls to "starttls"'), sinking(), {"tls": "implicit"}),
    "sender": Mail(
        ("the sender news@out.test is refused", "not your domain"),
        refusing_senders,
        {"envelope_sender": "news@out.test"},
    ),
    "no certificates": Mail(
        ("ca_file", "cannot be used"), sinking(), {"tls": "starttls", "ca_file": "{none}"}
    ),
}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_server_set_up_wrongly(name: str, sqlite_database: Database, ground: Ground) -> None:
    case = MAILS[name]
    given = {
        key: str(ground.folder / "none.pem") if value == "{none}" else value
        for key, value in case.settings.items()
    }
    email = {"host": "127.0.0.1", "port": case.server(ground), "tls": "none", "timeout": 5.0, **given}
    with misconfigured(sqlite_database, ground.folder / "data", {"email": email}) as system:
        told_everywhere(system, "Mail server", case.words, system.command("mail", "check"))


# Text messages

TEXTS = {
    "closed": ("nobody listens at 127.0.0.1:", "check host and port"),
    "dns": ("the name sms.invalid is not known", "check host and DNS"),
    "password": ("refused the bind of test", "the password is wrong (0x0E)", "check password"),
    "account": ("refused the bind of nobody", "the system id is wrong (0x0F)", "check system_id"),
    "full": ("refused the bind of test", "already bound", "end the other connection"),
    "tls-to-plain": ("speak TLS on this port", "set tls to false"),
    "plain-to-tls": ("speaks TLS on this port", "set tls to true"),
    "certificate": ("certificate that is not trusted", "ca_file"),
    "web": ("does not speak SMPP",),
}


def test_message_centres_set_up_wrongly(sqlite_database: Database, ground: Ground) -> None:
    good, full = ground.open(centre()), ground.open(centre(CentreBehaviour(most_binds=1)))
    secure = ground.open(centre(tls=own_certificate(ground.folder)[0]))
    other = SmppChannel([SmppSettings("other", "127.0.0.1", full.port, "test", "test")], RealClock())
    ground.runner.run(other.open(Hearer()))
    assert ground.runner.run(other.bound(10.0))
    account = {"host": "127.0.0.1", "system_id": "test", "password": "test", "timeout": 5.0}
    changes: dict[str, dict[str, Any]] = {
        "closed": {"port": ground.closed},
        "dns": {"host": "sms.invalid"},
        "password": {"port": good.port, "password": "wrong"},
        "account": {"port": good.port, "system_id": "nobody"},
        "full": {"port": full.port},
        "tls-to-plain": {"port": good.port, "tls": True},
        "plain-to-tls": {"port": secure.port},
        "certificate": {"port": secure.port, "tls": True},
        "web": {"port": web(ground)},
    }
    connections = [{"name": name, **account, **each} for name, each in changes.items()]
    with misconfigured(
        sqlite_database, ground.folder / "data", {"sms": {"connections": connections}}
    ) as system:
        for name, words in TEXTS.items():
            told_everywhere(system, name, words, system.command("sms", "check", name))
    ground.runner.run(other.close())


def test_a_sender_that_the_message_centre_refuses(sqlite_database: Database, ground: Ground) -> None:
    server = ground.open(centre(CentreBehaviour(refuse={"7": Status.INVALID_SOURCE})))
    account = {"name": "main", "host": "127.0.0.1", "port": server.port, "system_id": "test"}
    sms = {"connections": [{**account, "password": "test", "sender": "HARBOUR"}]}
    with misconfigured(sqlite_database, ground.folder / "data", {"sms": sms}) as system:
        system.until("it is bound", lambda: system.channels()["main"]["sight"] == "working")
        assert system.ways.text is not None
        system.run(system.ways.text.send(a_text("m1", "+4915550007")))
        words = ("refuses texts from the sender HARBOUR", "not allowed or not valid (0x0A)", "approved")
        sentence = system.until(
            "it is told", lambda: next(iter(system.channels()["main"]["sentences"]), None)
        )
        assert all(word in sentence for word in words), sentence
        one_sentence(sentence)
        assert sentence[1:] in system.page("/channels")
        assert system.logged().count(sentence) == 1


# Calls and speech


def test_a_carrier_that_is_not_there(sqlite_database: Database, ground: Ground) -> None:
    carrier = {"address": f"127.0.0.1:{ground.closed}"}
    with misconfigured(sqlite_database, ground.folder / "data", {"carrier": carrier}) as system:
        tried = system.api.post("/api/channels/carrier/check").json()
        words = ("the carrier at 127.0.0.1:", "nothing listens there", "outrider carrier serve")
        told_everywhere(system, "Carrier", words, str([each["message"] for each in tried]))


def test_jobs_in_a_zone_without_media_servers(sqlite_database: Database, ground: Ground) -> None:
    clock = LeapingClock()
    with misconfigured(sqlite_database, ground.folder / "data", clock=clock) as system:
        sqlite_database.write_now(division.add_zone, "south", clock.now(), "test")
        system.media_server("far", zone="south", url=f"http://127.0.0.1:{ground.closed}")
        people = [system.system.contact_list("people", 3, clock.now())]
        campaign = system.system.campaign("spring", people, clock.now())
        system.system.start(campaign, clock.now())
        words = ("calls wait in zone 'default'", "no media server in service", "register one there")
        told_everywhere(system, "default", words, without_server("default"))


def test_speech_without_program_or_licence(
    sqlite_database: Database, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(ground.folder))
    with misconfigured(sqlite_database, ground.folder / "data", outbound_ports=5, tts=2, asr=0) as system:
        plan = Plan(name="voice", kind=LicenceKind.TTS, engine=Engine.ESPEAK, maximum=5)
        sqlite_database.write_now(speech.add, plan, RealClock().now(), "test")
        told_everywhere(system, "voice", ("espeak-ng", "is not there"), spoken(system, "check", "voice"))
        refused = spoken(system, "add", "ears", "--engine", "pocketsphinx")
        assert "no ASR connection is licensed" in one_sentence(refused.strip())
        system.system.license(RealClock().now(), outbound_ports=5, tts=0)
        monitor = Monitor(sqlite_database, RULES, RealClock(), RealClock())
        system.run(monitor.tick())
        words = ("no licensed TTS connection falls to it", "more licences")
        told_everywhere(system, "voice", words, spoken(system, "check", "voice"))


def spoken(system: Misconfigured, *arguments: str) -> str:
    """Run `outrider speech`; return what it said."""
    found = CliRunner().invoke(speech_command, [*arguments, "--settings", str(system.settings_file)])
    return f"{found.output}{getattr(found.exception, 'message', '')}"


# Licences


@dataclass(frozen=True)
class Licence:
    """What is wrong in `licences.server`, the fault that it is, and what must be said."""

    fault: str
    words: tuple[str, ...]
    changes: dict[str, Any] = field(default_factory=dict)


LICENCES = {
    "unreachable": Licence(
        "unreachable", ("cannot be reached", "check the address"), {"url": "http://127.0.0.1:{closed}"}
    ),
    "dns": Licence("unreachable", ("name is not known", "DNS"), {"url": "https://licences.invalid:8099"}),
    "token": Licence("refused", ("refuses", "token"), {"token": "wrong"}),
    "key": Licence("forged", ("not signed", "key"), {"public_key": "{another}"}),
    "too old": Licence(
        "too_old", ("speaks protocol", "at least 99.0 is required"), {"minimum_version": "99.0"}
    ),
    "certificate": Licence(
        "unreachable", ("certificate that is not accepted", "authority"), {"ca_file": None}
    ),
    "web server": Licence(
        "broken",
        ("does not answer as a licence server", "check the address"),
        {"url": "http://127.0.0.1:{web}"},
    ),
}


@pytest.fixture(scope="module")
def licence_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run a real licence server with TLS; give settings that reach it."""
    folder = tmp_path_factory.mktemp("licences")
    with sqlite_url(folder) as url, programs(folder / "programs", data_folder=folder / "data") as commands:
        database = Database(url, connections=2)
        load(database, RealClock().now())
        token = add_clients(database, ["east"], RealClock().now())["east"]
        certificate, key = make_certificate(folder)
        options = ("--tls-cert", str(certificate), "--tls-key", str(key))
        _, port = address_of(start_server(commands, url, folder / "data", *options))
        own_key, another = folder / "server.pem", folder / "another.pem"
        own_key.write_text(commands.run("licences", "server-key", "--data-folder", str(folder / "data")).text)
        another.write_text(generate_keypair()[1])
        yield {
            "url": f"https://127.0.0.1:{port}",
            "client": "east",
            "token": token,
            "ca_file": str(certificate),
            "public_key": str(own_key),
            "another": str(another),
        }
        database.close()


@pytest.mark.parametrize("name", LICENCES)
def test_a_licence_server_set_up_wrongly(
    name: str, sqlite_database: Database, ground: Ground, licence_server: dict[str, Any]
) -> None:
    case = LICENCES[name]
    places = {"closed": ground.closed, "web": web(ground), "another": licence_server["another"]}
    changes = {key: value if value is None else value.format(**places) for key, value in case.changes.items()}
    good = {key: value for key, value in licence_server.items() if key != "another"}
    given = {key: value for key, value in {**good, **changes}.items() if value is not None}
    settings = {"licences": {"server": given}}
    with misconfigured(sqlite_database, ground.folder / "data", settings) as system:
        poll(system)
        platform = system.api.get("/api/platform").json()
        assert platform["server"]["fault"] == case.fault
        message = platform["message"]
        assert all(word in message for word in case.words), message
        one_sentence(message)
        assert message[1:] in system.page("/platform")
        assert system.logged().count(message) == 1


def poll(system: Misconfigured) -> None:
    """Do what the platform manager of `outrider serve` does, twice: what does not change is told once."""
    source = adapters.make_licence_source(
        system.settings, system.database, RealClock(), HOST, "an installation"
    )
    manager = PlatformManager(
        system.database, RULES, RealClock(), RealClock(), source, PollSettings(trust_server_time=True)
    )

    async def poll_twice() -> None:
        await manager.poll()
        await manager.poll()
        await manager.close()

    system.run(poll_twice())
