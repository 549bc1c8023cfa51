"""The platform manager over each database: 30 virtual days with every kind of licence server; restarts."""

import asyncio
import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from outrider.clock import RealClock, VirtualClock
from outrider.db import log
from outrider.db.database import Database, Tx
from outrider.errors import LicenceShortageError
from outrider.events import CertificateFailed, Event, PlatformStateChanged
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import JobCommand
from outrider.licences.model import LicenceKind
from outrider.runtime.platform import PlatformManager, PollSettings
from outrider.supply import alarm_store
from outrider.supply import service as supply
from outrider.supply.alarms import AlarmKind
from outrider.supply.authorisation import Authorisation, Feature, LicenceSourceError, SourceFault
from outrider.supply.connections import service as connections
from outrider.supply.connections.model import ConnectionKind
from outrider.supply.model import SupplyState
from outrider.supply.server import files as server_files
from outrider.supply.server.embedded import EmbeddedSource
from support.campaigning import NOON, RULES, campaigning
from support.composed import licence_text

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
YEAR = NOON + 365 * DAY
PORTS, LINES = LicenceKind.OUTBOUND_PORTS, LicenceKind.TELEPHONY_PORTS
N, S, G, X = SupplyState.NORMAL, SupplyState.STALE, SupplyState.GRACE, SupplyState.EXPIRED

Answer = Callable[[dt.datetime], Authorisation]


def granted(at: dt.datetime, ports: int = 60, expires_at: dt.datetime = YEAR) -> Authorisation:
    features = tuple(Feature(kind, ports, expires_at, "4.0") for kind in (PORTS, LINES)) if ports else ()
    return Authorisation("server", "1.0", "The tests", features, at + DAY, at)


def fails(fault: SourceFault) -> Answer:
    def answer(_: dt.datetime) -> Authorisation:
        raise LicenceSourceError(fault, f"licences.example: {fault}")

    return answer


@dataclass
class Server:
    """A licence server that says what a test wants at its time of the true clock."""

    answer: Answer = granted
    now: dt.datetime = NOON
    polls: int = 0
    closed: bool = False

    async def poll(self) -> Authorisation:
        self.polls += 1
        return self.answer(self.now)

    async def close(self) -> None:
        self.closed = True


class Machine(VirtualClock):
    """A machine's clock that can be set."""

    def set(self, now: dt.datetime) -> None:
        self._now = now


@dataclass
class Platform:
    """A database with a manager, over virtual days."""

    database: Database
    server: Server = field(default_factory=Server)
    clock: Machine = field(default_factory=lambda: Machine(NOON))
    set_back: dt.timedelta = dt.timedelta(0)
    seen: list[tuple[float, SupplyState, int]] = field(default_factory=list)

    def start(self) -> None:
        """Start a new process's manager: it knows nothing but what is in the database."""
        self.manager = PlatformManager(
            self.database,
            RULES,
            self.clock,
            self.clock,
            self.server,
            PollSettings(every=60.0),
            steady=self.seconds,
        )

    def seconds(self) -> float:
        """Return the seconds that really passed."""
        return (self.server.now - NOON).total_seconds()

    async def days(self, count: float, every: dt.timedelta = 6 * HOUR) -> None:
        """Let days pass with a poll every 6 hours; write down states and counts that change."""
        for _ in range(round(count * DAY / every)):
            self.server.now += every
            self.clock.set(self.server.now - self.set_back)
            await self.manager.poll()
            self.look()

    def look(self) -> None:
        found = self.database.read_now(supply.current)
        assert found.counts.get(PORTS, 0) == found.authorised.get(PORTS, 0)
        entry = ((self.server.now - NOON) / DAY, found.state, found.counts.get(PORTS, 0))
        if not self.seen or self.seen[-1][1:] != entry[1:]:
            self.seen.append(entry)

    def alarms(self) -> dict[AlarmKind, int]:
        raised = self.database.read_now(alarm_store.newest, 1000)
        return {kind: sum(each.kind is kind for each in raised) for kind in {each.kind for each in raised}}


