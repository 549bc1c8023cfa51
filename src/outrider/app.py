"""The composition root: settings in, running program out. The only module that knows every adapter.

`cli/serve.py` runs it; tests and the demo compose the same program with other settings.
"""

import asyncio
import contextlib
import secrets as random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

import structlog
from fastapi import APIRouter, FastAPI

from outrider import adapters
from outrider.campaigns import api as campaigns_api
from outrider.channels.base import VoiceChannel
from outrider.channels.email.news import MailNews
from outrider.channels.simulated.client import TcpCarrier
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.contacts import api as contacts_api
from outrider.db import secret_store
from outrider.db.database import Database, Tx
from outrider.db.migrate import upgrade
from outrider.dialing import mail_news
from outrider.errors import InvalidInputError, OutriderError
from outrider.jobs import api as jobs_api
from outrider.licences import api as licences_api
from outrider.licences import division_store
from outrider.licences.service import SharingRules
from outrider.observe import Metrics
from outrider.people import passwords
from outrider.people import service as people
from outrider.runtime import store as runtime_store
from outrider.runtime.composing import Composer
from outrider.runtime.importing import ImportRunner
from outrider.runtime.mailing import MailComposer
from outrider.runtime.monitor import Monitor
from outrider.runtime.performer import Channels
from outrider.runtime.slots import Slot
from outrider.runtime.worker import LeaseLostError, Worker
from outrider.settings import Settings
from outrider.supply import api as supply_api
from outrider.supply import host
from outrider.supply import service as supply
from outrider.web.access import EdgeServices
from outrider.web.app import create_app
from outrider.web.coalescing import Coalescer
from outrider.web.news import News
from outrider.web.pages import (
    board,
    campaigns,
    contacts,
    history,
    jobs,
    licences,
    strategies,
    unsubscribe,
    why,
)
from outrider.web.server import Server, bound_port, listen, make_server

log = structlog.get_logger(__name__)

ROUTERS: tuple[APIRouter, ...] = (
    campaigns_api.router,
    contacts_api.router,
    jobs_api.router,
    licences_api.router,
    supply_api.router,
    board.router,
    campaigns.router,
    contacts.router,
    history.router,
    jobs.router,
    licences.router,
    strategies.router,
    unsubscribe.router,
    why.router,
)
"""Everything that is served beyond the web shell."""

UNSUBSCRIBE_SECRET = "unsubscribe"  # noqa: S105 - its name, not its value
SECRET_BYTES = 32
IMPORT_POLL = 1.0
PAUSE_AFTER_FAILURE = 1.0


@dataclass(frozen=True)
class Prepared:
    """A database that is ready for work, and what was found out while making it so."""

    settings: Settings
    database: Database
    clock: Clock
    rules: SharingRules
    host_id: str
    mail_secret: bytes
    first_password: str | None
    """The one-time password of the first administrator, when there were no users yet."""


def prepare(settings: Settings) -> Prepared:
    """Open and migrate the database, create what every system has, and load the configured licence file.

    OutriderError says what is wrong with the settings, the database or the licence file.
    """
    settings.make_data_folder()
    clock = make_clock(settings)
    adapters.make_carrier(
        settings, clock, ""
    )  # made for its errors: mistakes are told before anything is written
    database = Database(settings.database_url)
    upgrade(database)
    rules = SharingRules(
        settings.licences.idle_after, settings.licences.minimum_hold, settings.licences.coalesce
    )
    host_id = host.host_id(settings.licences.host_id)
    now = clock.now()
    database.write_now(division_store.ensure_defaults, now)
    password = None
    if not database.read_now(people.has_users):
        password = passwords.new_password()
        hashed = passwords.hash_password(password)
        if database.write_now(people.ensure_administrator, now, hashed) is None:
            password = None
    _load_licence_file(settings, database, rules, host_id, clock)
    secret = database.write_now(secret_store.ensure, UNSUBSCRIBE_SECRET, random.token_bytes(SECRET_BYTES))
    return Prepared(settings, database, clock, rules, host_id, secret, password)


def make_clock(settings: Settings) -> Clock:
    """Return real time, or the scaled time that the settings ask for."""
    if settings.clock.speed == 1:
        return RealClock()
    return ScaledClock(settings.clock.speed, settings.clock.anchor or RealClock().now())


def make_worker(prepared: Prepared, slot: Slot, voice: VoiceChannel) -> Worker:
    """Return a worker of this process. Slot and voice channel outlive it: so do the calls that are up."""
    settings = prepared.settings
    worker = Worker(
        prepared.database,
        prepared.rules,
        prepared.clock,
        RealClock(),
        Channels(
            voice,
            adapters.make_mail(settings, prepared.clock),
            adapters.make_text(settings, prepared.clock),
            adapters.make_webhooks(settings, prepared.clock),
        ),
        Composer(_mail_composer(prepared)),
        slot,
        settings.worker,
    )
    if isinstance(voice, TcpCarrier):
        voice.on_reconnected = worker.driver.doubt
    return worker


def make_web(prepared: Prepared) -> tuple[FastAPI, News]:
    """Return the web application and the news that its streams wait on."""
    news = News(prepared.database)
    metrics = Metrics(lambda: prepared.database.read_now(runtime_store.figures))
    edge = EdgeServices(
        database=prepared.database,
        clock=prepared.clock,
        data_folder=prepared.settings.data_folder,
        settings=prepared.settings,
        news=news,
        metrics=metrics,
        parts={
            SharingRules: prepared.rules,
            Coalescer: Coalescer(prepared.database, prepared.rules, prepared.clock),
            MailComposer: _mail_composer(prepared),
        },
    )
    return create_app(edge, ROUTERS), news


