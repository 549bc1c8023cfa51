"""The driver on a real Asterisk and SIPp: what `channels/base.py` promises, outcome by outcome."""

import asyncio
import logging

import pytest
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome, number
from tools.testbed.public_network import PublicNetwork

from outrider.channels.asterisk.settings import Requests
from outrider.channels.base import DuplicateCallError
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallRinging,
    DigitPressed,
    EndCause,
    Living,
    OutboundCall,
    PlaybackFinished,
    Prompt,
)
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.asterisk_driving import Driving, drive, settings_of
from support.processes import eventually

ONE = Prompt(file="digits/1.gsm")


@pytest.fixture(params=[Requests.WEBSOCKET, Requests.HTTP])
def requests(request: pytest.FixtureRequest) -> Requests:
    """Give each way of sending requests."""
    return Requests(request.param)


@pytest.mark.parametrize(
    ("outcome", "cause", "rings", "detail"),
    [
        (Outcome.BUSY, EndCause.BUSY, False, "486 Busy Here"),
        (Outcome.UNALLOCATED, EndCause.UNALLOCATED, False, "404 Not Found"),
        (Outcome.CONGESTED, EndCause.CONGESTION, False, "503 Service Unavailable"),
        (Outcome.REJECTED, EndCause.REJECTED, False, "603 Decline"),
        (Outcome.UNAVAILABLE, EndCause.NO_ANSWER, False, "480 Temporarily Unavailable"),
        (Outcome.NO_ANSWER, EndCause.NO_ANSWER, True, "ring time limit"),
        (Outcome.DEAD, EndCause.CONGESTION, False, "did not even ring"),
    ],
)
def test_an_unanswered_call_ends_with_its_cause(
    asterisk: AsteriskServer, outcome: Outcome, cause: EndCause, *, rings: bool, detail: str
) -> None:
    async def scenario(driver: Driving) -> None:
        await driver.call(outcome.name, outcome)
        end = await driver.end_of(outcome.name)
        assert end.cause is cause
        assert detail in end.detail
        assert driver.heard.has(outcome.name, CallRinging) is rings
        assert not driver.heard.has(outcome.name, CallAnswered)

    drive(scenario, settings_of(asterisk))


def test_a_notification_runs_from_ringing_to_its_end(asterisk: AsteriskServer, requests: Requests) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call(f"notice-{requests}", Outcome.ANSWERS, detail=1, ring_timeout=20.0)
        await driver.has(name, CallAnswered)
        assert driver.channel.on_websocket is (requests is Requests.WEBSOCKET)
        await driver.channel.play(name, ONE)
        with pytest.raises(ChannelError, match="already"):
            await driver.channel.play(name, ONE)
        await driver.has(name, PlaybackFinished)
        await driver.channel.hang_up(name)
        assert await driver.cause_of(name) is EndCause.NORMAL
        kinds = [type(event) for event in driver.heard.of(name)]
        assert kinds == [CallRinging, CallAnswered, PlaybackFinished, CallEnded]
        times = [event.at for event in driver.heard.of(name)]
        assert times == sorted(times)
        assert await driver.channel.living() == Living()

    drive(scenario, settings_of(asterisk, requests=requests))


