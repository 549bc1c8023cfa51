"""Need, quiet, idle and return on single states (licensing.md 3 and 5)."""

from dataclasses import replace

import pytest

from outrider.licences.model import Allocation, LicenceKind, Standing, TaskState
from outrider.licences.need import (
    deferred_return,
    idle_due,
    is_quiet,
    need_of,
    next_hold_end,
    next_quiet_at,
    wants_return,
)

ASKING = TaskState(
    "a", minimum=2, maximum=30, standing=Standing.ADMITTED, quota=10, admitted_at=0, last_attempt_at=50
)
HUNGRY = replace(ASKING, id="b", quota=3, last_attempt_at=100, priority=9)


@pytest.mark.parametrize(
    ("state", "now", "need"),
    [
        (ASKING, 60, 30),
        (replace(ASKING, contacts_left=4), 60, 4),
        (replace(ASKING, contacts_left=4, in_use=6), 60, 6),
        (ASKING, 110, 2),
        (replace(ASKING, in_use=5), 110, 5),
        (replace(ASKING, in_use=1), 110, 2),
        (replace(ASKING, allocation=Allocation.RESERVED), 999, 30),
        (replace(ASKING, standing=Standing.WAITING), 999, 30),
        (replace(ASKING, standing=Standing.OUT), 60, 0),
        (replace(ASKING, kind=LicenceKind.PREVIEW_AGENTS, asking=7), 999, 7),
        (replace(ASKING, kind=LicenceKind.PREVIEW_AGENTS, asking=70), 999, 30),
        (replace(ASKING, kind=LicenceKind.PREVIEW_AGENTS, asking=7, allocation=Allocation.RESERVED), 999, 7),
    ],
)
def test_need(state: TaskState, now: float, need: int) -> None:
    assert need_of(state, now) == need


def test_quiet_counts_from_the_last_attempt_or_the_admission_whichever_is_later() -> None:
    assert not is_quiet(ASKING, 109.9)
    assert is_quiet(ASKING, 110)
    assert not is_quiet(replace(ASKING, admitted_at=80), 110)
    assert is_quiet(replace(ASKING, last_attempt_at=None), 60)
    assert is_quiet(ASKING, 55, idle_after=5)


def test_the_next_quiet_time_skips_those_that_are_quiet() -> None:
    assert next_quiet_at([ASKING, HUNGRY], 0) == 110
    assert next_quiet_at([ASKING, HUNGRY], 110) == 160
    assert next_quiet_at([ASKING, HUNGRY], 160) is None


def test_idle_needs_a_donor_and_somebody_who_needs() -> None:
    assert idle_due([ASKING, HUNGRY], 110) == "a"
    assert idle_due([ASKING, HUNGRY], 109) is None
    assert idle_due([ASKING, replace(HUNGRY, quota=30)], 110) is None
    assert idle_due([ASKING, replace(HUNGRY, standing=Standing.WAITING, quota=0)], 110) == "a"
    assert idle_due([replace(ASKING, in_use=10), HUNGRY], 110) is None
    assert idle_due([replace(ASKING, allocation=Allocation.RESERVED), HUNGRY], 120) is None


def test_a_task_that_waits_for_seats_does_not_take_ports() -> None:
    seats = replace(HUNGRY, kind=LicenceKind.MANUAL_AGENTS, standing=Standing.WAITING, quota=0)
    assert idle_due([ASKING, seats], 110) is None


def test_of_several_donors_the_first_quiet_then_the_least_important_is_named() -> None:
    important = replace(ASKING, id="z", priority=9)
    later = replace(ASKING, id="l", priority=1, last_attempt_at=51)
    assert idle_due([important, ASKING, later, replace(HUNGRY, last_attempt_at=105)], 120) == "a"


def test_return_is_for_quiet_dynamic_tasks_below_their_maximum() -> None:
    assert wants_return(ASKING, 110)
    assert not wants_return(ASKING, 100)
    assert not wants_return(replace(ASKING, quota=30), 110)
    assert not wants_return(replace(ASKING, allocation=Allocation.RESERVED), 110)


def test_a_return_that_a_hold_kept_waiting_is_due_when_the_hold_ends() -> None:
    held = replace(ASKING, id="h", raised_until=115, quota=9, maximum=9)
    assert next_hold_end([held, ASKING], 0) == 115
    assert next_hold_end([held, ASKING], 115) is None
    assert deferred_return([held, HUNGRY], 114) is None
    assert deferred_return([held, HUNGRY], 115) == "b"
    assert deferred_return([held, replace(HUNGRY, quota=30)], 115) is None
