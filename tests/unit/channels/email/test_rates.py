"""Rates per recipient domain: exact, independent, and slower after "too fast"."""

import pytest

from outrider.channels.email.classify import is_too_fast
from outrider.channels.email.rates import CALM, FIRST_PAUSE, DomainRates, RateSettings
from outrider.errors import InvalidInputError


def times(rates: DomainRates, domain: str, count: int, start: float = 0.0) -> list[float]:
    """Return when messages go that are always ready."""
    now, gone = start, []
    for _ in range(count):
        now += rates.wait(domain, now)
        assert rates.wait(domain, now) == 0
        rates.take(domain, now)
        gone.append(now)
    return gone


def test_messages_are_spaced_evenly() -> None:
    rates = DomainRates(RateSettings(default=2.0))
    assert times(rates, "a.test", 4) == [0.0, 0.5, 1.0, 1.5]
    assert times(rates, "b.test", 2, start=1.0) == [1.0, 1.5]
    assert times(rates, "a.test", 2, start=10.0) == [10.0, 10.5]


def test_a_fast_rate_catches_up_after_a_delay_of_ours() -> None:
    rates = DomainRates(RateSettings(default=100.0))
    gone = times(rates, "a.test", 111)
    assert gone[:10] == [0.0] * 10
    assert gone[110] == pytest.approx(1.01)


def test_domains_have_rates_of_their_own() -> None:
    settings = RateSettings(default=None, domains={"Slow.Test": 0.5, "bücher.test": 1.0})
    rates = DomainRates(settings)
    assert times(rates, "slow.test", 2) == [0.0, 2.0]
    assert times(rates, "xn--bcher-kva.test", 2) == [0.0, 1.0]
    assert times(rates, "free.test", 3) == [0.0, 0.0, 0.0]


def test_a_domain_that_says_too_fast_is_left_alone_and_slowly_restored() -> None:
    rates = DomainRates(RateSettings())
    assert rates.slow_down("a.test", 100.0) == FIRST_PAUSE
    assert rates.slow_down("a.test", 101.0) == FIRST_PAUSE - 1
    assert rates.wait("b.test", 100.0) == 0
    first, second = times(rates, "a.test", 2, start=100.0)
    assert (first, second) == (110.0, 111.0)
    assert rates.slow_down("a.test", 111.5) == 2 * FIRST_PAUSE
    third, fourth = times(rates, "a.test", 2, start=112.0)
    assert (third, fourth) == (131.5, 133.5)
    calm = 131.5 + CALM
    assert times(rates, "a.test", 2, start=calm) == [calm, calm + 1.0]
    assert times(rates, "a.test", 3, start=calm + CALM) == [calm + CALM] * 3


def test_a_limited_domain_is_never_faster_than_its_limit_when_slowed() -> None:
    rates = DomainRates(RateSettings(default=0.1))
    rates.slow_down("a.test", 0.0)
    assert times(rates, "a.test", 2) == [10.0, 30.0]


@pytest.mark.parametrize(
    "values", [{"default": 0.0}, {"default": float("nan")}, {"domains": {"a.test": -1}}, {"connections": 0}]
)
def test_settings_that_cannot_work(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=r"smtp\.rates"):
        RateSettings(**values)  # type: ignore[arg-type] # fields by name


def test_a_domain_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"smtp\.rates"):
        RateSettings(domains={"not a domain": 1.0})


@pytest.mark.parametrize(
    ("code", "text", "fast"),
    [
        (421, "closing", True),
        (421, "4.7.0 [TSS04] Messages temporarily deferred", True),
        (450, "4.7.1 rate limited", True),
        (450, "4.2.1 The user is receiving mail at a rate that prevents delivery", True),
        (452, "too many messages", True),
        (451, "4.7.1 Greylisted, try again later", False),
        (450, "4.2.0 Recipient address rejected: Greylisted", False),
        (452, "4.2.2 Over quota", False),
        (450, "4.1.1 unverified address", False),
        (550, "5.7.1 too many", False),
        (250, "2.0.0 OK", False),
    ],
)
def test_answers_that_say_too_fast(code: int, text: str, fast: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_too_fast(code, text) is fast
