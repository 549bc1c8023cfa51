"""Every end of a call has a name, and every call one end, whatever Asterisk may say."""

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outrider.channels.asterisk import calls
from outrider.channels.asterisk.calls import CallState, Moment
from outrider.channels.asterisk.causes import BROKEN, Ending, end_cause
from outrider.channels.model import CallAnswered, CallEnded, CallRinging, EndCause
from outrider.ids import AttemptId

AT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
NEVER_ANSWERED = {
    EndCause.BUSY,
    EndCause.NO_ANSWER,
    EndCause.CONGESTION,
    EndCause.REJECTED,
    EndCause.UNALLOCATED,
}

endings = st.builds(
    Ending,
    cause=st.integers(0, 300),
    sip=st.none() | st.integers(0, 999),
    answered=st.booleans(),
    alerted=st.booleans(),
    gave_up=st.booleans(),
)


@given(endings)
def test_every_end_has_a_name_and_words(ending: Ending) -> None:
    cause, words = end_cause(ending)
    assert words
    if ending.answered:
        assert cause is (EndCause.FAILED if ending.cause in BROKEN else EndCause.NORMAL)
    if cause in NEVER_ANSWERED:
        assert not ending.answered


@given(endings)
def test_a_dead_trunk_is_never_no_answer(ending: Ending) -> None:
    cause, _ = end_cause(ending)
    if cause is EndCause.NO_ANSWER and ending.gave_up and ending.cause in {18, 19}:
        assert ending.alerted


CHANNEL = st.fixed_dictionaries({"id": st.just("x"), "state": st.sampled_from(["Down", "Ringing", "Up"])})
EVENTS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("StasisStart"),
            "args": st.sampled_from([[], ["call"], ["detect"], ["amd"], ["amd", "HUMAN"], ["inbound"]]),
        }
    ),
    st.fixed_dictionaries({"type": st.just("ChannelStateChange"), "channel": CHANNEL}),
    st.fixed_dictionaries(
        {"type": st.just("Dial"), "dialstatus": st.sampled_from(["", "PROGRESS", "RINGING"])}
    ),
    st.fixed_dictionaries(
        {"type": st.just("ChannelDtmfReceived"), "digit": st.sampled_from("0123456789*#ABCD")}
    ),
    st.fixed_dictionaries({"type": st.just("ChannelTalkingStarted")}),
    st.fixed_dictionaries({"type": st.just("ChannelTalkingFinished"), "duration": st.integers(0, 9000)}),
    st.fixed_dictionaries(
        {
            "type": st.just("PlaybackFinished"),
            "playback": st.fixed_dictionaries({"state": st.sampled_from(["done", "failed"])}),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("ChannelDestroyed"), "cause": st.integers(0, 127)},
        optional={"tech_cause": st.none() | st.integers(100, 699)},
    ),
    st.just({"type": "ChannelVarset"}),
    st.just({}),
)


@given(st.lists(EVENTS, max_size=30), st.integers(0, 127))
def test_a_call_ends_exactly_once_and_last(events: list[dict[str, Any]], cause: int) -> None:
    state = CallState(AttemptId("x"))
    told: list[object] = []
    for event in [*events, {"type": "ChannelDestroyed", "cause": cause}, *events]:
        state, news = calls.take(state, event, Moment(AT, 0.0))
        told += news
    assert isinstance(told[-1], CallEnded)
    for kind in (CallEnded, CallAnswered, CallRinging):
        assert sum(isinstance(one, kind) for one in told) <= 1
    rest = [type(one) for one in told]
    if CallRinging in rest and CallAnswered in rest:
        assert rest.index(CallRinging) < rest.index(CallAnswered)
