"""The production floor's edge over a simulated carrier on virtual time, with lost news where a test wants it.

Tests of `runtime/floor_desk.py` and what it owns use it; its one agent's session is in the database.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from outrider.agents import legs, sessions
from outrider.agents.commands import Command
from outrider.agents.model import AgentId, AgentState, Attachment, NailUp, Session, SessionId
from outrider.channels.model import Living
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.channels.simulated.faults import Faults
from outrider.clock import Clock, RealClock, VirtualClock
from outrider.db.database import Database
from outrider.ids import OrganizationId, PoolId, TaskId, ZoneId
from outrider.licences import division_store
from outrider.runtime.composing import Composer
from outrider.runtime.driver import Driver
from outrider.runtime.floor_desk import FloorDesk
from outrider.runtime.floor_keeper import FloorKeeper
from outrider.runtime.mailing import MailComposer
from outrider.runtime.performer import Channels
from outrider.runtime.recorder import Recorder
from outrider.runtime.speech_desk import SpeechDesk
from outrider.runtime.wake import Wake
from outrider.runtime.webhooks import WebhookChannel
from support import media
from support.agent_sessions import log_in
from support.campaigning import RULES
from support.floor_play import task

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
SELL = task(1)


class Mute(EmbeddedCarrier):
    """A carrier that may be silent when it is asked what is up, as a media server that is not connected."""

    silent = False

    async def living(self) -> Living:
        """Return what is up, or that nothing is known."""
        return Living(silent=frozenset({""})) if self.silent else await super().living()


@dataclass
class DeskStage:
    """One desk, and the agent who is to work at it."""

    database: Database
    clock: Clock
    carrier: SimulatedCarrier
    voice: Mute
    zone: ZoneId
    pool: PoolId
    session_id: SessionId
    desk: FloorDesk
    keeper: FloorKeeper

    @property
    def session(self) -> Session:
        """The agent's session as it is now."""
        found = self.desk.floor.session(self.session_id)
        assert found is not None
        return found

    @property
    def phone(self) -> str:
        """How the agent's phone is."""
        return self.session.nail_up.value

    def is_open(self) -> bool:
        """Say whether something is to be asked of the server."""
        return self.desk._legs.is_open

    def condemned(self) -> frozenset[str]:
        """Return the calls that could not be ended yet."""
        return self.desk._legs.condemned()

    def admit(self, **values: object) -> None:
        """Let the agent come, ready and with a seat, as `values` say otherwise."""
        session = Session(
            self.session_id,
            AgentId(1),
            OrganizationId(1),
            self.pool,
            "ada",
            "sip:ada@example.org",
            state=AgentState.READY,
            since=self.clock.now(),
            attachment=Attachment.ATTACHED,
            task_id=TaskId(1),
        )
        self.desk.floor.know_task(SELL)
        session = replace(session, **values)  # type: ignore[arg-type]
        self.desk.do(self.desk.floor.admit(session, self.clock.now()))

    def command(self, command: Command) -> None:
        """Let the agent ask for something."""
        self.desk.do(self.desk.floor.command(self.session_id, command, self.desk.clock.now()))

    def inject(self, **faults: object) -> None:
        """Let these things go wrong from now on, and no others."""
        self.carrier.inject(Faults(**faults))  # type: ignore[arg-type]

    def up(self) -> list[str]:
        """Return the calls that the carrier has."""
        return [call.call_id for call in self.carrier.living().calls]

    def charged(self) -> list[str]:
        """Return the legs that have a port."""
        return [leg.id for leg in self.database.read_now(legs.every)]

    async def pass_time(self, seconds: float) -> None:
        """Let virtual time pass; other time passes by itself."""
        if isinstance(self.clock, VirtualClock):
            await self.clock.advance(seconds)

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so, while virtual time passes slowly; fail rather than hang."""
        async with asyncio.timeout(10):
            while not what():
                await asyncio.sleep(0.005)
                await self.pass_time(0.05)

    async def phone_up(self) -> str:
        """Wait until the agent's phone has answered; return its leg."""
        await self.until(lambda: self.session.nail_up is NailUp.UP)
        assert self.session.leg is not None
        return self.session.leg

    def write(self, session: Session) -> None:
        """Write the session down, as the floor does."""
        self.database.write_now(sessions.save_sessions, [session], [])

    def again(self) -> "DeskStage":
        """Return the stage of the next process: the calls live on, and the floor is to be taken."""
        return _stage(
            self.database, self.clock, self.carrier, self.voice, self.zone, self.pool, self.session_id
        )


@asynccontextmanager
async def desk_stage(
    database: Database, ports: int = 10, clock: Clock | None = None
) -> AsyncIterator[DeskStage]:
    """Give a desk whose carrier answers; its zone has so many ports."""
    clock = clock or VirtualClock(NOON)
    zone = await asyncio.to_thread(media.make_system, database, NOON, ports)
    pool = PoolId(database.read_now(division_store.pools)[0].id)
    _, session_id = log_in(database, pool, "ada", NOON)
    carrier = SimulatedCarrier(clock, seed=1)
    stage = _stage(database, clock, carrier, Mute(carrier), zone, pool, session_id)
    try:
        yield stage
    finally:
        await stage.desk.close()
        await stage.desk.driver.close()
        await stage.voice.close()


def _stage(
    database: Database,
    clock: Clock,
    carrier: SimulatedCarrier,
    voice: Mute,
    zone: ZoneId,
    pool: PoolId,
    session_id: SessionId,
) -> DeskStage:
    recorder = Recorder(database, RULES, clock, Wake(), 0.01)
    channels = Channels(voice, None, None, WebhookChannel(clock))
    composer = Composer(MailComposer(b"0123456789abcdef", "http://localhost"))
    driver = Driver(channels, composer, recorder, SpeechDesk(database, clock), clock)
    desk = FloorDesk(database, clock, voice, driver, recorder, "worker")
    desk.zones[pool] = zone
    driver.hall = desk

    async def known(_: TaskId) -> object:
        return SELL

    keeper = FloorKeeper(database, RealClock(), voice, desk, "slot", "worker", known)  # type: ignore[arg-type]
    return DeskStage(database, clock, carrier, voice, zone, pool, session_id, desk, keeper)