def test_somebody_who_hangs_up_in_the_middle_never_finishes_the_prompt(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("impatient", Outcome.HANGS_UP, detail=1)
        await driver.has(name, CallAnswered)
        await driver.channel.play(name, Prompt(file="demo-instruct"))
        end = await driver.end_of(name)
        assert (end.cause, end.detail) == (EndCause.NORMAL, "Q.850 cause 0, no cause given")
        assert not driver.heard.has(name, PlaybackFinished)

    drive(scenario, settings_of(asterisk))


def test_a_prompt_can_be_stopped_and_another_follow(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("stopped", Outcome.ANSWERS)
        await driver.has(name, CallAnswered)
        await driver.channel.stop_playing(name)
        await driver.channel.play(name, Prompt(file="demo-instruct"))
        await driver.channel.stop_playing(name)
        await driver.has(name, PlaybackFinished)
        await driver.channel.play(name, ONE)
        finished = PlaybackFinished
        await driver.heard.until(
            lambda: sum(isinstance(event, finished) for event in driver.heard.of(name)) == 2
        )
        await driver.channel.hang_up(name)
        assert await driver.cause_of(name) is EndCause.NORMAL

    drive(scenario, settings_of(asterisk))


def test_a_prompt_that_is_not_there_ends_the_call_and_says_so(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("unheard", Outcome.ANSWERS)
        await driver.has(name, CallAnswered)
        await driver.channel.play(name, Prompt(file="no-such-sound"))
        end = await driver.end_of(name)
        assert end.cause is EndCause.FAILED
        assert "prompt could not be played" in end.detail
        assert not driver.heard.has(name, PlaybackFinished)

    drive(scenario, settings_of(asterisk))


def test_a_pressed_key_is_told(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("keys", Outcome.PRESSES, detail=7)
        await driver.has(name, DigitPressed)
        (pressed,) = [event for event in driver.heard.of(name) if isinstance(event, DigitPressed)]
        assert pressed.digit == "7"
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(asterisk))


def test_hanging_up_while_it_rings_ends_the_call_and_twice_does_no_harm(
    asterisk: AsteriskServer, requests: Requests
) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call(f"cancelled-{requests}", Outcome.NO_ANSWER, ring_timeout=60.0)
        await driver.has(name, CallRinging)
        await driver.channel.hang_up(name)
        await driver.channel.hang_up(name)
        assert await driver.cause_of(name) is EndCause.NORMAL
        await driver.channel.hang_up(name)
        await driver.channel.hang_up(AttemptId("never made"))
        assert len(driver.heard.of(name)) == 2

    drive(scenario, settings_of(asterisk, requests=requests))


def test_a_second_originate_with_the_same_id_is_refused(
    asterisk: AsteriskServer, requests: Requests, public_network: PublicNetwork
) -> None:
    serial = 4242 if requests is Requests.HTTP else 4343
    called = number(Outcome.ANSWERS, serial)

    async def scenario(driver: Driving) -> None:
        name = await driver.call(f"twice-{requests}", Outcome.ANSWERS, serial)
        await driver.has(name, CallAnswered)
        with pytest.raises(DuplicateCallError):
            await driver.call(name, Outcome.ANSWERS, serial)
        await driver.channel.hang_up(name)
        await driver.end_of(name)
        with pytest.raises(DuplicateCallError):
            await driver.call(name, Outcome.ANSWERS, serial)

    drive(scenario, settings_of(asterisk, requests=requests))
    assert eventually("the call came", lambda: called in dict(public_network.called()))
    assert [to for to, _ in public_network.called()].count(called) == 1


def test_the_server_itself_refuses_an_id_that_lives_and_other_failures_are_told_apart(
    asterisk: AsteriskServer, requests: Requests
) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call(f"lives-{requests}", Outcome.ANSWERS)
        await driver.has(name, CallAnswered)
        # As after a restart of ours: nobody here remembers the call.
        driver.channel._register._calls.clear()
        with pytest.raises(DuplicateCallError):
            await driver.call(name, Outcome.ANSWERS)
        nowhere = settings_of(asterisk, requests=requests, trunk="PJSIP/{number}@nowhere")
        await driver.channel.change(nowhere)
        with pytest.raises(ChannelError, match="nowhere") as refused:
            await driver.call(f"unmade-{requests}", Outcome.ANSWERS)
        assert not isinstance(refused.value, DuplicateCallError)
        assert "outcome" not in refused.value.facts
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(asterisk, requests=requests))


def test_nothing_is_played_on_a_call_that_is_not_up(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        with pytest.raises(ChannelError, match="not up"):
            await driver.channel.play(AttemptId("never made"), ONE)
        name = await driver.call("ringing", Outcome.NO_ANSWER, ring_timeout=60.0)
        await driver.has(name, CallRinging)
        with pytest.raises(ChannelError, match="not up"):
            await driver.channel.play(name, ONE)
        with pytest.raises(ChannelError, match="not up"):
            await driver.channel.listen(name, ["yes"])
        (living,) = (await driver.channel.living()).calls
        assert (living.call_id, living.answered, living.server) == (name, False, "bed")
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(asterisk))


def test_an_address_that_is_no_number_is_refused_and_the_caller_id_arrives(
    asterisk: AsteriskServer, public_network: PublicNetwork
) -> None:
    async def scenario(driver: Driving) -> None:
        for address in ("", "1&PJSIP/2", "sip:evil@elsewhere", "1@2", "+", "12 34"):
            with pytest.raises(ChannelError, match="cannot be dialled"):
                await driver.channel.originate(OutboundCall(AttemptId(f"bad {address}"), address))
        await driver.call("shown", Outcome.BUSY, serial=4711, caller_id="+4930777")
        await driver.end_of("shown")

    drive(scenario, settings_of(asterisk, caller_id="+4930555"))
    called = number(Outcome.BUSY, 4711)
    assert eventually("the call came", lambda: (called, "+4930777") in public_network.called())


def test_a_controller_that_raises_does_not_disturb_other_calls(
    asterisk: AsteriskServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(driver: Driving) -> None:
        heard = driver.heard

        def sink(event: object) -> None:
            if isinstance(event, CallEnded) and event.call_id == "breaks":
                raise RuntimeError("a bug in the controller")
            if isinstance(event, CallEnded):
                heard(event)

        driver.channel._register.sink = sink
        await driver.call("breaks", Outcome.BUSY)
        await driver.call("holds", Outcome.NO_ANSWER)
        await driver.end_of("holds")
        assert "was not taken" in caplog.text

    with caplog.at_level(logging.ERROR):
        drive(scenario, settings_of(asterisk))


MIX = (
    (Outcome.ANSWERS, EndCause.NORMAL),
    (Outcome.HANGS_UP, EndCause.NORMAL),
    (Outcome.BUSY, EndCause.BUSY),
    (Outcome.UNALLOCATED, EndCause.UNALLOCATED),
    (Outcome.CONGESTED, EndCause.CONGESTION),
    (Outcome.REJECTED, EndCause.REJECTED),
    (Outcome.UNAVAILABLE, EndCause.NO_ANSWER),
    (Outcome.NO_ANSWER, EndCause.NO_ANSWER),
    (Outcome.DEAD, EndCause.CONGESTION),
    (Outcome.PRESSES, EndCause.NORMAL),
)


def test_three_hundred_mixed_calls_each_end_once_as_the_network_counts(
    asterisk: AsteriskServer, public_network: PublicNetwork
) -> None:
    before = public_network.settled(0)

    async def scenario(driver: Driving) -> None:
        ends: dict[str, EndCause] = {}
        hang_ups: set[asyncio.Task[None]] = set()

        def sink(event: object) -> None:
            if isinstance(event, CallAnswered) and "ANSWERS" in event.call_id:
                hang_ups.add(asyncio.ensure_future(driver.channel.hang_up(event.call_id)))
            if isinstance(event, DigitPressed):
                hang_ups.add(asyncio.ensure_future(driver.channel.hang_up(event.call_id)))
            if isinstance(event, CallEnded):
                assert event.call_id not in ends, "a call ended twice"
                ends[event.call_id] = event.cause
                driver.heard(event)

        driver.channel._register.sink = sink
        plan = [(f"mixed-{n:03}-{MIX[n % 10][0].name}", *MIX[n % 10], n) for n in range(300)]
        for begin in range(0, 300, 50):
            batch = plan[begin : begin + 50]
            await asyncio.gather(*(driver.call(name, outcome, n) for name, outcome, _, n in batch))
        await driver.heard.until(lambda: len(ends) == 300)
        assert ends == {name: cause for name, _, cause, _ in plan}
        assert await driver.channel.living() == Living()
        await asyncio.gather(*hang_ups)

    drive(scenario, settings_of(asterisk))
    after = public_network.settled(before.offered + 300)
    for outcome, _ in MIX:
        assert after.outcomes[outcome] - before.outcomes[outcome] == 30, outcome
    assert asterisk.channel_ids() == set()


def test_who_answers_without_detection_is_unknown(asterisk: AsteriskServer) -> None:
    async def scenario(driver: Driving) -> None:
        name = await driver.call("plain", Outcome.HUMAN)
        await driver.has(name, CallAnswered)
        (answered,) = [event for event in driver.heard.of(name) if isinstance(event, CallAnswered)]
        assert (answered.by, answered.classifying) == (AnsweredBy.UNKNOWN, False)
        await driver.channel.hang_up(name)
        await driver.end_of(name)

    drive(scenario, settings_of(asterisk))
