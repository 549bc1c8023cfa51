"""Contacts who were handed over to a third person, and the next process: either end still ends the other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from outrider.agents.commands import CompleteTransfer, ConsultCall
from outrider.agents.model import AgentState
from outrider.campaigns.strategy import Action, Channel, Strategy
from outrider.channels.model import CallPurpose, OutboundCall
from outrider.contacts.model import Contact
from outrider.db.database import Database
from outrider.dialing.attempt import Claim, TaskPlan
from outrider.dialing.retry import Counters
from outrider.ids import AttemptId, CampaignId, JobId, OrganizationId, TargetId, new_attempt_ids
from support.desk_stage import NOON, SELL, DeskStage, desk_stage
from support.floor_play import engagement

CONTACT = new_attempt_ids(NOON, 1)[0]


def a_claim(stage: DeskStage) -> Claim:
    """Return the contact's attempt, as the process that takes over finds it."""
    action = Action("call", Channel.CALL, ("phone",), agents=SELL.settings)
    plan = TaskPlan(
        task_id=SELL.task_id,
        job_id=JobId(1),
        pool_id=stage.pool,
        zone_id=stage.zone,
        organization_id=OrganizationId(1),
        campaign_id=CampaignId(1),
        strategy=Strategy("sell", (action,)),
        action=action,
        task_of={},
    )
    contact = Contact(id=1, list_id=1)
    return Claim(CONTACT, plan, TargetId(1), contact, "+4315550", 0, 1, Counters())


def handed_over(database: Database, scenario: Callable[[DeskStage, AttemptId], Awaitable[None]]) -> None:
    """Play a scenario where an agent wraps up, and its contact talks to a third person."""

    async def run() -> None:
        async with desk_stage(database) as stage:
            await stage.voice.open(stage.desk.driver.on_event)
            # A person who answers, whatever the profile of contacts says.
            stage.carrier.originate(
                OutboundCall(CONTACT, "+4315550", 30.0, purpose=CallPurpose.CONSULT, profile="")
            )
            await stage.until(lambda: any(call.answered for call in stage.carrier.living().calls))
            contact = replace(
                engagement(CONTACT, SELL), customer_up=True, answered_at=stage.clock.now(), consult=None
            )
            stage.admit(state=AgentState.TALKING, engagement=contact)
            phone = await stage.phone_up()
            stage.command(ConsultCall("+431555"))
            third = consulted(stage)
            await stage.until(lambda: in_room(stage, third) == phone)
            stage.command(CompleteTransfer())
            await stage.until(lambda: in_room(stage, CONTACT) == third)
            await scenario(stage, third)

    asyncio.run(run())


def consulted(stage: DeskStage) -> AttemptId:
    """Return the leg of the person who is consulted."""
    contact = stage.session.engagement
    assert contact is not None
    assert contact.consult is not None
    return contact.consult.leg


def in_room(stage: DeskStage, call_id: AttemptId) -> str:
    """Return the room that a call is in, "" for none."""
    return next((call.room for call in stage.carrier.living().calls if call.call_id == call_id), "")


async def taken_over(stage: DeskStage) -> DeskStage:
    """Let the next process take the floor, and the contact's call."""
    stage.write(stage.session)
    await stage.desk.close()
    after = stage.again()
    await after.voice.open(after.desk.driver.on_event)
    assert await after.keeper.try_once()
    return after


def test_a_contact_who_was_handed_over_is_hung_up_on_when_the_third_person_hangs_up_after_a_restart(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage, third: AttemptId) -> None:
        after = await taken_over(stage)
        after.desk.taken_over(a_claim(after), in_room(after, CONTACT))
        assert after.session.state is AgentState.WRAP_UP
        after.carrier.hang_up(third)
        await after.until(lambda: CONTACT not in after.up())
        await after.desk.close()

    handed_over(sqlite_database, scenario)


def test_a_contact_whose_third_person_hung_up_before_the_restart_is_not_left_alone(
    sqlite_database: Database,
) -> None:
    async def scenario(stage: DeskStage, third: AttemptId) -> None:
        stage.inject(lose_events=10)
        stage.carrier.hang_up(third)
        await stage.pass_time(1)
        stage.inject()
        room = in_room(stage, CONTACT)
        after = await taken_over(stage)
        after.desk.taken_over(a_claim(after), room)
        await after.until(lambda: CONTACT not in after.up())
        await after.desk.close()

    handed_over(sqlite_database, scenario)
