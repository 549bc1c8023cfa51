"""A system that is set up wrongly on purpose, in one process: its worker, pages, log, commands.

Tests of misconfigurations register servers, let the worker try them, and read what people are told.
"""

import asyncio
import contextlib
import html
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from click.testing import CliRunner
from structlog.testing import LogCapture

from outrider import adapters
from outrider.campaigns.strategy import Channel
from outrider.channel_reports import api as channels_api
from outrider.channel_reports.checking import ChannelChecks
from outrider.channels.media_servers import MediaServers
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.cli import cli
from outrider.clock import Clock, RealClock
from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.fleet import AsteriskFleet, check_server
from outrider.licences.service import SharingRules
from outrider.media import service as media
from outrider.media.checking import ServerCheck
from outrider.media.model import Plan
from outrider.runtime.composing import Composer
from outrider.runtime.mailing import MailComposer
from outrider.runtime.media_keeper import MediaKeeper
from outrider.runtime.performer import Channels
from outrider.runtime.slots import Slot
from outrider.runtime.worker import Worker
from outrider.settings import Settings, WorkerSettings
from outrider.speech.check import SpeechCheck
from outrider.speech.check import make_check as make_speech_check
from outrider.speech.settings import SpeechSettings
from outrider.supply import api as supply_api
from outrider.ways_out import make_channel_checks, make_keeper
from outrider.web.coalescing import Coalescer
from outrider.web.pages import channels, platform
from outrider.web.pages import media as media_pages
from support.campaigning import RULES, Campaigning, campaigning
from support.processes import eventually
from support.web import Api, Site, open_site

PATIENCE = 40.0
ROUTERS = (supply_api.router, channels.router, channels_api.router, media_pages.router, platform.router)
LONGEST_SENTENCE = 330


