"""The states of the platform's licence over 30 virtual days: what is in force, which alarms are raised."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from outrider.licences.model import LicenceKind
from outrider.supply.alarms import AlarmKind, Sent, alarms
from outrider.supply.authorisation import Authorisation, Feature, LicenceSourceError, SourceFault
from outrider.supply.effective_time import Elapsed, effective
from outrider.supply.model import Supply, SupplyState
from outrider.supply.platform_state import Outcome, PollRules, after_poll

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
YEAR = NOON + 365 * DAY
PORTS = LicenceKind.OUTBOUND_PORTS


def answer(at: dt.datetime, *features: tuple[int, dt.datetime], lease: dt.timedelta = DAY) -> Authorisation:
    made = tuple(Feature(PORTS, count, expires_at, "4.0") for count, expires_at in features)
    return Authorisation("server", "1.0", "The tests", made, at + lease, at)


def failure(fault: SourceFault) -> LicenceSourceError:
    return LicenceSourceError(fault, f"licence server at licences.example: {fault}")


@dataclass
class Run:
    """A platform over time: `source` says what a poll at an hour brings; the clock may be set back."""

    source: Callable[[dt.datetime], Outcome]
    supply: Supply = field(default_factory=Supply)
    now: dt.datetime = NOON
    set_back: dt.timedelta = dt.timedelta(0)
    sent: dict[AlarmKind, Sent] = field(default_factory=dict)
    told: list[tuple[float, AlarmKind]] = field(default_factory=list)
    states: list[tuple[float, SupplyState]] = field(default_factory=list)
    counts: list[tuple[float, int]] = field(default_factory=list)

    def hours(self, count: int, *, knows_elapsed: bool = True) -> None:
        """Poll every hour, and write down what changes and what is told (days since the start)."""
        for _ in range(count):
            self.now += HOUR
            self.poll(HOUR if knows_elapsed else None)

    def poll(self, elapsed: dt.timedelta | None = None) -> None:
        wall, seen = self.now - self.set_back, self.supply.known.clock.seen_at
        since = Elapsed(seen, elapsed) if seen is not None and elapsed is not None else None
        self.supply = after_poll(self.supply, self.source(self.now), wall, PollRules(), since)
        at, day = effective(self.supply.known.clock), (self.now - NOON) / DAY
        for alarm in alarms(self.supply, at, self.sent):
            self.sent[alarm.kind] = Sent(at, alarm.subject)
            self.told.append((round(day, 2), alarm.kind))
        ports = self.supply.authorised.get(PORTS, 0)
        if not self.states or self.states[-1][1] is not self.supply.state:
            self.states.append((round(day, 2), self.supply.state))
        if not self.counts or self.counts[-1][1] != ports:
            self.counts.append((round(day, 2), ports))

    def days_of(self, kind: AlarmKind) -> list[float]:
        return [day for day, each in self.told if each is kind]


def good_until(day: int, then: Callable[[dt.datetime], Outcome]) -> Callable[[dt.datetime], Outcome]:
    """Answer well before `day`, and `then` afterwards."""
    return lambda at: answer(at, (60, YEAR)) if at < NOON + day * DAY else then(at)


N, S, G, X = SupplyState.NORMAL, SupplyState.STALE, SupplyState.GRACE, SupplyState.EXPIRED
A_HOUR = round(1 / 24, 2)


@pytest.mark.parametrize(
    ("fault", "told_at_once"),
    [
        (SourceFault.UNREACHABLE, False),
        (SourceFault.TOO_OLD, True),
        (SourceFault.FORGED, True),
        (SourceFault.REFUSED, True),
        (SourceFault.BROKEN, True),
    ],
)
def test_a_server_that_stops_or_is_replaced_by_a_bad_one(fault: SourceFault, *, told_at_once: bool) -> None:
    run = Run(good_until(2, lambda _: failure(fault)))
    run.poll()
    run.hours(35 * 24)
    # The last good poll was at day 2 less one hour; grace begins with the first poll that is too late.
    assert run.states == [(0, N), (2.0, G), (31.96, X)]
    assert run.counts == [(0, 60), (31.96, 0)]
    assert run.days_of(AlarmKind.GRACE) == [float(day) for day in range(2, 32)]
    assert run.days_of(AlarmKind.EXPIRED) == [31.96]
    assert (len(run.days_of(AlarmKind.SERVER_FAULT)) > 30) is told_at_once
    assert "licences.example" in run.supply.message
    assert "2026-03-06 11:00 UTC" in run.supply.message


def test_missed_polls_are_stale_before_grace_begins() -> None:
    supply = after_poll(Supply(), answer(NOON, (60, YEAR)), NOON, PollRules())
    minute = dt.timedelta(minutes=1)
    seen = []
    for minutes in range(1, 12):
        supply = after_poll(supply, failure(SourceFault.UNREACHABLE), NOON + minutes * minute, PollRules())
        seen.append(supply.state)
        assert supply.authorised == {PORTS: 60}
    assert seen == [S] * 9 + [G] * 2
    assert supply.grace_since == NOON
    assert supply.grace_ends_at == NOON + 30 * DAY
    assert supply.known.missed_polls == 11
    back = after_poll(supply, answer(NOON + 12 * minute, (60, YEAR)), NOON + 12 * minute, PollRules())
    assert (back.state, back.known.missed_polls, back.message) == (N, 0, "")


def test_a_lease_that_ran_out_begins_grace() -> None:
    lease = dt.timedelta(minutes=3)
    supply = after_poll(Supply(), answer(NOON, (60, YEAR), lease=lease), NOON, PollRules())
    minute = dt.timedelta(minutes=1)
    for minutes, state in ((1, S), (2, S), (3, G)):
        supply = after_poll(supply, failure(SourceFault.UNREACHABLE), NOON + minutes * minute, PollRules())
        assert supply.state is state


def test_a_smaller_file_counts_at_once_and_alarms_nobody() -> None:
    run = Run(good_until(2, lambda at: answer(at, (25, YEAR))))
    run.poll()
    run.hours(30 * 24)
    assert run.states == [(0, N)]
    assert run.counts == [(0, 60), (2, 25)]
    assert run.told == []


def test_the_last_file_removed_stays_in_force_for_30_days() -> None:
    run = Run(good_until(2, answer))
    run.poll()
    run.hours(34 * 24)
    assert run.states == [(0, N), (2, G), (32, X)]
    assert run.counts == [(0, 60), (32, 0)]
    assert len(run.days_of(AlarmKind.GRACE)) == 30
    assert "holds no licence for this system" in run.supply.message


def test_an_expired_file_warns_for_a_week_and_is_in_force_for_30_days() -> None:
    ends = NOON + 10 * DAY

    def server(at: dt.datetime) -> Authorisation:
        return answer(at, (60, ends)) if at < ends + 30 * DAY else answer(at)

    run = Run(server)
    run.poll()
    run.hours(75 * 24)
    assert run.states == [(0, N), (10, G), (40, X)]
    assert run.counts == [(0, 60), (40, 0)]
    assert run.days_of(AlarmKind.EXPIRES_SOON) == [3]
    assert run.days_of(AlarmKind.GRACE) == [float(day) for day in range(10, 40)]
    assert "expired on 2026-03-14" in run.supply.message


def test_an_outage_within_the_grace_of_a_file_prolongs_nothing() -> None:
    ends = NOON + 5 * DAY
    run = Run(lambda at: answer(at, (60, ends)) if at < NOON + 20 * DAY else failure(SourceFault.UNREACHABLE))
    run.poll()
    run.hours(50 * 24)
    assert run.states == [(0, N), (5, G), (35, X)]


@pytest.mark.parametrize("knows_elapsed", [True, False])
def test_a_clock_set_back_a_day_does_not_prolong_grace(*, knows_elapsed: bool) -> None:
    run = Run(good_until(2, lambda _: failure(SourceFault.UNREACHABLE)))
    run.poll()
    run.hours(5 * 24)
    run.set_back = DAY
    run.hours(27 * 24, knows_elapsed=knows_elapsed)
    # The real end of grace; a restart just when the clock is set hides what passed since the last poll.
    end = 31.96 if knows_elapsed else 32.0
    assert run.states == [(0, N), (2.0, G), (end, X)]
    assert AlarmKind.CLOCK_SET_BACK in run.sent


def test_a_clock_put_right_again_gives_back_what_was_owed() -> None:
    run = Run(good_until(2, lambda _: failure(SourceFault.UNREACHABLE)))
    run.poll()
    run.hours(5 * 24)
    run.set_back = DAY
    run.hours(24)
    assert run.supply.known.clock.offset == DAY
    # By the clock of this machine, which is a day behind.
    assert run.supply.grace_ends_at == (NOON + 2 * DAY - HOUR) + 30 * DAY - DAY
    run.set_back = dt.timedelta(0)
    run.hours(24 * 24)
    assert run.supply.known.clock.offset == dt.timedelta(0)
    run.hours(24 * 3)
    assert run.states == [(0, N), (2.0, G), (31.96, X)]


def test_a_good_poll_clears_what_the_clock_owes() -> None:
    run = Run(good_until(40, answer))
    run.poll()
    run.hours(24)
    run.set_back = DAY
    run.hours(24)
    assert run.supply.known.clock.offset == dt.timedelta(0)
    assert run.states == [(0, N)]


def test_a_clock_set_back_before_the_expiry_does_not_revive_a_file_of_the_same_machine() -> None:
    ends = NOON + 10 * DAY
    run = Run(lambda at: answer(at, (60, ends)))
    run.poll()
    run.hours(15 * 24)
    run.set_back = 8 * DAY
    run.hours(20 * 24)
    assert run.supply.state is G
    run.hours(6 * 24)
    assert run.states == [(0, N), (10, G), (40, X)]
    # A licence that runs longer was issued since: it counts, whatever the clock says.
    run.source = lambda at: answer(at, (60, YEAR))
    run.hours(1)
    assert run.supply.state is N
    assert run.told[-1][1] is AlarmKind.IN_ORDER


def test_a_server_with_a_clock_of_its_own_sets_effective_time() -> None:
    rules = PollRules(trust_server_time=True)
    wrong = NOON + 4000 * DAY
    supply = after_poll(Supply(), answer(NOON, (60, YEAR)), wrong, rules)
    assert supply.state is N
    supply = after_poll(supply, failure(SourceFault.UNREACHABLE), wrong + HOUR / 60, rules)
    assert supply.state is S
    assert supply.message.startswith("licence server at")


def test_nothing_was_ever_authorised() -> None:
    supply = after_poll(Supply(), failure(SourceFault.UNREACHABLE), NOON, PollRules())
    assert (supply.state, supply.is_licensed) == (SupplyState.NONE, False)
    assert "licences.example" in supply.message
    supply = after_poll(supply, answer(NOON + HOUR), NOON + HOUR, PollRules())
    assert supply.state is SupplyState.NONE
    assert supply.last_success_at == NOON + HOUR


def test_of_several_files_each_counts_for_its_own_grace() -> None:
    soon, late = NOON + DAY, NOON + 60 * DAY
    both = ((20, soon), (40, late))

    def server(at: dt.datetime) -> Outcome:
        return answer(at, *both) if at < NOON + 3 * DAY else failure(SourceFault.UNREACHABLE)

    run = Run(server)
    run.poll()
    run.hours(36 * 24)
    assert run.counts == [(0, 60), (31, 40), (32.96, 0)]
    assert run.states == [(0, N), (1, G), (32.96, X)]
