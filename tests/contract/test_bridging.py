"""A contact and an agent for whose joining no port is free: one is waited for while the contact may wait."""

import asyncio

from outrider.agents import legs
from outrider.agents.leg import LegPurpose
from outrider.agents.model import LegId
from outrider.channels.model import OutboundCall
from outrider.db.database import Database
from outrider.ids import AttemptId, new_attempt_ids
from support.desk_stage import NOON, DeskStage, desk_stage

PORTS = 2


async def bridged(stage: DeskStage, patience: float, *, freed: bool) -> str:
    """Join a contact to the agent's room while all ports are taken, and let one go; return the trouble."""
    await stage.voice.open(stage.desk.driver.on_event)
    stage.admit()
    leg = await stage.phone_up()
    contact = AttemptId("contact")
    stage.carrier.originate(OutboundCall(contact, "sip:c@example.org", 60.0, profile="agent"))
    await stage.until(
        lambda: any(call.answered for call in stage.carrier.living().calls if call.call_id == contact)
    )
    other = LegId(new_attempt_ids(NOON, 1)[0])
    stage.database.write_now(
        legs.take, other, stage.session_id, LegPurpose.CONSULT, stage.zone, "worker", NOON, address="+431555"
    )
    assert len(stage.charged()) == PORTS
    heard: list[str] = []
    stage.desk._legs.bridge(contact, leg, stage.session_id, stage.zone, heard.append, patience)
    if freed:
        await stage.pass_time(0.5)
        assert heard == []
        stage.database.write_now(legs.release, [other])
    await stage.until(lambda: bool(heard))
    return heard[0]


def test_a_port_that_comes_free_in_time_joins_them(sqlite_database: Database) -> None:
    async def scenario() -> None:
        async with desk_stage(sqlite_database, ports=PORTS) as stage:
            assert await bridged(stage, 2.0, freed=True) == ""
            rooms = {call.call_id: call.room for call in stage.carrier.living().calls}
            assert rooms[AttemptId("contact")] == stage.session.leg

    asyncio.run(scenario())


def test_the_contact_is_not_kept_waiting_for_longer(sqlite_database: Database) -> None:
    async def scenario() -> None:
        async with desk_stage(sqlite_database, ports=PORTS) as stage:
            assert "no telephony port" in await bridged(stage, 2.0, freed=False)

    asyncio.run(scenario())
