"""A worker: it dials. One loop per task claims attempts and hands them to the driver, as licences allow.

`app.py` runs one inside `outrider serve`; `outrider worker` runs one alone. Any number may share a
database: claims are guarded updates, and a worker that dies is taken over from.
"""

import asyncio
import datetime as dt
import secrets

import structlog

from outrider.campaigns.strategy import Channel
from outrider.channels.base import MailChannel
from outrider.clock import Clock, stopwatch
from outrider.db.database import Database
from outrider.dialing import claims, plans
from outrider.dialing.attempt import Batch, Means, TaskPlan
from outrider.dialing.text_rates import share_rate
from outrider.errors import ChannelError, OutriderError, StoreError
from outrider.events import CertificateFailed, Event, JobChanged, JobLoaded, QuotasRecalculated, TaskChanged
from outrider.ids import TaskId
from outrider.licences.service import SharingRules
from outrider.runtime import store
from outrider.runtime.channel_keeper import ChannelKeeper
from outrider.runtime.composing import Composer
from outrider.runtime.driver import Driver
from outrider.runtime.floor_service import FloorService
from outrider.runtime.media_keeper import MediaKeeper
from outrider.runtime.performer import Channels
from outrider.runtime.recorder import Recorder
from outrider.runtime.recovery import Recovery
from outrider.runtime.slots import Slot
from outrider.runtime.speech_desk import SpeechDesk
from outrider.runtime.text_news import TextNewsTaker
from outrider.runtime.wake import Wake, wait_for
from outrider.settings import WorkerSettings

log = structlog.get_logger(__name__)

SHORTEST_PAUSE = 0.01
UNHURRIED = 0.2
"""Real seconds for which a paced task may be deaf to news: longer waits are for commands to end."""
RECOVERY_PERIOD = 2.0
MAIL_PERIOD = 5.0
"""Real seconds between two tries to open the mail channel, which wants files that are not there."""
DOUBT_PERIOD = 30.0
"""Real seconds between two looks at what is up on the carrier, in case an event never arrived."""

MOVING = (JobChanged, JobLoaded, QuotasRecalculated, TaskChanged, CertificateFailed)


class LeaseLostError(Exception):
    """Another worker has declared this one dead and taken over its attempts: it must start anew."""


