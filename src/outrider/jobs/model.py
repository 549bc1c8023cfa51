"""The states of a job and its one transition table; the job, its tasks and its targets as records. Pure.

`jobs/service.py` applies the table; the API, the worker and the pages read the records.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.errors import IllegalTransitionError
from outrider.ids import CampaignId, JobId, OrganizationId, PoolId, StrategyId, TaskId


class JobState(enum.StrEnum):
    """Where a job is. The last two are final."""

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    SNOOZED = "snoozed"
    STOPPED = "stopped"
    FINISHED = "finished"


class JobCommand(enum.StrEnum):
    """What can be asked of a job; FINISH is also what a finite job does by itself."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SNOOZE = "snooze"
    FINISH = "finish"


ENDED = frozenset({JobState.STOPPED, JobState.FINISHED})

TRANSITIONS: Mapping[tuple[JobState, JobCommand], JobState] = {
    (JobState.READY, JobCommand.START): JobState.RUNNING,
    (JobState.READY, JobCommand.STOP): JobState.STOPPED,
    (JobState.RUNNING, JobCommand.PAUSE): JobState.PAUSED,
    (JobState.RUNNING, JobCommand.SNOOZE): JobState.SNOOZED,
    (JobState.RUNNING, JobCommand.STOP): JobState.STOPPED,
    (JobState.RUNNING, JobCommand.FINISH): JobState.FINISHED,
    (JobState.PAUSED, JobCommand.RESUME): JobState.RUNNING,
    (JobState.PAUSED, JobCommand.SNOOZE): JobState.SNOOZED,
    (JobState.PAUSED, JobCommand.STOP): JobState.STOPPED,
    (JobState.PAUSED, JobCommand.FINISH): JobState.FINISHED,
    (JobState.SNOOZED, JobCommand.RESUME): JobState.RUNNING,
    (JobState.SNOOZED, JobCommand.PAUSE): JobState.PAUSED,
    (JobState.SNOOZED, JobCommand.STOP): JobState.STOPPED,
    (JobState.SNOOZED, JobCommand.FINISH): JobState.FINISHED,
}
"""(state, command) -> next state; every other pair is illegal."""


def next_state(state: JobState, command: JobCommand) -> JobState:
    """Return the state that `command` leads to. IllegalTransitionError names what is possible instead."""
    following = TRANSITIONS.get((state, command))
    if following is None:
        possible = possible_commands(state)
        advice = f"possible now: {', '.join(possible)}" if possible else "it has ended; start a new job"
        raise IllegalTransitionError(
            f"a {state} job cannot {command}; {advice}", state=state, command=command
        )
    return following


def possible_commands(state: JobState) -> tuple[JobCommand, ...]:
    """Return what can be asked of a job in `state`, in a fixed order."""
    return tuple(command for command in JobCommand if (state, command) in TRANSITIONS)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a campaign. `targets` are its contacts, `targets_done` those with a final outcome."""

    id: JobId
    organization_id: OrganizationId
    campaign_id: CampaignId
    campaign_name: str
    strategy_id: StrategyId
    strategy_name: str
    strategy_version: int
    state: JobState
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    end_reason: str
    snoozed_until: dt.datetime | None
    stop_at: dt.datetime | None
    loaded: bool
    targets: int
    targets_done: int
    goal_count: int


@dataclass(frozen=True, slots=True)
class Task:
    """One action of a job in one zone: the unit that holds licences (licensing.md 1)."""

    id: TaskId
    job_id: JobId
    organization_id: OrganizationId
    campaign_name: str
    pool_id: PoolId
    zone_name: str
    organization_name: str
    action: str
    kind: str
    allocation: str
    minimum: int
    maximum: int
    priority: int
    standing: str
    quota: int
    granted: int
    in_use: int
    bound: str
    last_attempt_at: dt.datetime | None

    @property
    def draining(self) -> int:
        """Units in use beyond the quota (licensing.md 1)."""
        return max(0, self.in_use - self.quota)
