"""News of Asterisk that a dead connection swallowed: what is up is told when stock is taken."""

import asyncio

from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome

from outrider.channels.asterisk.messages import Event
from outrider.channels.model import CallAnswered, CallClassified, EndCause
from support.asterisk_driving import Driving, drive, settings_of
from support.processes import eventually


async def answered_unheard(driver: Driving, asterisk: AsteriskServer, name: str, far: Outcome) -> None:
    """Let a call be answered while no event reaches the driver, as on a connection that is half dead."""
    client = driver.channel._client
    hear = client._on_event

    def lose(_: Event) -> None:
        pass

    client._on_event = lose
    await driver.call(name, far, 70, detect_machine=far is Outcome.MACHINE)
    await asyncio.to_thread(eventually, "the call is answered", lambda: is_up(asterisk, name), 10)
    client._on_event = hear


def is_up(asterisk: AsteriskServer, name: str) -> bool:
    """Return whether a call is answered, and with our application."""
    channels = {channel["id"]: channel for channel in asterisk.channels()}
    return name in channels and channels[name]["dialplan"]["app_name"] == "Stasis"


def test_an_answer_that_was_missed_is_told_once(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        await answered_unheard(driver, asterisk, "missed", Outcome.ANSWERS)
        assert not driver.heard.has("missed", CallAnswered)
        living = await driver.channel.living()
        assert [call.call_id for call in living.calls] == ["missed"]
        await driver.has("missed", CallAnswered)
        await driver.channel.living()
        await driver.channel.hang_up(living.calls[0].call_id)
        assert await driver.cause_of("missed") is EndCause.NORMAL
        answers = [event for event in driver.heard.events if isinstance(event, CallAnswered)]
        assert len(answers) == 1

    drive(scenario, settings_of(asterisk))


def test_who_took_a_call_is_still_found_out_when_its_answer_was_missed(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        await answered_unheard(driver, asterisk, "missed-machine", Outcome.MACHINE)
        living = await driver.channel.living()
        await driver.has("missed-machine", CallClassified)
        await driver.channel.hang_up(living.calls[0].call_id)
        await driver.end_of("missed-machine")

    drive(scenario, settings_of(asterisk))
