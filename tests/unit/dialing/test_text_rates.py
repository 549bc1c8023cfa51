"""The rate of the message centres is shared like licences: by priority, whole, and used up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.dialing.text_rates import TextTask, share_rate
from outrider.ids import TaskId


def test_priorities_weigh_as_in_the_published_example() -> None:
    tasks = [TextTask(TaskId(1), 8, 1.0), TextTask(TaskId(2), 2, 2.0)]
    assert share_rate(10.0, tasks) == {1: 8.0, 2: 2.0}


def test_what_a_paced_task_leaves_goes_to_the_others() -> None:
    tasks = [TextTask(TaskId(1), 8, 1.0, pace=1.0), TextTask(TaskId(2), 2, 2.0)]
    assert share_rate(10.0, tasks) == {1: 1.0, 2: 9.0}


def test_without_tasks_there_is_nothing_to_share() -> None:
    assert share_rate(10.0, []) == {}


@given(
    rate=st.floats(0.02, 500),
    tasks=st.lists(st.tuples(st.integers(1, 10), st.none() | st.floats(0.01, 100)), min_size=1, max_size=12),
)
def test_the_rate_is_used_up_and_never_passed(rate: float, tasks: list[tuple[int, float | None]]) -> None:
    given = [TextTask(TaskId(n), priority, float(n), pace) for n, (priority, pace) in enumerate(tasks)]
    found = share_rate(rate, given)
    assert sum(found.values()) <= rate + 1e-9
    if all(pace is None for _, pace in tasks):
        assert sum(found.values()) == pytest.approx(int(rate * 60) / 60)
