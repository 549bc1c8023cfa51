"""The transition table of jobs: every pair of state and command, legal or refused with advice."""

import itertools

import pytest

from outrider.errors import IllegalTransitionError
from outrider.jobs.model import ENDED, TRANSITIONS, JobCommand, JobState, next_state, possible_commands

PAIRS = list(itertools.product(JobState, JobCommand))


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_every_pair_is_either_in_the_table_or_refused(state: JobState, command: JobCommand) -> None:
    if (state, command) in TRANSITIONS:
        assert next_state(state, command) is TRANSITIONS[state, command]
        assert command in possible_commands(state)
        return
    with pytest.raises(IllegalTransitionError, match=f"a {state} job cannot {command}") as refused:
        next_state(state, command)
    assert refused.value.facts["state"] is state
    assert command not in possible_commands(state)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_ended_jobs_stay_ended(state: JobState) -> None:
    assert possible_commands(state) == ()


def test_every_state_can_be_reached_and_every_living_one_can_be_stopped() -> None:
    assert set(TRANSITIONS.values()) == set(JobState) - {JobState.READY}
    assert all(JobCommand.STOP in possible_commands(state) for state in set(JobState) - ENDED)
