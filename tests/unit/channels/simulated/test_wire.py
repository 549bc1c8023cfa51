"""The lines between carrier and client: everything survives the way, and nonsense is told from messages."""

import datetime as dt

import pytest

from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallRinging,
    EndCause,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
)
from outrider.channels.simulated import wire
from outrider.channels.simulated.faults import Faults, parse_faults
from outrider.errors import ChannelError, InvalidInputError
from outrider.ids import AttemptId

AT = dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC)
ID = AttemptId("ab" * 16)


@pytest.mark.parametrize(
    "event",
    [
        CallRinging(ID, AT),
        CallAnswered(ID, AT, AnsweredBy.MACHINE),
        PlaybackFinished(ID, AT),
        CallEnded(ID, AT, EndCause.NO_ANSWER, 'said "no"\n'),
    ],
)
def test_events_survive_the_way(event: CallEvent) -> None:
    line = wire.encode(wire.event_message(event))
    assert line.count(b"\n") == 1
    assert wire.parse_event(wire.decode(line)) == event


def test_commands_and_answers_survive_the_way() -> None:
    call = OutboundCall(ID, "+49301", 30.0, "+49302", "evening")
    assert wire.parse_call(wire.decode(wire.encode(wire.call_message(call)))) == call
    prompt = Prompt(text="Grüß Gott")
    assert wire.parse_prompt(wire.decode(wire.encode(wire.prompt_message(prompt)))) == prompt
    living = LivingCall(ID, answered=True, by=AnsweredBy.HUMAN, playing=True)
    message = wire.decode(wire.encode({"ok": [wire.living_message(living)]}))
    assert wire.parse_living(message["ok"][0]) == living


@pytest.mark.parametrize("line", [b"220 mail.test ESMTP\n", b"[1]\n", b"\xff\xfe\n", b"\n"])
def test_lines_that_are_no_messages_are_refused(line: bytes) -> None:
    with pytest.raises(ChannelError, match="is it a carrier"):
        wire.decode(line)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": "1", "at": "now", "event": "ringing"},
        {"id": "1", "at": AT.isoformat(), "event": "sang"},
        {"id": "1", "at": AT.isoformat(), "event": "ended", "cause": "bored", "detail": ""},
    ],
)
def test_misshapen_events_are_refused(message: wire.Message) -> None:
    with pytest.raises(ChannelError):
        wire.parse_event(message)


@pytest.mark.parametrize(
    "message",
    [{}, {"id": 3, "address": "+49"}, {"id": "1"}, {"id": "1", "address": "2", "ring_timeout": "long"}],
)
def test_misshapen_originates_are_refused(message: wire.Message) -> None:
    with pytest.raises(ChannelError, match="misshapen"):
        wire.parse_call(message)


def test_faults_are_parsed_by_name() -> None:
    assert parse_faults({}) == Faults()
    faults = {"refuse": "no trunk", "fail_next": 3, "latency": 1, "unreachable": True}
    assert parse_faults(faults) == Faults(refuse="no trunk", fail_next=3, latency=1, unreachable=True)


@pytest.mark.parametrize(
    "document",
    [
        {"explode": 1},
        {"fail_next": -1},
        {"fail_next": 1.5},
        {"latency": "long"},
        {"unreachable": 1},
        {"refuse": 5},
    ],
)
def test_impossible_faults_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        parse_faults(document)
