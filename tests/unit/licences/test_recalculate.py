"""One recalculation from state to state: admission, times, minimum hold, nothing on a failed certificate."""

from dataclasses import replace
from unittest.mock import patch

from outrider.licences import recalculate as module
from outrider.licences.model import Allocation, LicenceKind, Policy, Standing, TaskState, Trigger
from outrider.licences.recalculate import Recalculated, recalculate, regrant

PORTS = LicenceKind.OUTBOUND_PORTS
POOL = {PORTS: 10}
OLD = TaskState("old", minimum=2, priority=5, standing=Standing.ADMITTED, quota=10, granted=10, admitted_at=0)
NEW = TaskState("new", minimum=1, priority=5, started=9)


def run(
    *states: TaskState, now: float = 10, trigger: Trigger = Trigger.START, hold: float = 0
) -> Recalculated:
    return recalculate(POOL, states, Policy.WEIGHTED, now, trigger, task="x", minimum_hold=hold)


def by_id(done: Recalculated) -> dict[str, TaskState]:
    return {state.id: state for state in done.states}


def test_a_newcomer_is_admitted_and_its_time_kept() -> None:
    done = run(OLD, NEW)
    assert done.quotas == done.granted == {"old": 5, "new": 5}
    assert done.before == {"old": 10, "new": 0}
    assert done.admitted == ("new",)
    assert done.changed
    assert by_id(done)["new"].admitted_at == 10
    assert by_id(done)["old"].admitted_at == 0


def test_a_newcomer_waits_and_stays_a_newcomer() -> None:
    done = run(replace(OLD, minimum=9), replace(NEW, minimum=5))
    assert done.waiting == ("new",)
    assert by_id(done)["new"].standing is Standing.WAITING
    assert by_id(done)["new"].admitted_at is None
    assert done.admitted == ()
    assert not done.changed


def test_who_is_out_has_nothing_and_its_calls_hold_units_back() -> None:
    out = replace(OLD, standing=Standing.OUT, quota=0, granted=0, in_use=7)
    done = run(out, NEW, trigger=Trigger.PAUSE)
    assert done.quotas == {"new": 10}
    assert done.granted == {"new": 3}
    assert by_id(done)["old"].draining == 7
    freed = regrant(POOL, [replace(out, in_use=2), by_id(done)["new"]], Policy.WEIGHTED, 11)
    assert [state.granted for state in freed] == [0, 8]


def test_recalculating_the_result_changes_nothing() -> None:
    once = run(OLD, NEW)
    twice = recalculate(POOL, once.states, Policy.WEIGHTED, 10, Trigger.SUPPLY)
    assert not twice.changed
    assert twice.states == once.states


def test_a_failed_certificate_changes_nothing_and_says_why() -> None:
    with patch.object(module, "certify", return_value=("a unit is free",)):
        done = run(OLD, NEW)
    assert done.violations == ("a unit is free",)
    assert done.states == (OLD, NEW)
    assert not done.changed


def test_the_minimum_hold_keeps_what_an_idle_donation_raised() -> None:
    quiet = replace(OLD, id="quiet", quota=5, granted=5)
    asking = replace(OLD, id="asking", quota=5, granted=5, last_attempt_at=90)
    raised = run(quiet, asking, now=100, trigger=Trigger.IDLE, hold=15)
    assert raised.quotas == {"quiet": 2, "asking": 8}
    assert by_id(raised)["asking"].raised_until == 115
    back = [replace(by_id(raised)["quiet"], last_attempt_at=101), by_id(raised)["asking"]]
    held = run(*back, now=101, trigger=Trigger.RETURN, hold=15)
    assert held.quotas == {"quiet": 2, "asking": 8}
    assert not held.changed
    ended = run(*held.states, now=115, trigger=Trigger.RETURN, hold=15)
    assert ended.quotas == {"quiet": 5, "asking": 5}
    assert by_id(ended)["asking"].raised_until is None
    started = run(*back, NEW, now=101, trigger=Trigger.START, hold=15)
    assert started.quotas == {"quiet": 3, "asking": 4, "new": 3}


def test_all_kinds_of_one_pool_are_shared_together() -> None:
    seats = TaskState("s", kind=LicenceKind.MANUAL_AGENTS, asking=3, allocation=Allocation.DYNAMIC)
    done = recalculate(
        {PORTS: 4, LicenceKind.PREVIEW_AGENTS: 2}, [OLD, seats], Policy.STRICT, 5, Trigger.START
    )
    assert done.quotas == {"old": 4, "s": 2}
    assert done.answer.cover[LicenceKind.MANUAL_AGENTS] == {LicenceKind.PREVIEW_AGENTS: 2}
