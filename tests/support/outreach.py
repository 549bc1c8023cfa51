"""A whole worker for tests of strategies: real dialing over every channel, on a clock that can leap.

Contract tests give it channels, wait until something holds in the database, and let hours pass in between.
"""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from outrider.channels.base import MailChannel, TextChannel, VoiceChannel
from outrider.channels.simulated.behaviour import DEFAULT, CarrierProfile, FarEnd, Span
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.contacts import service as contacts
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.ids import ListId
from outrider.jobs.model import ENDED
from outrider.runtime import store
from outrider.runtime.composing import Composer
from outrider.runtime.mailing import MailComposer
from outrider.runtime.monitor import Monitor
from outrider.runtime.performer import Channels
from outrider.runtime.slots import Slot
from outrider.runtime.webhooks import WebhookChannel
from outrider.runtime.worker import Worker
from outrider.settings import WorkerSettings
from support.campaigning import NOON, RULES, Campaigning, campaigning

SPEED = 100.0
PATIENCE = 30.0
"""Real seconds after which a test that waits has failed."""

PROMPT = CarrierProfile(
    outcomes={FarEnd.HUMAN: 1.0},
    setup=Span(0.5, 0.5),
    human_ring=Span(2.0, 2.0),
    patience=Span(600.0, 600.0),
    linger=Span(600.0, 600.0),
    answer_delay=Span(0.5, 1.0),
    hangs_up_early=0.0,
)
"""People who answer, listen to the end and wait for what comes."""


class LeapingClock(ScaledClock):
    """Scaled time that begins at a given moment, and leaps when a test says so."""

    def __init__(self, start: dt.datetime = NOON, speed: float = SPEED) -> None:
        super().__init__(speed, RealClock().now())
        self._shift = start - self.anchor

    def now(self) -> dt.datetime:
        """Return the present time of this clock."""
        return super().now() + self._shift

    def leap(self, **span: float) -> None:
        """Let time pass at once: `hours=2`, as for timedelta."""
        self._shift += dt.timedelta(**span)


def people_who(**profile: Any) -> dict[str, CarrierProfile]:
    """Return carrier profiles in which everybody behaves like PROMPT but for these fields."""
    return {DEFAULT: replace(PROMPT, **profile)}


def always(end: FarEnd) -> dict[str, CarrierProfile]:
    """Return carrier profiles in which every call meets the same."""
    return people_who(outcomes={end: 1.0})


