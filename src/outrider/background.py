"""What runs beside the web server: the worker, the monitor, the platform manager, imports, bounces.

Part of the composition root: `app.py` starts it, with pages or without.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

import structlog

from outrider import adapters
from outrider.campaigns.strategy import Channel
from outrider.channels.email.news import MailNews
from outrider.channels.media_servers import MediaServers
from outrider.clock import RealClock
from outrider.dialing import mail_news
from outrider.errors import OutriderError
from outrider.fleet import AsteriskFleet
from outrider.prepared import Prepared
from outrider.runtime.composing import Composer
from outrider.runtime.floor_door import FloorDoor
from outrider.runtime.importing import ImportRunner
from outrider.runtime.mailing import MailComposer
from outrider.runtime.media_keeper import MediaKeeper
from outrider.runtime.monitor import Monitor
from outrider.runtime.performer import Channels
from outrider.runtime.platform import PlatformManager, PollSettings
from outrider.runtime.slots import Slot
from outrider.runtime.worker import LeaseLostError, Worker
from outrider.speaking import Speech, speech_settings
from outrider.speech.check import make_check
from outrider.ways_out import make_keeper

log = structlog.get_logger(__name__)

IMPORT_POLL = 1.0
PAUSE_AFTER_FAILURE = 1.0


def make_worker(prepared: Prepared, slot: Slot, voice: MediaServers, door: FloorDoor | None = None) -> Worker:
    """Return a worker of this process. Slot and voice channel outlive it: so do the calls that are up.

    With a `door` it may have the floor of agents, whom the process serves then.
    """
    settings = prepared.settings
    fleet = AsteriskFleet(voice, slot.name, settings.media.sounds)
    channels = Channels(
        voice,
        adapters.make_mail(settings, prepared.clock),
        adapters.make_text(settings, prepared.clock),
        adapters.make_webhooks(settings, prepared.clock),
    )
    worker = Worker(
        prepared.database,
        prepared.rules,
        prepared.clock,
        RealClock(),
        channels,
        Composer(mail_composer(prepared)),
        slot,
        settings.worker,
        MediaKeeper(
            prepared.database, prepared.clock, RealClock(), prepared.sealer, fleet, settings.worker.poll
        ),
        with_floor=door is not None,
    )
    if door is not None:
        door.enter(worker.floor)
    worker.channel_keeper = make_keeper(
        settings,
        prepared.database,
        prepared.sealer,
        channels,
        fleet,
        lambda: worker.driver.trouble.get(Channel.EMAIL, ""),
        make_check(speech_settings(settings)),
    )
    voice.on_doubt = worker.doubt
    return worker


def make_platform_manager(prepared: Prepared) -> PlatformManager:
    """Return the platform manager of this process; of all processes of a database, one polls at a time."""
    settings = prepared.settings
    source = adapters.make_licence_source(
        settings, prepared.database, prepared.clock, prepared.host_id, prepared.installation
    )
    poll = settings.licences.poll
    return PlatformManager(
        prepared.database,
        prepared.rules,
        prepared.clock,
        RealClock(),
        source,
        PollSettings(
            poll.every, poll.jitter, poll.stale_after, trust_server_time=bool(settings.licences.server.url)
        ),
        adapters.make_alarm_delivery(settings, prepared.database, prepared.clock),
    )


@contextlib.asynccontextmanager
async def background(prepared: Prepared, door: FloorDoor | None = None) -> AsyncIterator[None]:
    """Run worker, monitor and imports beside the block, and stop them in order after it.

    `door` leads to the floor of agents, for a process that serves their desktops.
    """
    async with contextlib.AsyncExitStack() as stack:
        if prepared.settings.worker.enabled:
            await stack.enter_async_context(_working(prepared, door))
        monitor = Monitor(prepared.database, prepared.rules, prepared.clock, RealClock())
        stack.push_async_callback(monitor.close)
        await stack.enter_async_context(running(monitor.run()))
        manager = make_platform_manager(prepared)
        stack.push_async_callback(manager.close)
        await stack.enter_async_context(running(manager.run()))
        await stack.enter_async_context(running(_import_forever(prepared)))
        yield


@contextlib.asynccontextmanager
async def _working(prepared: Prepared, door: FloorDoor | None) -> AsyncIterator[None]:
    """Keep a worker running: one whose lease was lost, or that failed, is replaced by a new one."""
    current: list[Worker] = []
    slot = Slot(prepared.settings.data_folder)
    speech = Speech(prepared.database, speech_settings(prepared.settings))
    voice = adapters.make_voice(prepared.settings, prepared.clock, slot.name, speech)

    async def run_one() -> None:
        worker = make_worker(prepared, slot, voice, door)
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

    async with running(run_workers()):
        try:
            yield
        finally:
            if current:
                await current[0].stop()
    await _close(current)
    await speech.close()
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
async def running(work_to_do: Coroutine[None, None, None]) -> AsyncIterator[None]:
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


def mail_composer(prepared: Prepared) -> MailComposer:
    """Return what makes mails of claims, and reads their unsubscribe links."""
    return adapters.make_mail_composer(prepared.settings, prepared.mail_secret)


@contextlib.asynccontextmanager
async def taking_bounces(prepared: Prepared) -> AsyncIterator[None]:
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
