"""Rooms on a real Asterisk: every script of `room_scripts`, heard at real phones, and how fast they join."""

import asyncio
import statistics

import pytest
from tools.testbed.asterisk import AsteriskServer

from outrider.channels.asterisk import rooms
from outrider.channels.model import CallAnswered, CallPurpose
from outrider.ids import AttemptId
from support.asterisk_stage import AsteriskStage, asterisk_stage
from support.processes import eventually
from support.room_scripts import SCRIPTS
from support.stages import an_agent, over

MEDIAN = 0.150
"""Seconds from the customer's 200 OK to the agent's voice, at most, by the issue."""


def bridges(server: AsteriskServer) -> set[str]:
    """Return the ids of the server's bridges of ours."""
    found = server.ari("GET", "/bridges").raise_for_status().json()
    return {str(bridge["id"]) for bridge in found if bridge["id"].startswith(rooms.PREFIX)}


@pytest.mark.parametrize("script", SCRIPTS)
def test_script(script: str, asterisk: AsteriskServer) -> None:
    async def play() -> None:
        async with asterisk_stage(asterisk) as stage:
            await SCRIPTS[script](stage)
            assert not any(phone.reinvites for phone in stage.phones.calls)

    asyncio.run(play())
    assert eventually("no room is left", lambda: not bridges(asterisk))


def test_an_agents_voice_is_there_at_once(asterisk: AsteriskServer) -> None:
    """Nailed-up agents, and contacts who come one after another: what counts is the contact's wait."""

    async def contact(stage: AsteriskStage, agent: AttemptId, name: str) -> float:
        order = stage.order(name, CallPurpose.CUSTOMER, "patient")
        await stage.channel.originate(order)
        await stage.heard.until(lambda: stage.heard.has(order.call_id, CallAnswered))
        await stage.channel.join(order.call_id, agent)
        await stage.together(agent, order.call_id)
        phone, tone = stage.phone(order.call_id), stage.phone(agent).habit.tone
        await stage.channel.hang_up(order.call_id)
        await over(stage, order.call_id)
        return phone.first[tone] - phone.answered_at

    async def play() -> list[float]:
        async with asterisk_stage(asterisk) as stage:
            agents = [await an_agent(stage, f"agent{number}") for number in range(4)]

            async def seat(agent: AttemptId) -> list[float]:
                return [await contact(stage, agent, f"{agent}-{number}") for number in range(5)]

            return [wait for waits in await asyncio.gather(*map(seat, agents)) for wait in waits]

    waits = asyncio.run(play())
    print(f"median {statistics.median(waits) * 1000:.0f} ms, most {max(waits) * 1000:.0f} ms")  # noqa: T201
    assert statistics.median(waits) <= MEDIAN


def test_a_room_that_a_dead_controller_left_is_closed(asterisk: AsteriskServer) -> None:
    async def bridges_become(wanted: set[str]) -> None:
        """Wait for Asterisk's list: it lags a little behind what was done."""
        await asyncio.to_thread(eventually, f"{wanted} are there", lambda: bridges(asterisk) == wanted)

    async def play() -> None:
        async with asterisk_stage(asterisk) as stage:
            name = stage.channel.settings.application
            ours, others = f"{rooms.PREFIX}ours", f"{rooms.PREFIX}others"
            for bridge, owner in ((ours, name), (others, "another"), ("foreign", name)):
                asterisk.ari("POST", f"/bridges/{bridge}", type="mixing", name=owner).raise_for_status()
            await bridges_become({ours, others})
            await stage.channel.living()
            # Another controller may be about to use it.
            await bridges_become({others})
            await stage.channel.living()
            await bridges_become(set())
            asterisk.ari("DELETE", "/bridges/foreign").raise_for_status()

    asyncio.run(play())