SCENARIOS: dict[str, tuple[Answer, list[tuple[float, SupplyState, int]], dict[AlarmKind, int]]] = {
    "stopped": (
        fails(SourceFault.UNREACHABLE),
        [(2, G, 60), (31.75, X, 0)],
        {AlarmKind.GRACE: 30, AlarmKind.EXPIRED: 1},
    ),
    "an older version": (
        fails(SourceFault.TOO_OLD),
        [(2, G, 60), (31.75, X, 0)],
        {AlarmKind.GRACE: 30, AlarmKind.EXPIRED: 1, AlarmKind.SERVER_FAULT: 33},
    ),
    "forged": (
        fails(SourceFault.FORGED),
        [(2, G, 60), (31.75, X, 0)],
        {AlarmKind.GRACE: 30, AlarmKind.EXPIRED: 1, AlarmKind.SERVER_FAULT: 33},
    ),
    "a smaller file": (lambda at: granted(at, 25), [(2, N, 25)], {}),
    "the file removed": (
        lambda at: granted(at, 0),
        [(2, G, 60), (32, X, 0)],
        {AlarmKind.GRACE: 30, AlarmKind.EXPIRED: 1},
    ),
    "an expired file": (
        lambda at: granted(at, 60 if at < NOON + 32 * DAY else 0, NOON + 2 * DAY),
        [(2, G, 60), (32, X, 0)],
        {AlarmKind.GRACE: 30, AlarmKind.EXPIRED: 1},
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_thirty_days_with_a_licence_server_that_changes(database: Database, name: str) -> None:
    answer, seen, alarms = SCENARIOS[name]
    campaigning(database)
    platform = Platform(database)
    platform.start()
    platform.server.answer = lambda at: granted(at) if at < NOON + 2 * DAY else answer(at)

    async def run() -> None:
        await platform.manager.poll()
        platform.look()
        await platform.days(34)

    asyncio.run(run())
    assert platform.seen == [(0, N, 60), *seen]
    assert platform.alarms() == alarms


def test_a_clock_set_back_and_restarts_do_not_prolong_grace(database: Database) -> None:
    campaigning(database)
    platform = Platform(database)
    platform.start()
    platform.server.answer = lambda at: (
        granted(at) if at < NOON + 2 * DAY else fails(SourceFault.UNREACHABLE)(at)
    )

    async def run() -> None:
        await platform.manager.poll()
        platform.look()
        await platform.days(10)
        platform.set_back = DAY
        await platform.days(5)
        platform.start()
        await platform.days(5)
        platform.start()
        await platform.days(14)

    asyncio.run(run())
    assert platform.seen == [(0, N, 60), (2, G, 60), (31.75, X, 0)]
    alarms = platform.alarms()
    assert alarms[AlarmKind.GRACE] == 30
    assert alarms[AlarmKind.EXPIRED] == 1
    assert alarms[AlarmKind.CLOCK_SET_BACK] > 1


def test_without_a_valid_licence_nothing_starts_and_the_reason_is_told(database: Database) -> None:
    system = campaigning(database)
    campaign = system.campaign("calls", [system.contact_list("people", 3)])
    platform = Platform(database)
    platform.start()
    platform.server.answer = fails(SourceFault.UNREACHABLE)
    asyncio.run(platform.manager.poll())
    with pytest.raises(LicenceShortageError, match=r"no valid licence.*licences\.example: unreachable"):
        system.start(campaign)
    platform.server.answer = granted
    asyncio.run(platform.manager.poll())
    started = system.start(campaign)
    platform.server.answer = lambda at: granted(at, 0)
    asyncio.run(platform.days(31))
    task = database.read_now(job_store.tasks, None, job_ids=[started])[0]
    assert (task.quota, task.granted) == (0, 0)
    database.write_now(jobs.command, RULES, started, None, JobCommand.PAUSE, platform.clock.now(), "t")
    with pytest.raises(LicenceShortageError, match="its grace has ended"):
        database.write_now(jobs.command, RULES, started, None, JobCommand.RESUME, platform.clock.now(), "t")


def test_one_process_polls_and_when_it_is_asked_to(database: Database) -> None:
    campaigning(database)
    platform, other = Platform(database), Platform(database)
    platform.start()
    other.start()

    async def run() -> None:
        assert await platform.manager.poll_if_due() is not None
        assert await other.manager.poll_if_due() is None
        assert await platform.manager.poll_if_due() is None
        await database.write(supply.request_poll, NOON)
        assert await other.manager.poll_if_due() is None
        assert await platform.manager.poll_if_due() is not None
        assert await platform.manager.poll_if_due() is None
        platform.server.now += 53 * SECOND
        assert await platform.manager.poll_if_due() is None
        platform.server.now += 14 * SECOND
        assert await platform.manager.poll_if_due() is not None
        await platform.manager.close()
        assert await other.manager.poll_if_due() is not None

    asyncio.run(run())
    assert (platform.server.polls, other.server.polls) == (3, 1)
    assert platform.server.closed


def test_polls_are_spread_by_ten_percent(sqlite_database: Database) -> None:
    campaigning(sqlite_database)
    platform = Platform(sqlite_database)
    platform.start()
    platform.manager._random = random.Random(7)

    async def run() -> list[float]:
        waits = []
        for _ in range(20):
            await platform.manager.poll()
            assert platform.manager._next_at is not None
            waits.append(platform.manager._next_at)
        return waits

    waits = asyncio.run(run())
    assert len(set(waits)) > 15
    assert all(54 <= wait <= 66 for wait in waits)


def test_an_answer_that_a_loaded_file_overtook_is_asked_for_again(database: Database) -> None:
    system = campaigning(database)
    platform = Platform(database)
    platform.start()
    answers = [granted(NOON, 0), granted(NOON, 60)]

    def overtaken(_: dt.datetime) -> Authorisation:
        if len(answers) == 2:
            platform.clock.set(NOON + HOUR)
            system.license(NOON + HOUR, outbound_ports=10)
        return answers.pop(0)

    platform.server.answer = overtaken
    found = asyncio.run(platform.manager.poll())
    assert platform.server.polls == 2
    assert (found.state, found.counts[PORTS]) == (N, 60)


def test_a_source_that_breaks_is_a_failed_poll(database: Database) -> None:
    campaigning(database)
    platform = Platform(database)
    platform.start()
    asyncio.run(platform.manager.poll())

    def breaks(_: dt.datetime) -> Authorisation:
        raise RuntimeError("a bug")

    platform.server.answer = breaks
    found = asyncio.run(platform.manager.poll())
    assert (found.state, found.known.fault) == (S, SourceFault.BROKEN)
    assert "RuntimeError" in found.message


def test_ports_count_as_far_as_connections_carry_them(database: Database) -> None:
    campaigning(database)
    platform = Platform(database)
    platform.start()
    asyncio.run(platform.manager.poll())
    ports = database.read_now(connections.telephony)
    assert (ports.authorised, ports.usable, ports.sip, ports.h323) == (60, 60, 60, 0)

    def pool() -> int:
        return database.read_now(supply.current).counts[LINES]

    made = database.write_now(
        connections.add, RULES, NOON, "t", name="Carrier A", kind=ConnectionKind.SIP, capacity=20
    )
    ports = database.read_now(connections.telephony)
    assert (ports.usable, ports.sip, ports.h323, ports.for_agents, ports.idle) == (20, 20, 0, 20, 40)
    assert pool() == 20
    database.write_now(
        connections.add, RULES, NOON, "t", name="Old exchange", kind=ConnectionKind.H323, capacity=100
    )
    ports = database.read_now(connections.telephony)
    assert (ports.usable, ports.sip, ports.h323) == (60, 10, 50)
    asyncio.run(platform.manager.poll())
    assert pool() == 60
    database.write_now(connections.remove, RULES, NOON, "t", made.id)
    assert database.read_now(connections.telephony).sip == 0


def test_the_loop_polls_the_embedded_server_when_a_poll_is_asked_for(database: Database) -> None:
    system = campaigning(database)
    clock = VirtualClock(NOON)
    source = EmbeddedSource(database, clock, "any")
    states: list[str] = []

    async def run() -> None:
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listen(events: tuple[Event, ...]) -> None:
            for event in events:
                if isinstance(event, PlatformStateChanged):
                    states.append(event.after)
                    loop.call_soon_threadsafe(changed.set)

        database.listen(listen)
        manager = PlatformManager(database, RULES, clock, RealClock(), source)
        polled = await manager.poll()
        assert polled.state is SupplyState.NONE
        text, public = licence_text(NOON, outbound_ports=12)
        await database.write(server_files.load_file, text, public, "any", NOON, "test")
        await database.write(supply.request_poll, NOON)
        running = asyncio.ensure_future(manager.run())
        await changed.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await manager.close()
        database.unlisten(listen)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert states == ["normal"]
    found = database.read_now(supply.current)
    assert (found.counts[PORTS], found.known.server_id) == (12, "embedded")
    assert system.database.read_now(supply.figures, NOON)["platform_state_normal"] == 1


def test_figures_for_prometheus(database: Database) -> None:
    system = campaigning(database)
    figures = database.read_now(supply.figures, NOON)
    assert (figures["platform_licensed"], figures["platform_days_left"]) == (0, -1)
    system.license(outbound_ports=20, asr=3)
    figures = database.read_now(supply.figures, NOON + DAY)
    assert (figures["platform_state_normal"], figures["platform_days_left"]) == (1, 364)
    assert (figures["outbound_ports_authorised"], figures["asr_authorised"]) == (20, 3)
    assert (figures["telephony_ports_usable"], figures["telephony_ports_sip"]) == (20, 20)


def test_failed_sharing_plans_raise_an_alarm_once_an_hour(database: Database) -> None:
    campaigning(database)
    platform = Platform(database)
    platform.start()
    asyncio.run(platform.manager.poll())

    def fail(tx: Tx) -> None:
        log.append(tx, NOON, CertificateFailed(pool_id=1, violations=("too many",)))

    def certificates() -> int:
        return platform.alarms().get(AlarmKind.CERTIFICATE, 0)

    database.write_now(fail)
    asyncio.run(platform.manager.poll())
    assert certificates() == 1
    database.write_now(fail)
    asyncio.run(platform.days(1 / 48, HOUR / 2))
    assert certificates() == 1
    asyncio.run(platform.days(1 / 24, HOUR / 2))
    assert certificates() == 2
    asyncio.run(platform.days(1))
    assert certificates() == 2
