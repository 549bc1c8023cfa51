"""One suite over every VoiceChannel: what `channels/base.py` promises holds for each of them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from outrider.channels.base import DuplicateCallError
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallRinging,
    EndCause,
    PlaybackFinished,
    Prompt,
)
from outrider.channels.simulated.faults import Faults
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.voice import KINDS, Recorder, Setup, a_call, voice

Scenario = Callable[[Setup], Awaitable[None]]
NOTICE = Prompt(text="Your appointment is tomorrow at ten.")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Give each implementation in turn."""
    return str(request.param)


def play(kind: str, scenario: Scenario, max_ports: int | None = None, rate: float | None = None) -> None:
    async def run() -> None:
        async with voice(kind, max_ports, rate) as setup:
            await scenario(setup)

    asyncio.run(run())


def test_a_notification_runs_from_ringing_to_its_end(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "human"))
        await heard.until(lambda: heard.has("1", CallAnswered))
        await setup.channel.play(AttemptId("1"), NOTICE)
        await heard.until(lambda: heard.ended("1") is not None)
        kinds = [type(event) for event in heard.of("1")]
        assert kinds == [CallRinging, CallAnswered, PlaybackFinished, CallEnded]
        answered = heard.of("1")[1]
        assert isinstance(answered, CallAnswered)
        assert answered.by is AnsweredBy.HUMAN
        end = heard.ended("1")
        assert end is not None
        assert end.cause is EndCause.NORMAL
        times = [event.at for event in heard.of("1")]
        assert times == sorted(times)
        assert (await setup.channel.living()).calls == ()

    play(kind, scenario)


@pytest.mark.parametrize(
    ("profile", "cause", "rings"),
    [
        ("busy", EndCause.BUSY, False),
        ("congestion", EndCause.CONGESTION, False),
        ("failed", EndCause.FAILED, False),
        ("unallocated", EndCause.UNALLOCATED, False),
        ("no_answer", EndCause.NO_ANSWER, True),
        ("rejected", EndCause.REJECTED, True),
    ],
)
def test_an_unanswered_call_ends_with_its_cause(
    kind: str, profile: str, cause: EndCause, *, rings: bool
) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", profile, ring_timeout=20.0))
        await heard.until(lambda: heard.ended("1") is not None)
        end = heard.ended("1")
        assert end is not None
        assert end.cause is cause
        assert heard.has("1", CallRinging) is rings
        assert not heard.has("1", CallAnswered)
        if profile == "no_answer":
            assert (end.at - heard.of("1")[0].at).total_seconds() == 20.0

    play(kind, scenario)


def test_a_machine_is_told_from_a_person_and_hears_the_prompt_after_its_greeting(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "machine"))
        await heard.until(lambda: heard.has("1", CallAnswered))
        await setup.channel.play(AttemptId("1"), NOTICE)
        await heard.until(lambda: heard.has("1", PlaybackFinished))
        answered, played = heard.of("1")[1:3]
        assert isinstance(answered, CallAnswered)
        assert answered.by is AnsweredBy.MACHINE
        assert (played.at - answered.at).total_seconds() >= 4.0 + len(NOTICE.text or "") / 15
        await setup.channel.hang_up(AttemptId("1"))
        await heard.until(lambda: heard.ended("1") is not None)

    play(kind, scenario)


def test_somebody_who_hangs_up_in_the_middle_never_finishes_the_prompt(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "impatient"))
        await heard.until(lambda: heard.has("1", CallAnswered))
        await setup.channel.play(AttemptId("1"), Prompt(text="word " * 200))
        await heard.until(lambda: heard.ended("1") is not None)
        end = heard.ended("1")
        assert end is not None
        assert end.cause is EndCause.NORMAL
        assert not heard.has("1", PlaybackFinished)

    play(kind, scenario)


def test_a_second_originate_with_the_same_id_is_refused_forever(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "busy"))
        with pytest.raises(DuplicateCallError):
            await setup.channel.originate(a_call("1", "human"))
        await heard.until(lambda: heard.ended("1") is not None)
        with pytest.raises(DuplicateCallError):
            await setup.channel.originate(a_call("1", "human"))
        assert setup.carrier.counts.originated == 1
        assert setup.carrier.counts.duplicates_refused == 2

    play(kind, scenario)


