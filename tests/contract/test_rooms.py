"""Rooms of voice channels: phones of agents, contacts who talk, holds, third persons; each implementation."""

import asyncio
from dataclasses import replace

import pytest

from outrider.channels.base import ChannelUnreachableError
from outrider.channels.model import CallAnswered, CallPurpose
from outrider.channels.simulated.behaviour import FarEnd, Span
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.voice import KINDS, PROFILES, Setup, a_call, certain, voice

AGENT, CONTACT, THIRD = AttemptId("agent"), AttemptId("contact"), AttemptId("third")
TALKER = replace(certain(FarEnd.HUMAN), talk=Span(50.0, 50.0))


async def up(setup: Setup, call_id: AttemptId, purpose: CallPurpose) -> None:
    """Call somebody, and wait until it is answered."""
    profile = "talker" if purpose is CallPurpose.CUSTOMER else ""
    await setup.channel.originate(replace(a_call(call_id, profile), purpose=purpose))
    await setup.heard.until(lambda: setup.heard.has(call_id, CallAnswered))


async def talking(setup: Setup) -> None:
    """Let an agent's phone and a contact talk."""
    setup.carrier._profiles["talker"] = TALKER
    await up(setup, AGENT, CallPurpose.AGENT)
    await setup.channel.join(AGENT, AGENT)
    await up(setup, CONTACT, CallPurpose.CUSTOMER)
    await setup.channel.join(CONTACT, AGENT)


async def rooms(setup: Setup) -> dict[str, str]:
    """Return who is in which room."""
    return {call.call_id: call.room for call in (await setup.channel.living()).calls}


@pytest.mark.parametrize("kind", KINDS)
def test_a_contact_talks_and_hangs_up_and_the_agents_phone_stays(kind: str) -> None:
    async def play() -> None:
        async with voice(kind) as setup:
            await talking(setup)
            assert await rooms(setup) == {AGENT: AGENT, CONTACT: AGENT}
            assert setup.carrier.rooms.wrong() == []
            await setup.heard.until(lambda: setup.heard.ended(CONTACT) is not None)
            answered = next(e for e in setup.heard.of(CONTACT) if isinstance(e, CallAnswered))
            ended = setup.heard.ended(CONTACT)
            assert ended is not None
            assert (ended.at - answered.at).total_seconds() >= TALKER.talk.low
            assert await rooms(setup) == {AGENT: AGENT}

    asyncio.run(play())


@pytest.mark.parametrize("kind", KINDS)
def test_hold_keys_and_a_third_person(kind: str) -> None:
    async def play() -> None:
        async with voice(kind) as setup:
            await talking(setup)
            await setup.channel.send_digits(CONTACT, "12#")
            await setup.channel.leave(CONTACT, music=True)
            assert (await rooms(setup))[CONTACT] == ""
            await up(setup, THIRD, CallPurpose.CONSULT)
            await setup.channel.join(THIRD, AGENT)
            await setup.channel.join(CONTACT, AGENT)
            assert await rooms(setup) == {AGENT: AGENT, CONTACT: AGENT, THIRD: AGENT}
            assert setup.carrier._calls[CONTACT].record.digits == "12#"
            for who in (THIRD, CONTACT):
                await setup.channel.join(who, THIRD)
            assert await rooms(setup) == {AGENT: AGENT, CONTACT: THIRD, THIRD: THIRD}
            await setup.channel.hang_up(THIRD)
            await setup.heard.until(lambda: setup.heard.ended(THIRD) is not None)

    asyncio.run(play())


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_gone_joins_no_room_and_leaves_none(kind: str) -> None:
    async def play() -> None:
        async with voice(kind) as setup:
            await talking(setup)
            await setup.channel.hang_up(CONTACT)
            await setup.heard.until(lambda: setup.heard.ended(CONTACT) is not None)
            with pytest.raises(ChannelError) as caught:
                await setup.channel.join(CONTACT, AGENT)
            assert not isinstance(caught.value, ChannelUnreachableError)
            await setup.channel.leave(CONTACT, music=True)
            with pytest.raises(ChannelError):
                await setup.channel.send_digits(CONTACT, "1")

    asyncio.run(play())


def test_a_contact_who_hears_nobody_hangs_up() -> None:
    async def play() -> None:
        async with voice("embedded-virtual") as setup:
            setup.carrier._profiles["talker"] = TALKER
            await up(setup, CONTACT, CallPurpose.CUSTOMER)
            await setup.heard.until(lambda: setup.heard.ended(CONTACT) is not None)
            answered, ended = setup.heard.of(CONTACT)[-2:]
            assert (ended.at - answered.at).total_seconds() <= PROFILES["human"].patience.high

    asyncio.run(play())


def test_two_contacts_in_one_room_are_seen_by_the_audit() -> None:
    async def play() -> None:
        async with voice("embedded-virtual") as setup:
            await talking(setup)
            other = AttemptId("other")
            await setup.channel.originate(a_call(other, "silent"))
            await setup.heard.until(lambda: setup.heard.has(other, CallAnswered))
            await setup.channel.join(other, AGENT)
            assert len(setup.carrier.rooms.wrong()) == 1

    asyncio.run(play())
