"""The sentences of "why is nobody being called?", and which of several holds is the answer."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.dialing.why_nobody import (
    ContactFacts,
    ContactState,
    Hold,
    TaskFacts,
    bound_of,
    contact_sentence,
    latest,
    task_sentence,
)

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=3)
RUNNING = TaskFacts("running", waits=False, granted=4, bound="")
DECIDED = [("pbx-a", "dials nobody: no agent is attached"), ("pbx-b", "dials 2 more: 3 agents are free")]


@pytest.mark.parametrize(
    ("facts", "decisions", "bound", "sentence"),
    [
        (RUNNING, [], "", "Nothing holds it back."),
        (TaskFacts("paused", False, 4, "ports"), DECIDED, "paused", "The job is paused."),
        (
            TaskFacts("running", True, 0, "", licence="It has none."),
            DECIDED,
            "licence",
            "It waits for licences: It has none.",
        ),
        (TaskFacts("running", False, 0, "contacts"), [], "licence", "It waits for licences."),
        (TaskFacts("running", False, 4, "ports"), [], "ports", "All its ports are in use."),
        (
            TaskFacts("running", False, 4, "later", LATER),
            [],
            "later",
            "The next contact is due at 2026-03-02 15:00 UTC: hours, limits or a retry pause.",
        ),
        (
            RUNNING,
            DECIDED,
            "",
            "On pbx-a: dials nobody: no agent is attached. On pbx-b: dials 2 more: 3 agents are free.",
        ),
        (RUNNING, [("", "dials nobody: no agent is attached")], "", "Dials nobody: no agent is attached."),
        (TaskFacts("running", False, 4, "something new"), [], "something new", "Something new."),
    ],
)
def test_a_task_says_what_binds_it(
    facts: TaskFacts, decisions: list[tuple[str, str]], bound: str, sentence: str
) -> None:
    assert (bound_of(facts), task_sentence(facts, decisions)) == (bound, sentence)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            ContactFacts(ContactState.DUE, address="+4930123"),
            "It is due now at +4930123 and is called as soon as the task may call.",
        ),
        (ContactFacts(ContactState.HOURS, LATER), "Its calling hours are closed until 2026-03-02 15:00 UTC."),
        (
            ContactFacts(ContactState.RETRY, LATER, "no answer"),
            "It was no answer and is tried again at 2026-03-02 15:00 UTC.",
        ),
        (
            ContactFacts(ContactState.CALLBACK, LATER, "by agent ada"),
            "A callback is promised (by agent ada) for 2026-03-02 15:00 UTC.",
        ),
        (ContactFacts(ContactState.DONE, None, "answered (sold)"), "It is done: answered (sold)."),
        (ContactFacts(ContactState.DO_NOT_CONTACT), "Its number is on a do-not-contact list."),
    ],
)
def test_a_contact_says_where_it_stands(facts: ContactFacts, sentence: str) -> None:
    assert contact_sentence(facts) == sentence


@pytest.mark.parametrize("state", list(ContactState))
def test_every_state_has_one_sentence(state: ContactState) -> None:
    sentence = contact_sentence(ContactFacts(state, LATER, "busy", "+4930123"))
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "None" not in sentence


HOLDS = st.lists(
    st.tuples(
        st.sampled_from([ContactState.HOURS, ContactState.LIMIT, ContactState.RETRY]),
        st.integers(-5, 5).map(lambda hours: NOON + dt.timedelta(hours=hours)),
        st.just(""),
    )
)


@given(HOLDS)
def test_the_hold_that_ends_last_is_the_answer(holds: list[Hold]) -> None:
    found = latest(holds, NOON)
    if found is None:
        assert all(until <= NOON for _, until, _ in holds)
    else:
        assert found[1] > NOON
        assert all(until <= found[1] for _, until, _ in holds)
        assert found == next(each for each in holds if each[1] == found[1])
