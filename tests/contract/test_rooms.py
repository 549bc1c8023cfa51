"""Rooms of the simulated carrier: every script of `room_scripts`, and how long people stay on the line."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from outrider.channels.model import CallAnswered, CallPurpose, OutboundCall
from outrider.channels.simulated.behaviour import CarrierProfile, Span
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.ledger import FileLedger, read_ledger
from outrider.channels.simulated.mismatches import mismatches, mismatches_of_ledger
from outrider.clock import VirtualClock
from outrider.ids import AttemptId
from support.room_scripts import SCRIPTS
from support.stages import PATIENT, TALK, Simulated, an_agent, over, simulated, talking, up
from support.voice import KINDS, START

SHORT = replace(PATIENT, patience=Span(7.0, 7.0), hold_patience=Span(40.0, 40.0), talk=Span(90.0, 90.0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_script(script: str, kind: str) -> None:
    async def play() -> None:
        async with simulated(kind) as stage:
            await SCRIPTS[script](stage)
            assert stage.setup.carrier.rooms.wrong() == []

    asyncio.run(play())


def seconds(stage: Simulated, call: AttemptId) -> float:
    """Return for how long a call that is over was up."""
    answered = next(event for event in stage.heard.of(call) if isinstance(event, CallAnswered))
    ended = stage.heard.ended(call)
    assert ended is not None
    return (ended.at - answered.at).total_seconds()


def stay(profile: CarrierProfile, *moves: tuple[float, str]) -> float:
    """Return for how long a contact is up who is moved so many seconds after its answer.

    Moves are "agent" (into the agent's room), "hold", "silence" and "empty" (a room without anybody).
    """

    async def play() -> float:
        async with simulated("embedded-virtual") as stage:
            stage.setup.carrier._profiles["patient"] = profile
            clock = stage.setup.carrier.clock
            assert isinstance(clock, VirtualClock)
            agent = await an_agent(stage)
            contact = await up(stage, "contact")
            answered = stage.heard.of(contact)[-1].at
            for after, move in moves:
                await clock.advance(after - (clock.now() - answered).total_seconds())
                match move:
                    case "agent":
                        await stage.channel.join(contact, agent)
                    case "empty":
                        await stage.channel.join(contact, "empty")
                    case "lost":
                        await stage.channel.hang_up(agent)
                    case _:
                        await stage.channel.leave(contact, music=move == "hold")
            await over(stage, contact)
            return seconds(stage, contact)

    return asyncio.run(play())


def test_people_wait_and_talk_for_as_long_as_their_profile_says() -> None:
    assert stay(SHORT) == 7.0
    assert stay(SHORT, (2.0, "agent")) == 92.0
    assert stay(SHORT, (2.0, "agent"), (30.0, "hold")) == 70.0
    assert stay(SHORT, (2.0, "agent"), (30.0, "hold"), (60.0, "agent")) == 92.0
    assert stay(SHORT, (2.0, "agent"), (80.0, "hold")) == 92.0
    assert stay(SHORT, (2.0, "agent"), (30.0, "silence")) == 37.0
    assert stay(SHORT, (2.0, "agent"), (30.0, "lost")) == 37.0
    assert stay(SHORT, (2.0, "empty")) == 9.0
    assert stay(SHORT, (2.0, "hold")) == 42.0
    assert stay(SHORT, (2.0, "hold"), (40.0, "agent")) == 130.0


def test_exponential_talks_have_their_mean() -> None:
    async def play() -> list[float]:
        async with simulated("embedded-virtual") as stage:
            stage.setup.carrier._profiles["patient"] = replace(PATIENT, talk_mean=TALK)
            contacts = []
            for number in range(300):
                agent = await an_agent(stage, f"agent{number}")
                contacts.append(await up(stage, f"contact{number}"))
                await stage.channel.join(contacts[-1], agent)
            await stage.heard.until(lambda: all(stage.heard.ended(one) for one in contacts))
            return [seconds(stage, one) for one in contacts]

    talks = asyncio.run(play())
    mean = sum(talks) / len(talks)
    assert 0.8 * TALK < mean < 1.2 * TALK
    assert 0.5 < sum(talk > mean for talk in talks) / len(talks) / 0.37 < 1.5


def test_the_audit_sees_two_contacts_with_one_agent_even_long_after() -> None:
    async def play() -> None:
        async with simulated("embedded-virtual") as stage:
            agent, contact = await talking(stage)
            records = [call.record for call in stage.setup.carrier._calls.values()]
            assert mismatches(records) == []
            other = await up(stage, "other")
            await stage.channel.leave(contact)
            await stage.channel.join(other, agent)
            records.append(stage.setup.carrier._calls[other].record)
            assert mismatches(records) == []
            await stage.channel.join(contact, agent)
            assert len(stage.setup.carrier.rooms.wrong()) == 1
            clock = stage.setup.carrier.clock
            assert isinstance(clock, VirtualClock)
            await clock.advance(1.0)
            await stage.channel.leave(contact)
            assert stage.setup.carrier.rooms.wrong() == []
            (found,) = mismatches(records)
            assert "is customer number 2 there" in found

    asyncio.run(play())


def test_the_ledger_tells_the_audit_who_met_whom(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    clock = VirtualClock(START)
    carrier = SimulatedCarrier(clock, {"patient": PATIENT}, ledger=ledger)

    async def play() -> None:
        for name, purpose in (
            ("a", CallPurpose.AGENT),
            ("b", CallPurpose.AGENT),
            ("c", CallPurpose.CUSTOMER),
        ):
            call = OutboundCall(AttemptId(name), name, profile="", purpose=purpose)
            carrier.originate(replace(call, profile="patient" if name == "c" else ""))
        await clock.advance(60.0)
        carrier.run_due()
        for name in ("a", "c"):
            carrier.join(AttemptId(name), "room")
        await clock.advance(5.0)
        carrier.join(AttemptId("b"), "room")
        await clock.advance(5.0)
        carrier.drop_all()
        carrier.run_due()

    asyncio.run(play())
    ledger.close()
    (found,) = mismatches_of_ledger(read_ledger(path))
    assert "room room: b is agent number 2 there" in found