async def serve(prepared: Prepared, started: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve pages and API, dial, and keep the clockwork running until `stop` is set.

    `started` is called with the address once the server listens. Calls that are up at the end are taken
    over by the next start, where the carrier keeps them.
    """
    app, news = make_web(prepared)
    server_settings = prepared.settings.server
    server = make_server(app, news, host=server_settings.host, port=server_settings.port)
    listening = listen(server_settings.host, server_settings.port)
    async with _background(prepared), _taking_bounces(prepared), _running(_stop_later(server, stop)):
        serving = asyncio.ensure_future(server.serve([listening]))
        await _listening(server, serving)
        if server.started and not server.should_exit:
            started(f"http://{server_settings.host}:{bound_port(server)}")
        await serving


async def _stop_later(server: Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


async def work(prepared: Prepared) -> None:
    """Dial and keep the clockwork running without a web server, until cancelled."""
    async with _background(prepared):
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def _background(prepared: Prepared) -> AsyncIterator[None]:
    """Run worker, monitor and imports beside the block, and stop them in order after it."""
    async with contextlib.AsyncExitStack() as stack:
        if prepared.settings.worker.enabled:
            await stack.enter_async_context(_working(prepared))
        monitor = Monitor(prepared.database, prepared.rules, prepared.clock, RealClock(), prepared.host_id)
        stack.push_async_callback(monitor.close)
        await stack.enter_async_context(_running(monitor.run()))
        await stack.enter_async_context(_running(_import_forever(prepared)))
        yield


@contextlib.asynccontextmanager
async def _working(prepared: Prepared) -> AsyncIterator[None]:
    """Keep a worker running: one whose lease was lost, or that failed, is replaced by a new one."""
    current: list[Worker] = []
    slot = Slot(prepared.settings.data_folder)
    voice = adapters.make_carrier(prepared.settings, prepared.clock, slot.name)

    async def run_one() -> None:
        worker = make_worker(prepared, slot, voice)
        current[:] = [worker]
        try:
            await worker.run()
        finally:
            await worker.driver.close()

    async def run_workers() -> None:
        while True:
            try:
                await run_one()
            except* LeaseLostError:
                log.warning("worker_starts_anew", reason="its lease was lost")
            except* Exception as failures:
                # A fault in one attempt must not end all dialing: the new worker takes over from this one.
                log.error("worker_starts_anew", exc_info=failures)  # noqa: TRY400 - a group has no one traceback
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            await _close(current)

    async with _running(run_workers()):
        try:
            yield
        finally:
            if current:
                await current[0].stop()
    await _close(current)
    slot.release()


async def _close(workers: list[Worker]) -> None:
    """Close workers that have ended; one that cannot be closed well is left to the system."""
    while workers:
        worker = workers.pop()
        try:
            await worker.close()
        except (OutriderError, OSError) as error:
            log.warning("worker_not_closed", error=str(error))


@contextlib.asynccontextmanager
async def _running(work_to_do: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run a coroutine beside the block; its failure is logged at once, and does not disturb the end."""
    task = asyncio.ensure_future(work_to_do)
    task.add_done_callback(_report)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _report(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("background_work_failed", exc_info=task.exception())


async def _import_forever(prepared: Prepared) -> None:
    """Run imports one after another, on a thread, as they are asked for."""
    runner = ImportRunner(prepared.database, prepared.settings.data_folder, prepared.clock)
    await asyncio.to_thread(runner.remove_forgotten_files)
    while True:
        try:
            claimed = await asyncio.to_thread(runner.claim_next)
            if claimed is not None:
                await asyncio.to_thread(runner.run_one, claimed)
                continue
        except OutriderError as error:
            log.warning("import_broke_off", error=error.message)
        except Exception:
            log.exception("import_broke_off")
        await asyncio.sleep(IMPORT_POLL)


def _mail_composer(prepared: Prepared) -> MailComposer:
    return adapters.make_mail_composer(prepared.settings, prepared.mail_secret)


@contextlib.asynccontextmanager
async def _taking_bounces(prepared: Prepared) -> AsyncIterator[None]:
    """Take bounces and complaints beside the block, where a bounce domain is configured."""

    async def take(news: MailNews) -> None:
        await prepared.database.write(mail_news.take, prepared.rules, news, prepared.clock.now())

    listener = adapters.make_bounce_listener(prepared.settings, prepared.clock, take)
    if listener is None:
        yield
        return
    await listener.start()
    try:
        yield
    finally:
        await listener.stop()


async def _listening(server: Server, serving: asyncio.Future[None]) -> None:
    """Wait until the server accepts requests, or has failed to."""
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.01)


def _load_licence_file(
    settings: Settings, database: Database, rules: SharingRules, host_id: str, clock: Clock
) -> None:
    """Load the licence file that the settings name, unless that very text is loaded already; then poll."""
    path, key = settings.licences.file, settings.licences.public_key
    if path is None:
        database.write_now(supply.poll, rules, host_id, clock.now())
        return
    if key is None:
        raise InvalidInputError("settings: licences.public_key: name the issuer's public key beside the file")
    try:
        text, public_key = path.read_text(encoding="ascii"), key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"settings: licences: {error}") from None

    def load(tx: Tx) -> None:
        known = {stored.text for _, stored, _ in supply.files(tx)}
        if text.strip() in known:
            supply.poll(tx, rules, host_id, clock.now())
        else:
            supply.load_file(tx, rules, text, public_key, host_id, clock.now(), "settings")

    database.write_now(load)
