"""Profiles: parsed documents, named mistakes, and fates that follow the probabilities."""

from collections import Counter

import pytest

from outrider.channels.simulated.behaviour import CONSUMERS, CarrierProfile, FarEnd, Span, parse_profiles
from outrider.channels.simulated.fate import draw_fate
from outrider.errors import InvalidInputError


def test_an_empty_document_gives_the_built_in_default() -> None:
    assert parse_profiles({}) == {"default": CarrierProfile()}


def test_profiles_take_what_they_leave_out_from_the_documents_default() -> None:
    document = {
        "profiles": {
            "evening": {"outcomes": {"human": 0.75, "no_answer": 0.25}, "human_ring": [3, 4.5]},
            "default": {"linger": 2, "hangs_up_early": 0.5},
        }
    }
    profiles = parse_profiles(document)
    assert profiles["default"].linger == Span(2.0, 2.0)
    evening = profiles["evening"]
    assert evening.outcomes == {FarEnd.HUMAN: 0.75, FarEnd.NO_ANSWER: 0.25}
    assert evening.human_ring == Span(3.0, 4.5)
    assert evening.linger == Span(2.0, 2.0)
    assert evening.hangs_up_early == 0.5


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"profile": {}}, 'unknown key "profile"'),
        ({"profiles": [1]}, "must be a table"),
        ({"profiles": {"a": 3}}, "profile a: must be a table"),
        ({"profiles": {"a": {"rings": 3}}}, "profile a, rings: unknown field"),
        ({"profiles": {"a": {"outcomes": {"human": 0.5}}}}, "sum to 0.5"),
        ({"profiles": {"a": {"outcomes": {"fax": 1}}}}, 'unknown outcome "fax"'),
        ({"profiles": {"a": {"outcomes": {"human": 1.5}}}}, "outcomes.human: must be a number from 0 to 1"),
        ({"profiles": {"a": {"outcomes": {"human": True}}}}, "must be a number"),
        ({"profiles": {"a": {"outcomes": 1}}}, "must be a table"),
        ({"profiles": {"a": {"setup": [1]}}}, r"\[low, high\]"),
        ({"profiles": {"a": {"setup": [2, 1]}}}, "low 2 is greater than high 1"),
        ({"profiles": {"a": {"setup": "soon"}}}, "must be a number"),
        ({"profiles": {"a": {"setup": -1}}}, "must be a number"),
        ({"profiles": {"a": {"setup": float("nan")}}}, "must be a number"),
        ({"profiles": {"a": {"hangs_up_early": 2}}}, "from 0 to 1"),
    ],
)
def test_mistakes_are_named_with_their_place(document: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_profiles(document)


def test_the_default_outcomes_are_met_in_their_proportions() -> None:
    profile = CarrierProfile()
    calls = 20_000
    met = Counter(draw_fate(profile, 1, f"+49{number}", 1).end for number in range(calls))
    for end, share in CONSUMERS.items():
        assert met[end] / calls == pytest.approx(share, abs=0.015)


def test_a_number_that_does_not_exist_never_does() -> None:
    profile = CarrierProfile(outcomes={FarEnd.HUMAN: 0.7, FarEnd.UNALLOCATED: 0.3})
    missing = 0
    for number in range(500):
        ends = {draw_fate(profile, 5, f"+49{number}", nth).end for nth in range(1, 6)}
        assert len(ends) == 1
        missing += ends == {FarEnd.UNALLOCATED}
    assert 100 < missing < 200


def test_a_prompt_takes_the_time_of_its_text() -> None:
    profile = CarrierProfile(file_seconds=9.0)
    assert profile.playing_time("x" * 150) == 10.0
    assert profile.playing_time("x") == 1.0
    assert profile.playing_time(None) == 9.0