def test_living_tells_what_is_up(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "silent"))
        await setup.channel.originate(a_call("2", "busy"))
        await heard.until(lambda: heard.has("1", CallAnswered) and heard.ended("2") is not None)
        (call,) = (await setup.channel.living()).calls
        assert (call.call_id, call.answered, call.by, call.playing) == ("1", True, AnsweredBy.HUMAN, False)
        await setup.channel.play(AttemptId("1"), Prompt(text="word " * 4000))
        (call,) = (await setup.channel.living()).calls
        assert call.playing
        await setup.channel.hang_up(AttemptId("1"))
        await heard.until(lambda: heard.ended("1") is not None)
        assert (await setup.channel.living()).calls == ()

    play(kind, scenario)


def test_hanging_up_while_it_rings_ends_the_call_and_twice_does_no_harm(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "no_answer", ring_timeout=3000.0))
        await heard.until(lambda: heard.has("1", CallRinging))
        await setup.channel.hang_up(AttemptId("1"))
        await setup.channel.hang_up(AttemptId("1"))
        await heard.until(lambda: heard.ended("1") is not None)
        await setup.channel.hang_up(AttemptId("1"))
        await setup.channel.hang_up(AttemptId("never made"))
        await setup.channel.originate(a_call("2", "busy"))
        await heard.until(lambda: heard.ended("2") is not None)
        assert len(heard.of("1")) == 2

    play(kind, scenario)