class Worker:
    """One worker of this process. Leases run on `real_clock`, everything else on `clock`."""

    def __init__(
        self,
        database: Database,
        rules: SharingRules,
        clock: Clock,
        real_clock: Clock,
        channels: Channels,
        composer: Composer,
        slot: Slot,
        settings: WorkerSettings,
        media: MediaKeeper | None = None,
        *,
        with_floor: bool = False,
    ) -> None:
        """Compose it; `with_floor` for a process that serves agents' desktops, and so may have the floor."""
        self._media = media
        self._database = database
        self._rules = rules
        self._clock = clock
        self._real_clock = real_clock
        self._channels = channels
        self._voice = channels.voice
        self._slot = slot
        self._settings = settings
        self.wake = Wake()
        self.recorder = Recorder(database, rules, clock, self.wake, settings.result_delay)
        self.desk = SpeechDesk(database, clock)
        self.driver = Driver(
            channels, composer, self.recorder, self.desk, clock, settings.originations_in_flight
        )
        self.recorder.on_written = self.desk.freed
        self._text_news = TextNewsTaker(database, rules, clock, self.wake, channels.text)
        self.channel_keeper: ChannelKeeper | None = None
        """Tells what is seen of the ways out, if it was given one before `run`."""
        self.id = f"{secrets.token_hex(8)}"
        self.floor: FloorService | None = None
        if with_floor:
            self.floor = FloorService(
                database,
                rules,
                clock,
                real_clock,
                channels.voice,
                self.driver,
                self.recorder,
                slot.name,
                self.id,
                self._means,
            )
        self._recovery = Recovery(database, self._voice, self.driver, clock, real_clock, slot.name, self.id)
        self._admitted: frozenset[TaskId] = frozenset()
        self._text_rates: dict[TaskId, float] = {}
        self._dialing: dict[TaskId, asyncio.Task[None]] = {}
        self._stopping = False
        self._look_again = asyncio.Event()
        self._recover_again = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        database.listen(self._heard)

    async def run(self) -> None:
        """Register, take over from the dead, and dial until cancelled; cancel only after `stop`."""
        self._loop = asyncio.get_running_loop()
        await self._register()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.recorder.run())
            group.create_task(self._keep_lease())
            if self.channel_keeper is not None:
                group.create_task(self.channel_keeper.run(self.id))
            if self._channels.mail is not None and not await self._open_mail(self._channels.mail):
                group.create_task(self._open_mail_later(self._channels.mail))
            if self._channels.text is not None:
                await self._channels.text.open(self._text_news.take)
            await self._open_voice()
            await self._know_media_servers()
            if self._media is not None:
                group.create_task(self._media.run(self.id))
            if self.floor is not None:
                await self.floor.begin(group)
            await self._recover_first()
            if self.floor is not None:
                self.floor.restored()
            group.create_task(self._recover_others())
            group.create_task(self._settle_doubts())
            group.create_task(self._supervise(group))

    def doubt(self) -> None:
        """Look at once at what is up, and for calls to take over: a server came back, or is gone."""
        self.driver.doubt()
        if self.floor is not None:
            self.floor.doubt()
        self._look_again.set()
        self._recover_again.set()

    async def stop(self, patience: float = 5.0) -> None:
        """Claim nothing more, give calls up to `patience` real seconds to end, and write all results."""
        self._stopping = True
        self.wake.nudge_all()
        if self._dialing:
            await asyncio.wait(tuple(self._dialing.values()), timeout=patience)
        if self.floor is not None:
            await self.floor.stop()
        try:
            async with asyncio.timeout(patience):
                await self.driver.drained()
        except TimeoutError:
            log.info("calls_left_for_the_next_start", calls=self.driver.in_flight)
        await self.driver.close()
        try:
            async with asyncio.timeout(patience):
                await self.recorder.flushed()
        except TimeoutError:
            log.warning("results_left_for_the_next_start", reason="the database does not take them")

    async def close(self) -> None:
        """Leave: channels closed. Open attempts are taken over by whoever has the slot next."""
        self._database.unlisten(self._heard)
        channels = self._channels
        for channel in (channels.voice, channels.mail, channels.text, channels.webhook):
            if channel is None:
                continue
            try:
                await channel.close()
            except (OutriderError, OSError) as error:
                log.warning("channel_not_closed", channel=type(channel).__name__, error=str(error))

    async def _open_mail(self, mail: MailChannel) -> bool:
        """Open the mail channel; calls and texts go out without it when a key or certificate is missing."""
        try:
            await mail.open()
        except OutriderError as error:
            self.driver.shut(Channel.EMAIL, error.message)
            return False
        self.driver.admit(Channel.EMAIL)
        return True

    async def _open_mail_later(self, mail: MailChannel) -> None:
        while True:
            await asyncio.sleep(MAIL_PERIOD)
            if await self._open_mail(mail):
                return

    async def _open_voice(self) -> None:
        """Connect to the voice channel, however long it takes: what is up must be known before dialing."""
        while True:
            try:
                return await self._voice.open(self.driver.on_event)
            except ChannelError as error:
                log.warning("dialing_waits_for_channel", error=error.message)
                await asyncio.sleep(self._settings.poll)

    async def _know_media_servers(self) -> None:
        """Learn which media servers there are: of a server nobody asked, no call could be taken over."""
        while self._media is not None:
            try:
                await self._media.connect()
                break
            except OutriderError as error:
                log.warning("dialing_waits_for_media_servers", error=error.message)
                await asyncio.sleep(self._settings.poll)

    async def _register(self) -> None:
        while True:
            try:
                now = self._real_clock.now()
                return await self._database.write(
                    store.add_worker, self.id, self._slot.name, now, self._lease_end()
                )
            except StoreError as error:
                log.warning("dialing_waits_for_database", error=error.message)
                await asyncio.sleep(self._settings.poll)

    def _lease_end(self) -> dt.datetime:
        return self._real_clock.now() + dt.timedelta(seconds=self._settings.lease)

    async def _recover_first(self) -> None:
        while not await self._take_over():
            await wait_for(self.wake.everything, self._settings.poll)
        self._note_recovered()

    def _note_recovered(self) -> None:
        """Keep no more events of calls that nobody adopts, once every call of a former life is decided."""
        if not self._recovery.waits:
            self.driver.recovered()

    async def _recover_others(self) -> None:
        while True:
            await wait_for(self._recover_again, RECOVERY_PERIOD)
            try:
                due = await self._recovery.is_due()
            except StoreError as error:
                log.warning("recovery_waits_for_database", error=error.message)
                continue
            if due:
                self.driver.await_adoption()
                await self._take_over()
                self._note_recovered()

    async def _take_over(self) -> bool:
        try:
            await self._recovery.take_over()
            await self._database.write(store.reset_stranded_targets)
        except (ChannelError, StoreError) as error:
            log.warning("recovery_waits", error=error.message)
            return False
        return True

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            try:
                kept = await self._database.write(store.renew_worker, self.id, self._lease_end())
            except StoreError as error:
                log.warning("lease_waits_for_database", error=error.message)
                continue
            if not kept:
                raise LeaseLostError(self.id)

    async def _supervise(self, group: asyncio.TaskGroup) -> None:
        """Keep one dial loop for every admitted task."""
        while not self._stopping:
            try:
                known = frozenset(self._dialing)
                self._admitted, new = await self._database.read(plans.admitted_plans, known)
                await self._share_text_rate()
            except StoreError as error:
                log.warning("dialing_waits_for_database", error=error.message)
                new = []
            for plan in new:
                self._dialing[plan.task_id] = group.create_task(self._dial_any(plan))
            await wait_for(self.wake.everything, self._settings.poll)

    async def _settle_doubts(self) -> None:
        """Look for attempts that news never reached; a server slow to answer keeps no task waiting."""
        doubted = stopwatch()
        while not self._stopping:
            if stopwatch() - doubted >= DOUBT_PERIOD:
                doubted = stopwatch()
                self.driver.doubt()
            await self.driver.probe()
            await wait_for(self._look_again, self._settings.poll)

    async def _dial_any(self, plan: TaskPlan) -> None:
        """Dial for agents, where they talk and the floor is here, or without."""
        if plan.action.agents is None:
            await self._dial(plan)
            return
        try:
            if self.floor is not None:
                await self.floor.dial(plan, lambda: self._is_admitted(plan))
        finally:
            self._dialing.pop(plan.task_id, None)

    def _is_admitted(self, plan: TaskPlan) -> bool:
        return not self._stopping and plan.task_id in self._admitted

    async def _dial(self, plan: TaskPlan) -> None:
        """Claim and start attempts of one task for as long as it is admitted."""
        flag = self.wake.register(plan.pool_id)
        try:
            while self._is_admitted(plan):
                batch = await self._claim(plan)
                for claim in batch.claims:
                    self.driver.start(claim)
                if batch.again_at is None or batch.again_at > self._clock.now():
                    await self._rest(flag, batch)
        finally:
            self.wake.unregister(plan.pool_id, flag)
            self._dialing.pop(plan.task_id, None)

    async def _claim(self, plan: TaskPlan) -> Batch:
        """Claim a batch; nothing while the channel or the database is away."""
        try:
            if plan.action.channel in self.driver.unreachable:
                await self._database.write(claims.note_unreachable, plan.task_id)
                return Batch(bound="channel")
            return await self._database.write(
                claims.take_batch,
                self._rules,
                plan,
                self._settings.batch,
                self.id,
                self._clock.now(),
                self._means(plan),
            )
        except StoreError as error:
            log.warning("claims_wait_for_database", task=plan.task_id, error=error.message)
            return Batch(bound="database")

    def _means(self, plan: TaskPlan) -> Means:
        """Return what there is to make a task's attempts with."""
        if plan.action.channel is Channel.CALL and self._media is not None:
            return Means(without=self._media.unusable())
        if plan.action.channel is Channel.SMS:
            return Means(per_second=self._text_rates.get(plan.task_id))
        return Means()

    async def _share_text_rate(self) -> None:
        """Share the rate of the message centres, where there is one, among the SMS tasks that run."""
        text = self._channels.text
        if text is None or text.rate is None:
            return
        rate = text.rate / float(getattr(self._clock, "speed", 1.0))
        self._text_rates = share_rate(rate, await self._database.read(plans.text_tasks))

    async def _rest(self, flag: asyncio.Event, batch: Batch) -> None:
        """Wait until there may be something to claim. Units that become free do not hurry a pace."""
        pause = self._pause(batch)
        if batch.bound == "pace" and pause <= UNHURRIED:
            await asyncio.sleep(pause)
        else:
            await wait_for(flag, pause)

    def _pause(self, batch: Batch) -> float:
        """Return how many real seconds to wait before asking again, unless woken."""
        if batch.again_at is None:
            return self._settings.poll
        speed = getattr(self._clock, "speed", 1.0)
        seconds = (batch.again_at - self._clock.now()).total_seconds() / float(speed)
        return min(self._settings.poll, max(SHORTEST_PAUSE, seconds))

    def _heard(self, events: tuple[Event, ...]) -> None:
        moved = any(isinstance(event, MOVING) for event in events)
        if moved and self._loop is not None and not self._loop.is_closed():
            # Commits are told on whatever thread made them; flags belong to the loop.
            self._loop.call_soon_threadsafe(self.wake.nudge_all)
