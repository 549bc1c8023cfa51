"""The platform manager's loop: it polls the licence server, and puts what the server says in force.

`app.py` runs one in every process; the one that holds the lease polls, and tells of alarms (licensing.md 7).
"""

import asyncio
import datetime as dt
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from outrider.clock import Clock, VirtualClock, stopwatch
from outrider.db.database import Database, Tx
from outrider.errors import StoreError
from outrider.licences import division
from outrider.licences.service import SharingRules
from outrider.runtime import store
from outrider.runtime.alarm_delivery import AlarmDelivery
from outrider.supply import service as supply
from outrider.supply import store as supply_store
from outrider.supply.authorisation import LicenceSource, LicenceSourceError, SourceFault
from outrider.supply.effective_time import Elapsed
from outrider.supply.model import Supply, SupplyState
from outrider.supply.platform_state import Outcome, PollRules

log = structlog.get_logger(__name__)

LEASE = "platform"
LEASE_TIME = dt.timedelta(seconds=10)
RENEW_EVERY = 3.0
"""Real seconds: a third of the lease, so that ticks do not each write."""

TICK, SHORTEST_TICK = 1.0, 0.1


@dataclass(frozen=True, slots=True)
class PollSettings:
    """How often the licence server is polled. Times are seconds of the system's clock."""

    every: float = 60.0
    jitter: float = 0.1
    """Part of `every` by which each wait is longer or shorter at random, so that platforms spread out."""
    stale_after: float = 600.0
    """Without a good poll for so long, grace begins (counted from the last good poll)."""
    trust_server_time: bool = False
    """Whether the server has a clock of its own: true for a licence server over the network."""

    @property
    def rules(self) -> PollRules:
        """Return the times as the pure rules take them."""
        return PollRules(dt.timedelta(seconds=self.stale_after), self.trust_server_time)


def steady_seconds(clock: Clock) -> Callable[[], float]:
    """Return a reading of seconds as fast as `clock`'s that setting this machine's clock leaves alone."""
    if isinstance(clock, VirtualClock):
        return lambda: clock.now().timestamp()
    speed = float(getattr(clock, "speed", 1.0))
    return lambda: stopwatch() * speed


class PlatformManager:
    """Polls one licence source for one database, and has alarms delivered."""

    def __init__(
        self,
        database: Database,
        rules: SharingRules,
        clock: Clock,
        real_clock: Clock,
        source: LicenceSource,
        settings: PollSettings | None = None,
        delivery: AlarmDelivery | None = None,
        *,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """`steady` is a test's replacement of `steady_seconds`."""
        self._database = database
        self._rules = rules
        self._clock = clock
        self._real_clock = real_clock
        self._source = source
        self._settings = settings or PollSettings()
        self._delivery = delivery or AlarmDelivery(database, clock)
        self._steady = steady or steady_seconds(clock)
        self._owner = secrets.token_hex(8)
        self._random = random.Random()  # noqa: S311 - spreads polls, protects nothing
        self._renewed_at: float | None = None
        self._next_at: float | None = None
        self._read: tuple[dt.datetime, float] | None = None
        self._told: tuple[SupplyState, SourceFault | None] | None = None

    async def run(self) -> None:
        """Poll and deliver alarms until cancelled. Neither waits for the other."""
        pause = max(SHORTEST_TICK, TICK / float(getattr(self._clock, "speed", 1.0)))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self.poll_if_due, pause))
            group.create_task(self._again(self._deliver, pause))

    async def close(self) -> None:
        """Let another process be the manager at once, and close the source and the webhook's connections."""
        await self._source.close()
        await self._delivery.close()
        try:
            await self._database.write(store.drop_lease, LEASE, self._owner)
        except StoreError as error:
            log.warning("platform_lease_left", error=error.message)

    async def poll_if_due(self) -> Supply | None:
        """Poll when it is time or somebody asked for it, and this process leads; return what is in force."""
        if not await self._leads():
            return None
        requested = await self._database.read(supply_store.poll_requested_at)
        if self._next_at is not None and requested is None and self._steady() < self._next_at:
            return None
        return await self.poll()

    async def poll(self) -> Supply:
        """Poll the source once, put its answer in force, and return it. StoreError when the database is away.

        An answer that was overtaken, by a licence file that was loaded meanwhile, is asked for again.
        """
        while True:
            seen = (await self._database.read(supply.current)).last_poll_at
            outcome = await self._ask()
            now, steady = self._clock.now(), self._steady()
            found = await self._database.write(self._apply, outcome, seen, now, steady)
            if found is not None:
                break
        self._read = (now, steady)
        spread = 1.0 + self._settings.jitter * self._random.uniform(-1.0, 1.0)
        self._next_at = steady + self._settings.every * spread
        self._tell(found)
        return found

    def _apply(
        self, tx: Tx, outcome: Outcome, seen: dt.datetime | None, now: dt.datetime, steady: float
    ) -> Supply | None:
        division.lock(tx)
        if supply.current(tx).last_poll_at != seen:
            return None
        elapsed = None
        if self._read is not None:
            since, steady_then = self._read
            elapsed = Elapsed(since, dt.timedelta(seconds=steady - steady_then))
        return supply.apply_poll(
            tx, self._rules, outcome, now, poll_rules=self._settings.rules, elapsed=elapsed
        )

    async def _ask(self) -> Outcome:
        try:
            return await self._source.poll()
        except LicenceSourceError as error:
            return error
        except StoreError:
            raise
        except Exception as error:
            log.exception("licence_source_failed")
            return LicenceSourceError(
                SourceFault.BROKEN,
                f"the licence server could not be asked ({type(error).__name__}): see this process's log",
            )

    def _tell(self, found: Supply) -> None:
        """Log what changed, not every poll."""
        told = (found.state, found.known.fault)
        if told == self._told:
            return
        self._told = told
        calm = found.state is SupplyState.NORMAL
        (log.info if calm else log.warning)(
            "platform_state",
            state=found.state.value,
            fault=found.known.fault,
            message=found.message,
            server=found.known.server_id,
            grace_ends_at=found.grace_ends_at,
        )

    async def _leads(self) -> bool:
        """Take or renew the lease; one that was renewed just now is not written again."""
        if self._renewed_at is not None and stopwatch() - self._renewed_at < RENEW_EVERY:
            return True
        now, read_at = self._real_clock.now(), stopwatch()
        leads = await self._database.write(store.take_lease, LEASE, self._owner, now, now + LEASE_TIME)
        self._renewed_at = read_at if leads else None
        return leads

    async def _deliver(self) -> None:
        if await self._leads():
            await self._delivery.deliver_due()

    async def _again(self, step: Callable[[], object], pause: float) -> None:
        """Do a step again and again; one that fails is logged, and done again."""
        while True:
            try:
                work = step()
                if asyncio.iscoroutine(work):
                    await work
            except StoreError as error:
                log.warning("platform_waits_for_database", error=error.message)
            except Exception:
                log.exception("platform_step_failed")
            await asyncio.sleep(pause)
