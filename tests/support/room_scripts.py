"""What happens between agents, contacts and third persons: scripts for every stage of `stages`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from outrider.channels.base import ChannelUnreachableError
from outrider.channels.model import CallAnswered, CallPurpose, CallRinging, EndCause, PlaybackFinished, Prompt
from outrider.errors import ChannelError
from support.stages import Stage, an_agent, over, rooms, talking, up

LONG = Prompt(file="demo-instruct")


async def a_contact_hangs_up_and_the_agents_phone_stays(stage: Stage) -> None:
    agent, contact = await talking(stage, "talker")
    assert await over(stage, contact) is EndCause.NORMAL
    assert await rooms(stage) == {agent: agent}
    await stage.alone(agent)
    other = await up(stage, "other")
    await stage.channel.join(other, agent)
    await stage.together(agent, other)


async def a_contact_is_on_hold_for_a_while(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.leave(contact, music=True)
    assert await rooms(stage) == {agent: agent, contact: ""}
    await stage.alone(contact, music=True)
    await stage.alone(agent)
    await stage.channel.join(contact, agent)
    await stage.together(agent, contact)


async def somebody_leaves_to_silence(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.leave(contact)
    await stage.channel.leave(contact)
    await stage.alone(contact)
    await stage.channel.leave(agent)
    assert await rooms(stage) == {agent: "", contact: ""}


async def a_third_person_is_consulted_joins_and_is_left_with_the_contact(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.leave(contact, music=True)
    third = await up(stage, "third", CallPurpose.CONSULT)
    await stage.channel.join(third, agent)
    await stage.together(agent, third)
    await stage.channel.join(contact, agent)
    await stage.together(agent, contact, third)
    assert await rooms(stage) == {agent: agent, contact: agent, third: agent}
    for who in (third, contact):
        await stage.channel.join(who, third)
    await stage.together(contact, third)
    await stage.alone(agent)
    await stage.channel.hang_up(third)
    await over(stage, third)
    await stage.alone(contact)


async def an_agents_phone_is_lost_and_another_goes_on(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.hang_up(agent)
    await over(stage, agent)
    assert set(await rooms(stage)) == {contact}
    other = await an_agent(stage, "another")
    await stage.channel.join(contact, other)
    await stage.together(contact, other)


async def keys_arrive_in_a_room_and_outside(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.send_digits(contact, "12#")
    await stage.keys_at(contact, "12#")
    await stage.channel.leave(contact)
    await stage.channel.send_digits(contact, "A*0")
    await stage.keys_at(contact, "12#A*0")
    await stage.keys_at(agent, "")
    for wrong in ("", "1;2", "w"):
        with pytest.raises(ChannelError, match="cannot be sent"):
            await stage.channel.send_digits(contact, wrong)


async def the_controller_is_gone_and_back_and_they_talk_on(stage: Stage) -> None:
    agent, contact = await talking(stage)
    held = await up(stage, "held")
    await stage.channel.leave(held, music=True)
    await stage.reopen()
    assert await rooms(stage) == {agent: agent, contact: agent, held: ""}
    await stage.together(agent, contact)
    await stage.channel.join(contact, agent)
    await stage.together(agent, contact)
    await stage.channel.hang_up(contact)
    await over(stage, contact)
    await stage.channel.join(held, agent)
    await stage.together(agent, held)


async def who_is_gone_joins_no_room_and_leaves_none(stage: Stage) -> None:
    agent, contact = await talking(stage)
    await stage.channel.hang_up(contact)
    await over(stage, contact)
    with pytest.raises(ChannelError) as caught:
        await stage.channel.join(contact, agent)
    assert not isinstance(caught.value, ChannelUnreachableError)
    await stage.channel.leave(contact, music=True)
    with pytest.raises(ChannelError):
        await stage.channel.send_digits(contact, "1")
    absent = stage.order("rings", CallPurpose.CUSTOMER, "absent")
    await stage.channel.originate(absent)
    await stage.heard.until(lambda: stage.heard.has(absent.call_id, CallRinging))
    with pytest.raises(ChannelError):
        await stage.channel.join(absent.call_id, agent)
    await stage.alone(agent)


async def an_agent_hears_it_ring_and_talks_at_once(stage: Stage) -> None:
    agent = await an_agent(stage)
    absent = replace(stage.order("nobody", CallPurpose.CUSTOMER, "absent"), early_room=agent)
    await stage.channel.originate(absent)
    await stage.heard.until(lambda: stage.heard.has(absent.call_id, CallRinging))
    assert await rooms(stage) == {agent: agent, absent.call_id: agent}
    await stage.rings_for(agent)
    assert not stage.heard.has(absent.call_id, CallAnswered)
    await stage.channel.hang_up(absent.call_id)
    await over(stage, absent.call_id)
    await stage.alone(agent)
    contact = replace(stage.order("somebody", CallPurpose.CUSTOMER, "patient"), early_room=agent)
    await stage.channel.originate(contact)
    await stage.heard.until(lambda: stage.heard.has(contact.call_id, CallAnswered))
    await stage.together(agent, contact.call_id)
    kinds = [type(event) for event in stage.heard.of(contact.call_id)]
    assert kinds == [CallRinging, CallAnswered]
    await stage.channel.leave(contact.call_id, music=True)
    await stage.alone(contact.call_id, music=True)


async def early_calls_end_as_others_do(stage: Stage) -> None:
    agent = await an_agent(stage)
    for manner, cause in (("busy", EndCause.BUSY), ("absent", EndCause.NO_ANSWER)):
        order = stage.order(manner, CallPurpose.CUSTOMER, manner)
        await stage.channel.originate(replace(order, early_room=agent, ring_timeout=2.0))
        assert await over(stage, order.call_id) is cause
        assert not stage.heard.has(order.call_id, CallAnswered)
    assert await rooms(stage) == {agent: agent}


async def early_calls_ring_on_while_the_controller_is_gone(stage: Stage) -> None:
    agent = await an_agent(stage)
    absent = replace(stage.order("nobody", CallPurpose.CUSTOMER, "absent"), early_room=agent)
    await stage.channel.originate(absent)
    await stage.heard.until(lambda: stage.heard.has(absent.call_id, CallRinging))
    await stage.reopen()
    living = {call.call_id: call for call in (await stage.channel.living()).calls}
    assert living[absent.call_id].room == agent
    assert not living[absent.call_id].answered
    await stage.channel.hang_up(absent.call_id)
    await over(stage, absent.call_id)


async def a_prompt_ends_when_its_hearer_joins(stage: Stage) -> None:
    agent = await an_agent(stage)
    contact = await up(stage, "contact")
    await stage.channel.play(contact, LONG)
    await stage.channel.join(contact, agent)
    await stage.together(agent, contact)
    await stage.heard.until(lambda: stage.heard.has(contact, PlaybackFinished))
    assert await rooms(stage) == {agent: agent, contact: agent}


async def rooms_are_made_and_left_by_many_at_once(stage: Stage) -> None:
    agents = await asyncio.gather(*(an_agent(stage, f"agent{number}") for number in range(4)))
    contacts = await asyncio.gather(*(up(stage, f"contact{number}") for number in range(4)))
    for shift in range(3):
        moves = [(who, agents[(index + shift) % 4]) for index, who in enumerate(contacts)]
        await asyncio.gather(*(stage.channel.join(who, room) for who, room in moves), stage.channel.living())
        assert (await rooms(stage)).items() >= dict(moves).items()
    for who, agent in moves:
        await stage.together(who, agent)
    await asyncio.gather(*(stage.channel.hang_up(who) for who in (*agents, *contacts)))
    for who in (*agents, *contacts):
        await over(stage, who)
    assert await rooms(stage) == {}


Script = Callable[[Stage], Awaitable[None]]
SCRIPTS: Mapping[str, Script] = {
    script.__name__: script
    for script in (
        a_contact_hangs_up_and_the_agents_phone_stays,
        a_contact_is_on_hold_for_a_while,
        somebody_leaves_to_silence,
        a_third_person_is_consulted_joins_and_is_left_with_the_contact,
        an_agents_phone_is_lost_and_another_goes_on,
        keys_arrive_in_a_room_and_outside,
        the_controller_is_gone_and_back_and_they_talk_on,
        who_is_gone_joins_no_room_and_leaves_none,
        an_agent_hears_it_ring_and_talks_at_once,
        early_calls_end_as_others_do,
        early_calls_ring_on_while_the_controller_is_gone,
        a_prompt_ends_when_its_hearer_joins,
        rooms_are_made_and_left_by_many_at_once,
    )
}
"""All scripts by name."""