def test_nothing_is_played_on_a_call_that_is_not_up(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        with pytest.raises(ChannelError, match="not up"):
            await setup.channel.play(AttemptId("1"), NOTICE)
        await setup.channel.originate(a_call("1", "silent"))
        with pytest.raises(ChannelError, match="not up"):
            await setup.channel.play(AttemptId("1"), NOTICE)
        await heard.until(lambda: heard.has("1", CallAnswered))
        await setup.channel.play(AttemptId("1"), Prompt(text="word " * 4000))
        with pytest.raises(ChannelError, match="already"):
            await setup.channel.play(AttemptId("1"), NOTICE)

    play(kind, scenario)


def test_calls_beyond_the_ports_are_refused_until_one_ends(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        await setup.channel.originate(a_call("1", "silent"))
        await setup.channel.originate(a_call("2", "silent"))
        with pytest.raises(ChannelError, match="all 2 ports are in use"):
            await setup.channel.originate(a_call("3", "human"))
        await setup.channel.hang_up(AttemptId("1"))
        await heard.until(lambda: heard.ended("1") is not None)
        await setup.channel.originate(a_call("3", "human"))
        assert {call.call_id for call in (await setup.channel.living()).calls} == {"2", "3"}

    play(kind, scenario, max_ports=2)


def test_calls_beyond_the_carriers_rate_meet_congestion(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        for name in ("1", "2", "3"):
            await setup.channel.originate(a_call(name, "busy"))
        await heard.until(lambda: all(heard.ended(name) for name in ("1", "2", "3")))
        causes = [end.cause for name in ("1", "2", "3") if (end := heard.ended(name)) is not None]
        assert causes == [EndCause.BUSY, EndCause.CONGESTION, EndCause.CONGESTION]

    play(kind, scenario, rate=0.001)


def test_failures_on_demand(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard, carrier = setup.heard, setup.carrier
        carrier.inject(Faults(refuse="no trunk"))
        with pytest.raises(ChannelError, match="no trunk"):
            await setup.channel.originate(a_call("1"))
        carrier.inject(Faults(fail_next=1))
        await setup.channel.originate(a_call("2"))
        await setup.channel.originate(a_call("3", "silent"))
        await heard.until(lambda: heard.ended("2") is not None and heard.has("3", CallAnswered))
        end = heard.ended("2")
        assert end is not None
        assert end.cause is EndCause.FAILED
        carrier.drop_all()
        await heard.until(lambda: heard.ended("3") is not None)
        end = heard.ended("3")
        assert end is not None
        assert end.cause is EndCause.FAILED

    play(kind, scenario)


def test_an_unreachable_carrier_refuses_commands_and_keeps_the_events(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard, carrier = setup.heard, setup.carrier
        await setup.channel.originate(a_call("1", "busy"))
        carrier.inject(Faults(unreachable=True))
        with pytest.raises(ChannelError, match="unreachable"):
            await setup.channel.originate(a_call("2"))
        with pytest.raises(ChannelError, match="unreachable"):
            await setup.channel.living()
        assert heard.events == []
        carrier.inject(Faults())
        await heard.until(lambda: heard.ended("1") is not None)
        await setup.channel.originate(a_call("2", "busy"))
        await heard.until(lambda: heard.ended("2") is not None)

    play(kind, scenario)


def test_a_lost_event_is_noticed_by_asking_what_is_up(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard, carrier = setup.heard, setup.carrier
        carrier.inject(Faults(lose_events=1))
        await setup.channel.originate(a_call("1", "busy"))
        await setup.channel.originate(a_call("2", "late"))
        await heard.until(lambda: heard.ended("2") is not None)
        assert heard.of("1") == []
        assert (await setup.channel.living()).calls == ()
        assert carrier.counts.events_lost == 1

    play(kind, scenario)


def test_a_slow_carrier_still_answers(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard, carrier = setup.heard, setup.carrier
        carrier.inject(Faults(latency=2.0))
        before = carrier.clock.now()
        async with asyncio.TaskGroup() as group:
            command = group.create_task(setup.channel.originate(a_call("1", "busy")))
            command.add_done_callback(lambda _: heard._news.set())
            await heard.until(command.done)
        assert (carrier.clock.now() - before).total_seconds() >= 2.0
        carrier.inject(Faults())
        await heard.until(lambda: heard.ended("1") is not None)

    play(kind, scenario)


def test_calls_live_on_while_the_channel_is_closed(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard, carrier = setup.heard, setup.carrier
        await setup.channel.originate(a_call("1", "silent"))
        await setup.channel.originate(a_call("2", "no_answer", ring_timeout=40.0))
        await heard.until(lambda: heard.has("1", CallAnswered))
        await setup.channel.close()
        with pytest.raises(ChannelError):
            await setup.channel.originate(a_call("3"))
        later = Recorder(carrier.clock)
        await setup.channel.open(later)
        assert "1" in {call.call_id for call in (await setup.channel.living()).calls}
        await later.until(lambda: later.ended("2") is not None)
        await setup.channel.hang_up(AttemptId("1"))
        await later.until(lambda: later.ended("1") is not None)
        assert heard.ended("1") is None

    play(kind, scenario)


def test_a_controller_that_raises_does_not_disturb_other_calls(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(setup: Setup) -> None:
        await setup.channel.close()
        heard = setup.heard

        def sink(event: object) -> None:
            if isinstance(event, CallEnded) and event.call_id == "1":
                raise RuntimeError("a bug in the controller")
            if isinstance(event, CallEnded):
                heard(event)

        await setup.channel.open(sink)
        await setup.channel.originate(a_call("1", "busy"))
        await setup.channel.originate(a_call("2", "no_answer", ring_timeout=60.0))
        await heard.until(lambda: heard.ended("2") is not None)
        assert "was not taken" in caplog.text

    play(kind, scenario)


def test_many_calls_at_once_all_end_once(kind: str) -> None:
    async def scenario(setup: Setup) -> None:
        heard = setup.heard
        names = [f"{number:03}" for number in range(300)]
        await asyncio.gather(*(setup.channel.originate(a_call(name, "default")) for name in names))
        await heard.until(lambda: sum(isinstance(event, CallEnded) for event in heard.events) == len(names))
        assert (await setup.channel.living()).calls == ()
        for name in names:
            events = heard.of(name)
            assert isinstance(events[-1], CallEnded)
            assert len({type(event) for event in events}) == len(events)

    play(kind, scenario)
