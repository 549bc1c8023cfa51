"""How many lines a risk allows: against the binomial law, and small floors against large ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.dialing.predictive.risk import EXACT_UP_TO, _exactly, _normally, abandoned_share, lines_within


@pytest.mark.parametrize(
    ("attempts", "percent"), [(20, 0.83), (23, 2.37), (24, 3.14), (25, 4.03), (30, 10.2), (35, 18.2)]
)
def test_ten_free_agents_abandon_what_the_binomial_law_says(attempts: int, percent: float) -> None:
    assert 100 * abandoned_share(attempts, 10, 1 / 3) == pytest.approx(
        percent, abs=0.05 if percent > 10 else 0.005
    )


@given(free=st.integers(1, 10), share=st.floats(0.05, 0.95), allowed=st.floats(0.001, 0.5))
def test_lines_are_the_first_that_are_too_many(free: int, share: float, allowed: float) -> None:
    """Nothing in the air and nobody busy: the risk is the binomial law's upper tail."""
    lines, risk = lines_within(free, [], [], share, 0.0, allowed)
    assert risk == pytest.approx(_tail(lines, free, share), abs=1e-9)
    assert risk > allowed
    assert lines == 0 or _tail(lines - 1, free, share) <= allowed + 1e-9


def _tail(lines: int, at_least: int, share: float) -> float:
    """Return the chance of so many answers or more, by the recurrence of the binomial law."""
    chance, below = (1.0 - share) ** lines, 0.0
    for answers in range(min(at_least, lines + 1)):
        below += chance
        chance *= (lines - answers) / (answers + 1) * share / (1.0 - share)
    return 1.0 - below if at_least <= lines else 0.0


@given(
    spare=st.integers(0, 12),
    ringing=st.integers(5, 24),
    busy=st.integers(8, 24),
    chance=st.floats(0.15, 0.6),
    release=st.floats(0.05, 0.4),
)
def test_small_and_large_floors_are_reckoned_alike_where_they_meet(
    spare: int, ringing: int, busy: int, chance: float, release: float
) -> None:
    """Both laws give the risk of the next line within five points around the switch from one to the other."""
    answering, releasing = [(chance, ringing)], [(release, busy)]
    _, exact = _exactly(spare, answering, releasing, chance, -1.0)
    _, normal = _normally(spare, answering, releasing, chance, 0.0, -1.0)
    if abs(ringing + busy - EXACT_UP_TO) <= 8:
        assert abs(exact - normal) < 0.05


@given(
    spare=st.integers(-3, 60),
    ringing=st.integers(0, 60),
    busy=st.integers(0, 60),
    share=st.floats(0.02, 0.98),
    deviation=st.floats(0.0, 0.05),
    allowed=st.floats(0.0005, 0.45),
)
def test_an_agent_more_never_means_fewer_lines(
    spare: int, ringing: int, busy: int, share: float, deviation: float, allowed: float
) -> None:
    answering, releasing = [(share, ringing)] if ringing else [], [(0.1, busy)] if busy else []
    found = [
        lines_within(spare + more, answering, releasing, share, deviation, allowed)[0] for more in (0, 1)
    ]
    assert found[0] <= found[1]
