"""Fault simulations: 2,000 seeded systems with crashes, lost news, cuts and clock jumps; all invariants hold.

A seed that fails prints itself and what went wrong before; `outrider simulate --fault-seed N` plays it again.
The seeds are blocks, so that the processes of a parallel run share them.
"""

from collections.abc import Callable, Sequence

import pytest

from outrider.dialing.attempt import Result
from outrider.ids import TaskId
from outrider.simulate import recording, seats
from outrider.simulate.audit import BrokenInvariantError
from outrider.simulate.faults import run_seed
from outrider.simulate.memory import Memory

SEEDS, BLOCK = 2_000, 50
PLANTED_WITHIN = 200


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_whatever_goes_wrong_every_invariant_holds(first: int) -> None:
    played = [run_seed(seed) for seed in range(first, first + BLOCK)]
    # A simulation in which nothing happens would hold everything.
    assert sum(each.attempts for each in played) > 5 * BLOCK
    assert sum(each.crashes for each in played) > BLOCK / 2
    assert sum(each.recalculations for each in played) > 5 * BLOCK


def test_a_seed_plays_the_same_every_time() -> None:
    assert run_seed(77) == run_seed(77)


def first_found() -> int | None:
    for seed in range(PLANTED_WITHIN):
        try:
            run_seed(seed)
        except BrokenInvariantError as error:
            return seed if f"--fault-seed {seed}" in str(error) else None
    return None


def test_a_result_whose_unit_is_released_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(_memory: Memory, results: Sequence[Result]) -> list[Result]:
        return list(results)

    monkeypatch.setattr(recording, "fresh_of", all_of_them)
    assert first_found() is not None


def test_a_seat_that_is_released_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    release: Callable[..., bool] = seats.release

    def twice(memory: Memory, session_id: int) -> bool:
        row = memory.sessions.get(session_id)  # type: ignore[call-overload] # a session's id
        task_id: TaskId | None = None if row is None else row.task_id
        released = release(memory, session_id)
        if task_id is not None:
            memory.tasks[task_id].in_use -= 1
        return released

    monkeypatch.setattr(seats, "release", twice)
    assert first_found() is not None


def test_a_bridge_that_never_gives_its_port_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outrider.simulate.phones.release_legs", lambda _memory, _legs: None)
    assert first_found() is not None
