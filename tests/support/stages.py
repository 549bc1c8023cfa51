"""Stages on which people talk over a voice channel: one script plays on each implementation of it.

`Simulated` is the simulated carrier, embedded or over TCP; `asterisk_stage` has the one over a real Asterisk.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol

from outrider.channels.base import VoiceChannel
from outrider.channels.model import CallAnswered, CallPurpose, EndCause, OutboundCall
from outrider.channels.simulated.behaviour import ALWAYS_THERE, CarrierProfile, FarEnd, Span
from outrider.ids import AttemptId
from support.voice import Recorder, Setup, a_call, certain, voice

FOREVER = Span(ALWAYS_THERE, ALWAYS_THERE)
PATIENT = certain(FarEnd.HUMAN, patience=FOREVER, hold_patience=FOREVER, talk=FOREVER, linger=FOREVER)
TALK = 50.0
PEOPLE = {
    "patient": PATIENT,
    "talker": replace(PATIENT, talk=Span(TALK, TALK)),
    "busy": certain(FarEnd.BUSY),
    "absent": certain(FarEnd.NO_ANSWER),
}
"""Contacts, by how they behave: each stage has them all."""


class Stage(Protocol):
    """An open voice channel, phones behind it, and ears."""

    @property
    def channel(self) -> VoiceChannel:
        """The voice channel."""
        ...

    @property
    def heard(self) -> Recorder:
        """What it told."""
        ...

    def order(self, name: str, purpose: CallPurpose, manner: str) -> OutboundCall:
        """Return the call that reaches a phone of that name; `manner` is one of PEOPLE."""
        ...

    async def together(self, *calls: AttemptId) -> None:
        """Wait until these hear each other, and nobody else."""
        ...

    async def alone(self, call: AttemptId, *, music: bool = False) -> None:
        """Wait until somebody hears nobody; or nobody but music."""
        ...

    async def rings_for(self, call: AttemptId) -> None:
        """Wait until somebody hears that it rings at another phone."""
        ...

    async def keys_at(self, call: AttemptId, keys: str) -> None:
        """Wait until these keys were heard at a phone, and no others."""
        ...

    async def reopen(self) -> None:
        """Let the controller be gone, and another one come."""
        ...


async def up(
    stage: Stage, name: str, purpose: CallPurpose = CallPurpose.CUSTOMER, manner: str = "patient"
) -> AttemptId:
    """Call somebody, and wait until that is answered."""
    call = stage.order(name, purpose, manner)
    await stage.channel.originate(call)
    await stage.heard.until(lambda: stage.heard.has(call.call_id, CallAnswered))
    return call.call_id


async def an_agent(stage: Stage, name: str = "agent") -> AttemptId:
    """Call an agent's phone, which sits in its own room."""
    agent = await up(stage, name, CallPurpose.AGENT)
    await stage.channel.join(agent, agent)
    return agent


async def talking(stage: Stage, manner: str = "patient") -> tuple[AttemptId, AttemptId]:
    """Let an agent and a contact talk."""
    agent = await an_agent(stage)
    contact = await up(stage, "contact", manner=manner)
    await stage.channel.join(contact, agent)
    await stage.together(agent, contact)
    return agent, contact


async def over(stage: Stage, call: AttemptId) -> EndCause:
    """Wait for the end of a call; return why."""
    await stage.heard.until(lambda: stage.heard.ended(call) is not None)
    end = stage.heard.ended(call)
    assert end is not None
    return end.cause


async def rooms(stage: Stage) -> dict[AttemptId, str]:
    """Return who is in which room, as the channel tells."""
    return {call.call_id: call.room for call in (await stage.channel.living()).calls}


class Simulated:
    """The simulated carrier as a stage: who is in one room there hears each other."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.channel = setup.channel
        self.heard = setup.heard

    def order(self, name: str, purpose: CallPurpose, manner: str) -> OutboundCall:
        profile = manner if purpose is CallPurpose.CUSTOMER else ""
        return replace(a_call(name, profile, ring_timeout=20.0), purpose=purpose)

    async def together(self, *calls: AttemptId) -> None:
        (room,) = {self.setup.carrier._calls[call].room for call in calls}
        assert {call.order.call_id for call in self.setup.carrier.rooms.members(room)} == set(calls)

    async def alone(self, call: AttemptId, *, music: bool = False) -> None:
        found = self.setup.carrier._calls[call]
        assert not self.setup.carrier.rooms.has_company(found)
        assert found.music == music

    async def rings_for(self, call: AttemptId) -> None:
        found = self.setup.carrier._calls[call]
        assert any(not other.answered for other in self.setup.carrier.rooms.members(found.room))

    async def keys_at(self, call: AttemptId, keys: str) -> None:
        assert self.setup.carrier._calls[call].record.digits == keys

    async def reopen(self) -> None:
        await self.channel.close()
        self.heard = Recorder(self.setup.carrier.clock)
        await self.channel.open(self.heard)


@asynccontextmanager
async def simulated(kind: str) -> AsyncIterator[Simulated]:
    """Give a stage over one of `voice.KINDS`."""
    async with asyncio.timeout(60), voice(kind) as setup:
        profiles: dict[str, CarrierProfile] = setup.carrier._profiles
        profiles.update(PEOPLE)
        yield Simulated(setup)
