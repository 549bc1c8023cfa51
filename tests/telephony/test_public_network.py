"""Every outcome of the numbering plan over a real Asterisk and SIPp, with the causes a driver has to map."""

from collections import Counter
from collections.abc import Iterator

import pytest
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import ANSWERED, SIP_CODES, Outcome, number
from tools.testbed.public_network import PublicNetwork, Tally

from support.processes import eventually
from support.testbed.controller import Controller, controlling

KEY = 7
LONG_RING = 30

CAUSES = {
    Outcome.BUSY: 17,
    Outcome.UNALLOCATED: 1,
    Outcome.CONGESTED: 34,
    Outcome.REJECTED: 21,
    Outcome.UNAVAILABLE: 19,
    Outcome.NO_ANSWER: 19,
    Outcome.DEAD: 19,
    Outcome.HANGS_UP: 0,
}
"""ITU-T Q.850 causes of ChannelDestroyed; every other outcome is hung up by us: 16."""

DETAILS = {Outcome.PRESSES: KEY, Outcome.ANSWERS: 1}
RINGS = {Outcome.NO_ANSWER: 1, Outcome.DEAD: 1}


def channel_of(outcome: Outcome) -> str:
    """Return the channel id of the one call to an outcome."""
    return f"one-{outcome.name}"


@pytest.fixture(scope="module")
def controller(asterisk: AsteriskServer) -> Iterator[Controller]:
    """Give a controller of the module's Asterisk."""
    with controlling(asterisk) as connected:
        yield connected


@pytest.fixture(scope="module")
def one_of_each(controller: Controller, public_network: PublicNetwork) -> Tally:
    """Give SIPp's counts after one call to each outcome, all at once, all over."""
    before = public_network.tally().offered
    for outcome in Outcome:
        called = number(outcome, 1, DETAILS.get(outcome, 0))
        controller.call(called, channel_of(outcome), RINGS.get(outcome, LONG_RING))
    controller.event("ChannelDtmfReceived", channel_of(Outcome.PRESSES))
    for outcome in ANSWERED - {Outcome.HANGS_UP}:
        controller.event("StasisStart", channel_of(outcome))
        controller.hang_up(channel_of(outcome))
    for outcome in Outcome:
        controller.event("ChannelDestroyed", channel_of(outcome))
    return public_network.settled(before + len(Outcome))


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize("outcome", list(Outcome), ids=lambda outcome: outcome.name.lower())
def test_each_outcome_has_its_cause(outcome: Outcome, controller: Controller) -> None:
    end = controller.event("ChannelDestroyed", channel_of(outcome))
    assert end["cause"] == CAUSES.get(outcome, 16)
    answered = any(event["type"] == "StasisStart" for event in controller.events(channel_of(outcome)))
    assert answered == (outcome in ANSWERED)
    if outcome in SIP_CODES:
        assert end["tech_cause"] == SIP_CODES[outcome]


@pytest.mark.usefixtures("one_of_each")
def test_a_number_that_rings_says_so_and_a_dead_one_does_not(controller: Controller) -> None:
    def rang(outcome: Outcome) -> bool:
        events = controller.events(channel_of(outcome))
        return any(event["channel"]["state"] == "Ringing" for event in events if "channel" in event)

    assert rang(Outcome.NO_ANSWER)
    assert rang(Outcome.ANSWERS)
    assert not rang(Outcome.DEAD)


@pytest.mark.usefixtures("one_of_each")
def test_the_key_of_the_number_is_pressed(controller: Controller) -> None:
    pressed = controller.event("ChannelDtmfReceived", channel_of(Outcome.PRESSES))
    assert pressed["digit"] == str(KEY)


def test_sipp_counts_each_outcome_once(one_of_each: Tally, public_network: PublicNetwork) -> None:
    assert one_of_each.seen == dict.fromkeys(Outcome, 1)
    assert (one_of_each.cancelled, one_of_each.unknown, one_of_each.failed) == (0, 0, 0)
    assert one_of_each.far_hangups == 1
    called = {number(outcome, 1, DETAILS.get(outcome, 0)) for outcome in Outcome}
    assert called <= {number for number, caller in public_network.called() if caller == "+4930555000"}
    assert not public_network.errors