@dataclass
class Outreach:
    """One running system: its database, clock and worker."""

    system: Campaigning
    clock: LeapingClock
    worker: Worker
    monitor: Monitor
    running: "asyncio.Task[None]"
    carrier: SimulatedCarrier | None = None
    replies: list[str] = field(default_factory=list)

    @property
    def database(self) -> Database:
        """The database."""
        return self.system.database

    async def until(self, holds: Callable[[Tx], Any]) -> Any:
        """Let the system run until something true is read from its database, and return that."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.database.read(holds)
                if found:
                    return found
                if self.running.done():
                    self.running.result()
                await self.monitor.tick()
                await asyncio.sleep(0.01)

    async def until_ended(self, *job_ids: int) -> None:
        """Let the system run until these jobs have ended."""
        column = schema.jobs.c
        query = select(func.count()).where(
            column.id.in_(job_ids), column.state.in_([each.value for each in ENDED])
        )
        await self.until(lambda tx: tx.execute(query).scalar_one() == len(job_ids))

    async def until_attempts(self, count: int) -> None:
        """Let the system run until so many attempts are over."""
        await self.until(lambda tx: sum(row["ended_at"] is not None for row in attempts(tx)) >= count)

    async def until_awaiting(self, count: int) -> None:
        """Let the system run until so many contacts wait for news of their message."""
        column = schema.targets.c
        query = select(func.count()).where(column.awaiting.is_not(None))
        await self.until(lambda tx: tx.execute(query).scalar_one() == count)

    async def until_blocked(self, *addresses: str) -> None:
        """Let the system run until the organization must not contact these addresses."""
        await self.until(lambda tx: self.blocked(tx, addresses) == set(addresses))

    def blocked(self, tx: Tx, addresses: Iterable[str]) -> set[str]:
        """Return which of these addresses the default organization must not contact."""
        return do_not_contact.blocked(tx, self.system.organization_id, addresses)

    def start(self, name: str, source: str, list_ids: Sequence[ListId]) -> int:
        """Start a campaign whose strategy is `source`, which bears the same name; return its job."""
        return self.system.start(self.system.campaign(name, list_ids, source=source), self.clock.now())


@asynccontextmanager
async def outreach(
    database: Database,
    folder: Path,
    *,
    profiles: Mapping[str, CarrierProfile] | None = None,
    voice: Callable[[Clock], VoiceChannel] | None = None,
    mail: Callable[[Clock], MailChannel] | None = None,
    text: Callable[[Clock], TextChannel] | None = None,
    secrets: Mapping[str, str] | None = None,
    start: dt.datetime = NOON,
    speed: float = SPEED,
    **licences: int,
) -> AsyncIterator[Outreach]:
    """Give a running system with these channels; nothing is called before the test starts a job.

    `licences` are counts; without any there are plenty of all kinds.
    """
    system = campaigning(database, start)
    system.license(start, **(licences or {"outbound_ports": 30, "sms": 1, "email": 1}))
    clock = LeapingClock(start, speed)
    carrier = SimulatedCarrier(clock, profiles, seed=3)
    channels = Channels(
        EmbeddedCarrier(carrier) if voice is None else voice(clock),
        None if mail is None else mail(clock),
        None if text is None else text(clock),
        WebhookChannel(clock, secrets),
    )
    composer = Composer(MailComposer(b"0123456789abcdef", "http://localhost"))
    settings = WorkerSettings(poll=0.05, result_delay=0.01)
    slot = Slot(folder)
    worker = Worker(database, RULES, clock, RealClock(), channels, composer, slot, settings)
    monitor = Monitor(database, RULES, clock, RealClock())
    running = asyncio.ensure_future(worker.run())
    try:
        yield Outreach(system, clock, worker, monitor, running, carrier)
    finally:
        await worker.stop(patience=1.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
        slot.release()
    # After a failure the sums are not looked at: the test has said already what is wrong.
    assert database.read_now(store.drifts) == []


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in a fresh event loop; it fails rather than hangs."""

    async def limited() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await scenario()

    asyncio.run(limited())


def people(system: Campaigning, name: str, rows: Sequence[Mapping[str, Any]], **fields: Any) -> ListId:
    """Create a list of these contacts; fields of the list, and whatever a contact leaves out, are German."""

    def create(tx: Tx) -> ListId:
        made = contacts.create_list(
            tx,
            NOON,
            organization_id=fields.get("organization_id", system.organization_id),
            actor="test",
            name=name,
            default_country="DE",
        )
        tx.execute(
            schema.contacts.insert(),
            [
                {
                    "list_id": made.id,
                    "duplicate_key": f"{name}-{number}",
                    "external_id": f"{name}-{number}",
                    "phone": None,
                    "other_phones": None,
                    "email": None,
                    "time_zone": "Europe/Berlin",
                    "attributes": {},
                    **row,
                }
                for number, row in enumerate(rows)
            ],
        )
        return ListId(made.id)

    return system.database.write_now(create)


def attempts(tx: Tx) -> list[Row]:
    """Return all attempts in the order of their claims, with their actions."""
    A, T = schema.attempts.c, schema.tasks.c  # noqa: N806 - tables' columns
    query = select(schema.attempts, T.action, T.job_id).join(schema.tasks, T.id == A.task_id)
    return list(tx.execute(query.order_by(A.claimed_at, A.id)).mappings())


def course(tx: Tx) -> list[tuple[str, str, str]]:
    """Return what was tried, in order: action, address and outcome."""
    return [(row["action"], row["address"], row["outcome"]) for row in attempts(tx)]


def targets(tx: Tx) -> list[Row]:
    """Return all targets in the order of their contacts."""
    return list(tx.execute(select(schema.targets).order_by(schema.targets.c.id)).mappings())


def finals(tx: Tx, job_id: int) -> Counter[tuple[str, str | None]]:
    """Return how the targets of a job ended: outcome and disposition."""
    rows = (row for row in targets(tx) if row["job_id"] == job_id and row["state"] == "done")
    return Counter((row["outcome"], row["disposition"]) for row in rows)
