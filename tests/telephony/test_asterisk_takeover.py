"""Crashes on a real Asterisk: our process gone and back, Asterisk killed, frozen, restarted, taken over."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome

from outrider.channels.asterisk.settings import Requests
from outrider.channels.asterisk.trouble import ServerState
from outrider.channels.base import ChannelUnreachableError, DuplicateCallError
from outrider.channels.model import CallAnswered, CallRinging, EndCause, Living, PlaybackFinished, Prompt
from outrider.errors import ChannelError
from support.asterisk_driving import Driving, drive, driving, settings_of
from support.processes import eventually

Pair = tuple[AsteriskServer, AsteriskServer]


def test_living_calls_are_taken_over_by_the_next_controller(asterisk: AsteriskServer) -> None:
    async def run() -> None:
        settings = settings_of(asterisk, controller="left-behind")
        async with driving(settings) as first:
            up = await first.call("up", Outcome.ANSWERS, 11)
            plays = await first.call("plays", Outcome.ANSWERS, 12)
            rings = await first.call("rings", Outcome.NO_ANSWER, 13, ring_timeout=8.0)
            answers = await first.call("answers", Outcome.ANSWERS, 14, detail=1, ring_timeout=20.0)
            await first.has(up, CallAnswered)
            await first.has(plays, CallAnswered)
            await first.has(rings, CallRinging)
            await first.has(answers, CallRinging)
            await first.channel.play(plays, Prompt(file="demo-instruct"))
        # One is answered while nobody is there, and dropped.
        await asyncio.to_thread(eventually, "it is dropped", lambda: answers not in asterisk.channel_ids())
        async with driving(settings) as second:
            living = await second.channel.living()
            found = {call.call_id: (call.answered, call.playing) for call in living.calls}
            assert found == {up: (True, False), plays: (True, True), rings: (False, False)}
            assert asterisk.channel_ids() == set(found)
            with pytest.raises(DuplicateCallError):
                await second.call(up, Outcome.ANSWERS, 11)
            with pytest.raises(ChannelError, match="already"):
                await second.channel.play(plays, Prompt(file="digits/1"))
            await second.channel.stop_playing(plays)
            await second.has(plays, PlaybackFinished)
            await second.channel.play(up, Prompt(file="digits/1"))
            await second.has(up, PlaybackFinished)
            await second.channel.hang_up(up)
            await second.channel.hang_up(plays)
            assert await second.cause_of(up) is EndCause.NORMAL
            assert await second.cause_of(plays) is EndCause.NORMAL
            assert await second.cause_of(rings) is EndCause.NO_ANSWER
            assert second.heard.ended(answers) is None
            assert await second.channel.living() == Living()

    asyncio.run(run())


def test_another_worker_of_the_family_takes_calls_over_too(asterisk: AsteriskServer) -> None:
    async def run() -> None:
        async with driving(settings_of(asterisk, controller="one")) as first:
            up = await first.call("of one", Outcome.ANSWERS, 21)
            rings = await first.call("rings for one", Outcome.NO_ANSWER, 22, ring_timeout=60.0)
            await first.has(up, CallAnswered)
            await first.has(rings, CallRinging)
        async with driving(settings_of(asterisk, controller="two")) as second:
            assert {call.call_id for call in (await second.channel.living()).calls} == {up, rings}
            await second.channel.play(up, Prompt(file="digits/1"))
            await second.has(up, PlaybackFinished)
            for call in (up, rings):
                await second.channel.hang_up(call)
                assert await second.cause_of(call) is EndCause.NORMAL
        async with driving(settings_of(asterisk, app="stranger")) as other:
            assert await other.channel.living() == Living()

    asyncio.run(run())


def test_a_killed_server_has_no_calls_and_serves_again_when_it_is_back(asterisk_pair: Pair) -> None:
    left, _ = asterisk_pair

    async def scenario(driver: Driving) -> None:
        up = await driver.call("lost", Outcome.ANSWERS, 31)
        await driver.has(up, CallAnswered)
        doubts = driver.doubts
        left.kill()
        await driver.until_health(lambda health: health.state is ServerState.GONE)
        assert "nothing listens" in driver.channel.health.message
        assert driver.doubts > doubts
        assert await driver.channel.living() == Living()
        with pytest.raises(ChannelUnreachableError):
            await driver.call("untried", Outcome.ANSWERS, 32)
        await driver.channel.hang_up(up)
        doubts = driver.doubts
        left.restart()
        await driver.until_health(lambda health: health.state is ServerState.CONNECTED)
        assert driver.doubts > doubts
        assert await driver.channel.living() == Living()
        with pytest.raises(DuplicateCallError):
            await driver.call(up, Outcome.ANSWERS, 31)
        untried = await driver.call("untried", Outcome.BUSY, 32)
        assert await driver.cause_of(untried) is EndCause.BUSY
        assert driver.heard.ended(up) is None

    drive(scenario, settings_of(left))


def test_a_restart_between_two_looks_is_noticed(asterisk_pair: Pair) -> None:
    left, _ = asterisk_pair

    async def scenario(driver: Driving) -> None:
        up = await driver.call("before", Outcome.ANSWERS, 41)
        await driver.has(up, CallAnswered)
        # Both block our event loop: the driver does not see the server while it is down.
        left.kill()
        left.restart()
        await driver.until_health(lambda health: health.state is ServerState.CONNECTING)
        assert await driver.channel.living() == Living(silent=frozenset({"bed"}))
        await driver.until_health(lambda health: health.state is ServerState.CONNECTED)
        assert ServerState.GONE not in {health.state for health in driver.health}
        assert not driver.channel.knows(up)
        assert await driver.channel.living() == Living()

    drive(scenario, settings_of(left))


def test_a_frozen_server_is_silent_and_its_calls_go_on_when_it_thaws(asterisk_pair: Pair) -> None:
    left, _ = asterisk_pair

    async def scenario(driver: Driving) -> None:
        up = await driver.call("thawed", Outcome.ANSWERS, 51)
        await driver.has(up, CallAnswered)
        left.suspend()
        with pytest.raises(ChannelError) as unanswered:
            await driver.call("unsure", Outcome.ANSWERS, 52)
        assert unanswered.value.facts["outcome"] == "unknown"
        await driver.channel.hang_up(up)
        await driver.until_health(lambda health: health.state is ServerState.UNREACHABLE)
        assert await driver.channel.living() == Living(silent=frozenset({"bed"}))
        left.resume()
        await driver.until_health(lambda health: health.state is ServerState.CONNECTED)
        assert await driver.cause_of(up) is EndCause.NORMAL
        unsure = "unsure"
        (living,) = (await driver.channel.living()).calls
        assert living.call_id == unsure
        await driver.channel.hang_up(living.call_id)
        assert await driver.cause_of(unsure) is EndCause.NORMAL

    drive(scenario, settings_of(left, timeout=1.0, silence=2.0))


def test_a_lost_connection_is_made_again_and_the_calls_are_still_ours(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        up = await driver.call("kept", Outcome.ANSWERS, 61)
        await driver.has(up, CallAnswered)
        link = driver.channel._client._link
        assert link is not None
        link.abort("the network broke")
        await driver.until_health(lambda health: health.state is ServerState.CONNECTING)
        # It is noted, and done once there is a connection.
        await driver.channel.hang_up(up)
        assert await driver.cause_of(up) is EndCause.NORMAL
        assert driver.channel.health.state is ServerState.CONNECTED

    drive(scenario, settings_of(asterisk))


def test_two_controllers_of_one_name_are_told_so(asterisk: AsteriskServer) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(driving(settings_of(asterisk, app="same")))
            second = await stack.enter_async_context(driving(settings_of(asterisk, app="same")))
            await first.until_health(lambda health: health.state is ServerState.REFUSED)
            assert "another controller connected as application 'same'" in first.channel.health.message
            busy = await second.call("second's", Outcome.BUSY, 71)
            assert await second.cause_of(busy) is EndCause.BUSY

    asyncio.run(run())


def test_a_server_that_refuses_or_is_not_there_cannot_be_opened(asterisk: AsteriskServer) -> None:
    async def opened(message: str, **changes: object) -> None:
        with pytest.raises(ChannelError, match=message):
            async with driving(settings_of(asterisk, **changes)):
                pass

    async def run() -> None:
        await opened("password is wrong", password="wrong")
        await opened("nothing listens", url="http://127.0.0.1:9")
        await opened("does not speak TLS", url=asterisk.ari_url.replace("http", "https", 1))

    asyncio.run(run())


def test_calls_live_on_while_the_channel_is_closed_and_opened_again(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        up = await driver.call("closed over", Outcome.ANSWERS, 81)
        await driver.has(up, CallAnswered)
        await driver.channel.close()
        with pytest.raises(ChannelError):
            await driver.call("while closed", Outcome.ANSWERS, 82)
        assert asterisk.channel_ids() == {up}
        await driver.channel.open(driver.heard)
        assert {call.call_id for call in (await driver.channel.living()).calls} == {up}
        await driver.channel.hang_up(up)
        assert await driver.cause_of(up) is EndCause.NORMAL

    drive(scenario, settings_of(asterisk))


def test_settings_change_without_losing_calls(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        up = await driver.call("changed over", Outcome.ANSWERS, 91)
        await driver.has(up, CallAnswered)
        link = driver.channel._client._link
        await driver.channel.change(settings_of(asterisk, trunk="PJSIP/{number}@nowhere"))
        assert driver.channel._client._link is link
        with pytest.raises(ChannelError, match="nowhere"):
            await driver.call("over nowhere", Outcome.BUSY, 92)
        await driver.channel.change(settings_of(asterisk, requests=Requests.HTTP))
        await driver.until_health(lambda health: health.state is ServerState.CONNECTED)
        assert driver.channel._client._link is not link
        assert {call.call_id for call in (await driver.channel.living()).calls} == {up}
        await driver.channel.hang_up(up)
        assert await driver.cause_of(up) is EndCause.NORMAL

    drive(scenario, settings_of(asterisk))
