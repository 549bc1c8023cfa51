"""Speech on a real Asterisk: what the person says reaches the recognition engine, also during a prompt."""

import array
import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome
from tools.testbed.public_network import PublicNetwork

from outrider.channels.asterisk.speech import SAMPLE_RATE, Heard, Recognition
from outrider.channels.model import CallAnswered, PlaybackFinished, Prompt, SpeechHeard
from outrider.errors import ChannelError
from support.asterisk_driving import Driving, drive, driving, settings_of
from support.processes import eventually

LOUD = 1000


@dataclass
class Ear:
    """Hears its first word whenever loud sound is followed by silence."""

    words: Sequence[str]
    threads: set[str] = field(default_factory=set)
    samples: int = 0
    loud: bool = False
    closed: bool = False

    def feed(self, pcm: bytes) -> Sequence[Heard]:
        self.threads.add(threading.current_thread().name)
        sound = array.array("h", pcm)
        self.samples += len(sound)
        was, self.loud = self.loud, max(map(abs, sound)) > LOUD
        return [Heard(self.words[0], 0.75)] if was and not self.loud else []

    def close(self) -> None:
        self.closed = True


@dataclass
class Ears:
    """Makes ears, and keeps them."""

    made: list[Ear] = field(default_factory=list)

    def recognition(self, words: Sequence[str]) -> Recognition:
        self.made.append(Ear(words))
        return self.made[-1]


def test_what_is_said_is_heard_while_a_prompt_is_played(asterisk: AsteriskServer) -> None:
    ears = Ears()

    async def scenario(driver: Driving) -> None:
        name = await driver.call("says", Outcome.SAYS_YES, detail=1)
        await driver.has(name, CallAnswered)
        await driver.channel.listen(name, ["yes", "no"])
        with pytest.raises(ChannelError, match="already"):
            await driver.channel.listen(name, ["yes"])
        await driver.channel.play(name, Prompt(file="demo-instruct"))
        await driver.has(name, SpeechHeard)
        heard = driver.heard.of(name)[-1]
        assert isinstance(heard, SpeechHeard)
        assert (heard.word, heard.confidence) == ("yes", 0.75)
        assert [call.call_id for call in (await driver.channel.living()).calls] == [name]
        await driver.channel.stop_listening(name)
        await driver.channel.stop_listening(name)
        assert ears.made[0].closed
        await asyncio.to_thread(eventually, "the rest goes", lambda: asterisk.channel_ids() == {name})
        assert not driver.heard.has(name, PlaybackFinished)
        # The first second was silence, and it was all heard: in threads of its own.
        assert ears.made[0].samples >= SAMPLE_RATE
        assert all(thread.startswith("ears-") for thread in ears.made[0].threads)

        await driver.channel.listen(name, ["no"])
        await driver.channel.hang_up(name)
        await driver.end_of(name)
        await asyncio.to_thread(
            eventually, "all is given back", lambda: ears.made[1].closed and not asterisk.channel_ids()
        )
        # Asterisk takes the emptied bridge away a moment after its last channel.
        await asyncio.to_thread(
            eventually, "no bridge is left", lambda: asterisk.ari("GET", "/bridges").json() == []
        )

    drive(scenario, settings_of(asterisk), recognizer=ears)


def test_without_the_module_or_an_engine_it_is_said(
    testbed: Bed, public_network: PublicNetwork, tmp_path: Path
) -> None:
    ears = Ears()

    async def without_module(driver: Driving) -> None:
        name = await driver.call("deaf", Outcome.SAYS_YES)
        await driver.has(name, CallAnswered)
        with pytest.raises(ChannelError, match="is chan_websocket loaded"):
            await driver.channel.listen(name, ["yes"])
        assert ears.made[0].closed
        await asyncio.to_thread(eventually, "the rest goes", lambda: server.channel_ids() == {name})
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    async def without_engine(driver: Driving) -> None:
        name = await driver.call("dumb", Outcome.SAYS_YES)
        await driver.has(name, CallAnswered)
        with pytest.raises(ChannelError, match="no recognition engine"):
            await driver.channel.listen(name, ["yes"])
        with pytest.raises(ChannelError, match="no speech engine"):
            await driver.channel.play(name, Prompt(text="Hello."))
        with pytest.raises(ChannelError, match="nothing to play"):
            await driver.channel.play(name, Prompt())
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    missing = frozenset({"chan_websocket"})
    with running_asterisk(testbed, tmp_path, public_network.port, without=missing) as server:
        drive(without_module, settings_of(server), recognizer=ears)
        drive(without_engine, settings_of(server))


class Reader:
    """A speaker that has one file for everything."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.said: list[str | None] = []

    async def sound(self, prompt: Prompt) -> str:
        self.said.append(prompt.text)
        return f"sound:{self.file}"


def test_a_text_is_spoken_by_the_speaker(asterisk: AsteriskServer, testbed: Bed) -> None:
    (sound,) = testbed.asterisk_data.glob("sounds/en/digits/1.*")
    reader = Reader(str(sound.with_suffix("")))

    async def scenario(driver: Driving) -> None:
        name = await driver.call("spoken", Outcome.ANSWERS)
        await driver.has(name, CallAnswered)
        await driver.channel.play(name, Prompt(text="One."))
        await driver.has(name, PlaybackFinished)
        assert reader.said == ["One."]
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(asterisk), speaker=reader)


def test_what_a_dead_process_left_behind_is_taken_away(asterisk: AsteriskServer) -> None:
    async def run() -> None:
        settings = settings_of(asterisk, controller="listener")
        async with driving(settings, recognizer=Ears()) as first:
            name = await first.call("left", Outcome.SAYS_YES)
            await first.has(name, CallAnswered)
            await first.channel.listen(name, ["yes"])
            # As a SIGKILL would: the connections are gone, nothing is asked for any more.
            await first.channel._client.close()
        async with driving(settings) as second:
            assert [call.call_id for call in (await second.channel.living()).calls] == [name]
            await asyncio.to_thread(eventually, "the rest goes", lambda: asterisk.channel_ids() == {name})
            assert asterisk.ari("GET", "/bridges").json() == []
            await second.channel.hang_up(name)
            await second.end_of(name)

    asyncio.run(run())