@dataclass
class Misconfigured:
    """One system. `settings` are those of its settings file, which commands are given too."""

    site: Site
    system: Campaigning
    settings: Settings
    settings_file: Path
    sealer: Sealer
    log: LogCapture
    ways: Channels = field(repr=False)
    """The worker's own channels."""
    _api: Api | None = field(default=None, repr=False)

    @property
    def database(self) -> Database:
        """The database."""
        return self.site.database

    @property
    def api(self) -> Api:
        """A client that is signed in as the administrator."""
        if self._api is None:
            self._api = self.site.as_user("root")
        return self._api

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` on the loop that worker and servers live in."""
        return self.site.runner.run(work)

    def media_server(self, name: str, **fields: Any) -> None:
        """Register a media server."""
        values = {"url": "http://127.0.0.1:9", "username": "outrider", "secret": "outrider-password"}
        plan = Plan(name=name, **{**values, **fields})
        self.database.write_now(media.add, self.sealer, plan, self.site.clock.now(), "test")

    def command(self, *arguments: str) -> str:
        """Run an `outrider` command over this system's settings; return what it said, errors too."""
        found = CliRunner().invoke(cli, [*arguments, "--settings", str(self.settings_file)])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            return f"{found.output}{getattr(found.exception, 'message', repr(found.exception))}"
        return found.output

    def page(self, address: str) -> str:
        """Return a page as people read it: entities replaced."""
        answer = self.api.get(address, headers={"accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def channels(self) -> dict[str, dict[str, Any]]:
        """Return all ways out by name, as the API tells them."""
        answer = self.api.get("/api/channels")
        assert answer.status_code == 200, answer.text
        return {each["name"]: each for each in answer.json()}

    def logged(self) -> list[str]:
        """Return the sentences of the log so far."""
        return [str(entry["message"]) for entry in list(self.log.entries) if "message" in entry]

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait until something holds."""
        return eventually(what, holds, PATIENCE)


@contextlib.contextmanager
def misconfigured(
    database: Database,
    folder: Path,
    settings: Mapping[str, Any] | None = None,
    *,
    speech: SpeechSettings | None = None,
    clock: Clock | None = None,
    **licences: int,
) -> Iterator[Misconfigured]:
    """Give a system whose settings file says `settings`; its worker runs once `start_worker` was called."""
    clock = clock or RealClock()
    system = campaigning(database, clock.now())
    system.license(clock.now(), **(licences or {"outbound_ports": 100, "telephony_ports": 100, "email": 1}))
    url = database.url.render_as_string(hide_password=False)
    made = Settings(data_folder=folder, database=url, **(settings or {}))
    made.make_data_folder()
    file = folder / "settings.toml"
    file.write_text(
        _toml({"data_folder": str(folder), "database": url, **(settings or {})}), encoding="utf-8"
    )
    sealer = adapters.make_sealer(made)
    speaking = make_speech_check(speech or SpeechSettings(prompts_folder=folder / "prompts"))
    log = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[log], cache_logger_on_first_use=False)
    parts: dict[type, object] = {
        Sealer: sealer,
        ServerCheck: ServerCheck(check_server),
        ChannelChecks: make_channel_checks(made, database, sealer, speaking),
        SpeechCheck: speaking,
        SharingRules: RULES,
        Coalescer: Coalescer(database, RULES, clock),
    }
    try:
        with open_site(
            database,
            folder,
            ROUTERS,
            clock=clock,
            change=lambda edge: replace(edge, parts=parts, settings=made),
        ) as site:
            site.user("root")
            slot = Slot(made.data_folder)
            ways = _channels(made, clock, slot)
            found = Misconfigured(site, system, made, file, sealer, log, ways)
            with _working(found, speaking, slot):
                yield found
    finally:
        structlog.configure(**before)


@contextlib.contextmanager
def _working(system: Misconfigured, speaking: SpeechCheck, slot: Slot) -> Iterator[None]:
    """Run a worker of this system, as `outrider serve` composes it, beside the block."""
    worker: Worker
    running: asyncio.Future[None]

    async def start() -> None:
        nonlocal worker, running
        worker = _worker(system, speaking, slot)
        running = asyncio.ensure_future(worker.run())

    async def stop() -> None:
        await worker.stop(patience=1.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
        for _ in range(20):
            # Connections that were closed end with the loop's next turns.
            await asyncio.sleep(0)

    system.run(start())
    try:
        yield
    finally:
        system.run(stop())
        slot.release()


def _channels(settings: Settings, clock: Clock, slot: Slot) -> Channels:
    """Return the ways out that the settings ask for; connections are made when the worker opens them."""
    carrier = (
        adapters.make_carrier(settings, clock, slot.name)
        if settings.carrier.address
        else EmbeddedCarrier(SimulatedCarrier(clock, seed=1))
    )
    return Channels(
        MediaServers(clock, carrier),
        adapters.make_mail(settings, clock),
        adapters.make_text(settings, clock),
        adapters.make_webhooks(settings, clock),
    )


def _worker(system: Misconfigured, speaking: SpeechCheck, slot: Slot) -> Worker:
    settings, clock, ways = system.settings, system.site.clock, system.ways
    assert isinstance(ways.voice, MediaServers)
    fleet = AsteriskFleet(ways.voice, slot.name, "sound:")
    keeper = MediaKeeper(system.database, clock, RealClock(), system.sealer, fleet, 0.1)
    composer = Composer(MailComposer(b"0123456789abcdef", "http://localhost"))
    worker = Worker(
        system.database, RULES, clock, RealClock(), ways, composer, slot, WorkerSettings(poll=0.1), keeper
    )
    worker.channel_keeper = make_keeper(
        settings,
        system.database,
        system.sealer,
        ways,
        fleet,
        lambda: worker.driver.trouble.get(Channel.EMAIL, ""),
        speaking,
    )
    return worker


def one_sentence(text: str) -> str:
    """Return a text that is told to people, after making sure that it is one clear sentence."""
    assert text, "nothing was said"
    for wrong in ("\n", "Traceback", "Errno", "object at 0x", "Exception", "_ssl.c"):
        assert wrong not in text, text
    assert len(text) <= LONGEST_SENTENCE, text
    assert ". " not in text.replace("i.e. ", ""), text
    return text


def _toml(values: Mapping[str, Any]) -> str:
    """Return settings as a TOML file: tables, arrays of tables, texts, numbers."""
    plain = [f"{key} = {_value(value)}" for key, value in values.items() if not _is_table(value)]
    parts = ["\n".join(plain)]
    for key, value in values.items():
        if _is_table(value):
            parts += _table(key, value)
    return "\n".join(parts) + "\n"


def _table(name: str, values: Mapping[str, Any]) -> list[str]:
    lines = [f"[{name}]", *(f"{key} = {_value(each)}" for key, each in values.items() if not _is_table(each))]
    for key, each in values.items():
        if _is_table(each):
            lines += _table(f"{name}.{key}", each)
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    return repr(value) if isinstance(value, (int, float)) else '"' + str(value).replace("\\", "\\\\") + '"'
