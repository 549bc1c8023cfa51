"""The floor's edge on a clock that is set back: a wrap-up ends all the same."""

import asyncio
import datetime as dt
from dataclasses import replace

from outrider.agents.model import AgentState
from outrider.db.database import Database
from support.desk_stage import NOON, SELL, desk_stage
from support.floor_play import engagement
from support.outreach import LeapingClock


def test_a_clock_that_is_set_back_holds_up_no_wrap_up(sqlite_database: Database) -> None:
    async def scenario() -> None:
        clock = LeapingClock(NOON, speed=20.0)
        async with desk_stage(sqlite_database, clock=clock) as stage:
            await stage.voice.open(stage.desk.driver.on_event)
            now = clock.now()
            contact = replace(engagement("c1", SELL), answered_at=now, ended_at=now)
            deadline = now + dt.timedelta(seconds=20)
            stage.admit(state=AgentState.WRAP_UP, engagement=contact, deadline=deadline)
            clock.leap(hours=-1)
            await stage.until(lambda: stage.session.state is AgentState.READY)
            assert abs(stage.desk.clock.now() - clock.now()) < dt.timedelta(minutes=1)

    asyncio.run(scenario())
