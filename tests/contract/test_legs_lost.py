"""Phones of which news is lost, or that cannot be hung up: no port leaks, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from outrider.agents.commands import LogOut
from outrider.agents.model import AgentState, Consult, NailUp
from outrider.db.database import Database
from outrider.ids import AttemptId
from outrider.runtime.floor_legs import MARGIN
from support.desk_stage import SELL, DeskStage, desk_stage
from support.floor_play import engagement


def on_stage(database: Database, scenario: Callable[[DeskStage], Awaitable[None]]) -> None:
    """Play a scenario on a fresh stage that is connected."""

    async def run() -> None:
        async with desk_stage(database) as stage:
            await stage.voice.open(stage.desk.driver.on_event)
            await scenario(stage)

    asyncio.run(run())


def test_a_phone_that_could_not_be_hung_up_is_hung_up_when_the_server_answers(database: Database) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        leg = await stage.phone_up()
        stage.inject(unreachable=True)
        stage.command(LogOut("home"))
        held = asyncio.Event()
        held.set()
        watching = asyncio.ensure_future(stage.desk.audit.run(held))
        await stage.until(lambda: leg in stage.condemned())
        assert stage.charged() == [leg]
        stage.inject()
        assert stage.up() == [leg]
        await stage.until(lambda: not stage.charged())
        assert stage.up() == []
        watching.cancel()

    on_stage(database, scenario)


def test_an_answer_that_was_lost_is_asked_for_once_it_is_overdue(sqlite_database: Database) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        await stage.until(lambda: bool(stage.up()))
        stage.inject(lose_events=10)
        await stage.pass_time(5)
        assert stage.phone == "dialing"
        assert not stage.is_open()
        await stage.pass_time(SELL.settings.nail_up_timeout + MARGIN)
        assert stage.is_open()
        await stage.desk.audit.look()
        assert stage.phone == "up"
        assert not stage.is_open()
        await stage.desk.audit.look()
        assert len(stage.charged()) == 1

    on_stage(sqlite_database, scenario)


def test_the_end_of_a_phone_that_was_lost_is_noticed_and_it_is_called_again(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        leg = await stage.phone_up()
        stage.inject(lose_events=10)
        stage.carrier.drop_all()
        await stage.pass_time(1)
        assert stage.session.leg == leg
        stage.inject()
        await stage.desk.audit.look()
        again = await stage.phone_up()
        assert again != leg
        await stage.until(lambda: stage.charged() == [again])

    on_stage(sqlite_database, scenario)


def test_a_phone_on_a_server_that_stays_silent_is_given_up_and_its_port_is_kept(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        await stage.until(lambda: bool(stage.up()))
        (leg,) = stage.up()
        stage.inject(lose_events=10)
        stage.voice.silent = True
        await stage.pass_time(SELL.settings.nail_up_timeout + 2 * MARGIN)
        await stage.desk.audit.look()
        assert stage.session.nail_up is NailUp.LOST
        assert stage.charged() == [leg]
        stage.inject()
        stage.voice.silent = False
        await stage.desk.audit.look()
        await stage.until(lambda: leg not in stage.up() and leg not in stage.charged())

    on_stage(sqlite_database, scenario)


def test_a_phone_on_a_silent_server_is_kept_through_a_restart_and_settled_after_it(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        leg = await stage.phone_up()
        stage.write(stage.session)
        await stage.desk.close()
        stage.voice.silent = True
        after = stage.again()
        assert await after.keeper.try_once()
        assert (after.session.leg, after.session.nail_up) == (leg, NailUp.UP)
        await after.desk.audit.look()
        assert after.charged() == [leg]
        stage.carrier.drop_all()
        await stage.pass_time(1)
        stage.voice.silent = False
        await after.desk.audit.look()
        assert after.session.leg != leg
        await after.until(lambda: leg not in after.charged())
        await after.desk.close()

    on_stage(sqlite_database, scenario)


def test_a_consulted_person_who_is_gone_after_a_restart_gives_the_contact_back(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage) -> None:
        stage.admit()
        await stage.phone_up()
        contact = replace(
            engagement("c1", SELL),
            customer_up=True,
            answered_at=stage.clock.now(),
            consult=Consult(AttemptId("third"), "+431555", joined=True),
        )
        stage.write(replace(stage.session, state=AgentState.HOLD, engagement=contact))
        await stage.desk.close()
        after = stage.again()
        assert await after.keeper.try_once()
        assert after.session.state is AgentState.TALKING
        assert after.session.engagement is not None
        assert after.session.engagement.consult is None
        await after.desk.close()

    on_stage(sqlite_database, scenario)
