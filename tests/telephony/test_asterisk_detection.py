"""Telling machines from people on a real Asterisk: by AMD() in the dialplan, and by talking alone."""

import asyncio
from collections.abc import Iterator

import pytest
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome
from tools.testbed.public_network import PublicNetwork

from outrider.channels.asterisk.configuration import snippets
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    EndCause,
    PlaybackFinished,
    Prompt,
)
from outrider.errors import ChannelError
from support.asterisk_driving import Driving, drive, settings_of

EXTENSIONS = next(
    part.text
    for part in snippets(AsteriskSettings("any", "http://127.0.0.1:8088", "any", "any"))
    if part.file == "extensions.conf"
)
"""The dialplan as the product generates it."""


@pytest.fixture(scope="module", params=["amd", "talking"])
def server(
    request: pytest.FixtureRequest,
    testbed: Bed,
    public_network: PublicNetwork,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AsteriskServer]:
    """Give a server with the dialplan that runs AMD(), and one without."""
    additions = {"extensions.conf": EXTENSIONS, "modules.conf": "load=func_dialplan.so\n"}
    folder = tmp_path_factory.mktemp("detecting")
    with running_asterisk(
        testbed, folder, public_network.port, additions=additions if request.param == "amd" else {}
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("outcome", "by"),
    [
        (Outcome.HUMAN, AnsweredBy.HUMAN),
        (Outcome.MACHINE, AnsweredBy.MACHINE),
        (Outcome.ANSWERS, AnsweredBy.UNKNOWN),
    ],
)
def test_who_took_the_call_is_found_out(server: AsteriskServer, outcome: Outcome, by: AnsweredBy) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call(outcome.name, outcome, detect_machine=True)
        await driver.has(name, CallAnswered)
        with pytest.raises(ChannelError, match="not up"):
            await driver.channel.play(name, Prompt(file="digits/1"))
        await driver.has(name, CallClassified)
        (found,) = [event for event in driver.heard.of(name) if isinstance(event, CallClassified)]
        assert found.by is by
        (living,) = (await driver.channel.living()).calls
        assert (living.call_id, living.answered, living.by) == (name, True, by)
        await driver.channel.hang_up(name)
        assert await driver.cause_of(name) is EndCause.NORMAL
        assert driver.channel._classification._has_amd is bool(server.instance.additions)
        answered, _, _ = driver.heard.of(name)
        assert isinstance(answered, CallAnswered)
        assert answered.classifying

    drive(scenario, settings_of(server))


def test_a_hang_up_during_detection_is_told(server: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("gone", Outcome.HANGS_UP, detail=1, detect_machine=True)
        assert await driver.cause_of(name) is EndCause.NORMAL
        assert [type(event) for event in driver.heard.of(name)] == [CallAnswered, CallEnded]

    drive(scenario, settings_of(server))


def test_the_message_for_a_machine_begins_after_its_greeting(server: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("message", Outcome.MACHINE, detect_machine=True)
        await driver.has(name, CallClassified)
        await driver.channel.play(name, Prompt(file="digits/1"))
        await driver.has(name, PlaybackFinished)
        events = driver.heard.of(name)
        # The greeting of the public network's machine takes more than ten seconds.
        assert (events[-1].at - events[0].at).total_seconds() > 10
        await driver.channel.play(name, Prompt(file="demo-instruct"))
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(server))


def test_waiting_for_the_end_of_a_greeting_can_be_stopped(server: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("waits", Outcome.MACHINE, detect_machine=True)
        await driver.has(name, CallClassified)
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(driver.channel.play(name, Prompt(file="digits/1")))
            await asyncio.sleep(0)
            await driver.channel.stop_playing(name)
        assert playing.done()
        assert driver.heard.has(name, PlaybackFinished)
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(server))
