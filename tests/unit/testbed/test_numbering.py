"""The numbering plan: every number is valid, stands for one thing, and nothing else is of the plan."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.testbed.numbering import ANSWERED, SERIALS, SIP_CODES, Outcome, Planned, number, planned

serials = st.integers(0, SERIALS - 1)
details = st.integers(0, 9)


@given(st.sampled_from(Outcome), serials, details)
def test_a_number_says_what_it_stands_for(outcome: Outcome, serial: int, detail: int) -> None:
    assert planned(number(outcome, serial, detail)) == Planned(outcome, serial, detail)


@given(st.sampled_from(Outcome), serials, details)
def test_the_product_takes_every_number_as_valid(outcome: Outcome, serial: int, detail: int) -> None:
    text = number(outcome, serial, detail)
    parsed = phonenumbers.parse(text)
    assert phonenumbers.is_valid_number(parsed)
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+4915559900000",
        "+491555100000",
        "+49155510000012",
        "4915551000001",
        "+4930555000",
        "+49155510\u0660\u0660\u0660\u06601",
    ],
)
def test_other_numbers_are_not_of_the_plan(text: str) -> None:
    assert planned(text) is None


@pytest.mark.parametrize(("serial", "detail"), [(-1, 0), (SERIALS, 0), (0, 10), (0, -1)])
def test_what_does_not_fit_is_refused(serial: int, detail: int) -> None:
    with pytest.raises(ValueError, match="is not"):
        number(Outcome.BUSY, serial, detail)


def test_an_outcome_is_answered_or_refused_or_neither() -> None:
    assert not ANSWERED & set(SIP_CODES)
    assert set(Outcome) - ANSWERED - set(SIP_CODES) == {Outcome.NO_ANSWER, Outcome.DEAD}