def test_a_call_given_up_while_it_rings_is_cancelled(
    controller: Controller, public_network: PublicNetwork, one_of_each: Tally
) -> None:
    controller.call(number(Outcome.ANSWERS, 2, 9), "given-up", ring=1)
    assert controller.event("ChannelDestroyed", "given-up")["cause"] == 19
    after = public_network.settled(one_of_each.offered + 1)
    assert after.cancelled == one_of_each.cancelled + 1
    assert after.outcomes[Outcome.ANSWERS] == one_of_each.outcomes[Outcome.ANSWERS]


def test_who_talks_hangs_up_when_all_is_said_and_an_agents_phone_never(
    controller: Controller, public_network: PublicNetwork
) -> None:
    before = public_network.tally().far_hangups
    controller.call(number(Outcome.PHONE, 6), "agents-phone")
    controller.call(number(Outcome.TALKS, 6, 1), "talker")
    for channel in ("agents-phone", "talker"):
        controller.event("StasisStart", channel)
    assert controller.event("ChannelDestroyed", "talker")["cause"] == 0
    assert not any(event["type"] == "ChannelDestroyed" for event in controller.events("agents-phone"))
    controller.hang_up("agents-phone")
    controller.event("ChannelDestroyed", "agents-phone")
    assert eventually("it is counted", lambda: public_network.tally().far_hangups == before + 1)


def test_a_number_outside_the_plan_does_not_exist(
    controller: Controller, public_network: PublicNetwork
) -> None:
    before = public_network.tally().unknown
    controller.call("+4930123456", "stranger")
    assert controller.event("ChannelDestroyed", "stranger")["cause"] == 1
    assert eventually("the stranger is counted", lambda: public_network.tally().unknown == before + 1)


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.MACHINE, "MACHINE"), (Outcome.HUMAN, "HUMAN")])
def test_speech_is_what_answering_machine_detection_takes_it_for(
    controller: Controller, outcome: Outcome, status: str
) -> None:
    channel = f"detected-{outcome.name}"
    controller.call(number(outcome, 3), channel, context="amd")
    decided = controller.event("StasisStart", channel)
    controller.hang_up(channel)
    assert decided["args"][:2] == ["amd", status]


@pytest.mark.parametrize("outcome", [Outcome.SAYS_YES, Outcome.SAYS_NO])
def test_words_are_heard(controller: Controller, outcome: Outcome) -> None:
    channel = f"heard-{outcome.name}"
    controller.call(number(outcome, 4, 1), channel)
    controller.event("StasisStart", channel)
    controller.set_variable(channel, "TALK_DETECT(set)", "400,256")
    talked = controller.event("ChannelTalkingFinished", channel)
    controller.hang_up(channel)
    assert 100 < talked["duration"] < 2000, "milliseconds of one short word"


def test_a_fax_is_known_by_its_tone(controller: Controller) -> None:
    controller.call(number(Outcome.FAX, 5), "fax")
    controller.event("StasisStart", "fax")
    controller.set_variable("fax", "TONE_DETECT(1100,400,r)", "")
    assert controller.event("ChannelToneDetected", "fax")
    controller.hang_up("fax")


def test_mixed_calls_in_a_burst_are_counted_exactly(
    controller: Controller, public_network: PublicNetwork
) -> None:
    before = public_network.tally()
    quick = [*SIP_CODES, Outcome.HANGS_UP, Outcome.NO_ANSWER]
    calls = [quick[index % len(quick)] for index in range(140)]
    for index, outcome in enumerate(calls):
        controller.call(number(outcome, 100 + index), f"burst-{index}", RINGS.get(outcome, LONG_RING))
    for index in range(len(calls)):
        controller.event("ChannelDestroyed", f"burst-{index}")
    after = public_network.settled(before.offered + len(calls))
    grown = {outcome: after.outcomes[outcome] - before.outcomes[outcome] for outcome in Outcome}
    assert {outcome: count for outcome, count in grown.items() if count} == dict(Counter(calls))
    assert after.failed == before.failed
