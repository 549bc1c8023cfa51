"""Deals the agents of one pool to its jobs, and says of everyone left free why. Pure.

`seats.rebalance` carries the result out. Units go to tasks in the order of licensing.md 4.1 and 4.2 under the
nested seats of 4.4; which agents fill them is the second step (`placing.py`).
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from outrider.agents.matching import Matching
from outrider.agents.model import SessionId
from outrider.agents.placing import fill
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.ids import TaskId
from outrider.licences.levels import COMMON, limits_of, use
from outrider.licences.model import NESTED_KINDS, LicenceKind, Policy


class Why(enum.StrEnum):
    """Why an agent is left free."""

    NO_JOB = "no_job"
    CAMPAIGNS = "campaigns"
    SKILLS = "skills"
    MAXIMUM = "maximum"
    SEATS = "seats"
    WAITING = "waiting"
    """The task waits for its whole minimum (licensing.md 4.1)."""


URGENCY = {why: rank for rank, why in enumerate((Why.SEATS, Why.WAITING, Why.MAXIMUM))}
"""What an agent is told first when several jobs want it: what licences could mend."""


@dataclass(frozen=True, slots=True)
class LeftFree:
    """Why an agent has no job: in words, and the task and the seat limit that stand in the way."""

    why: Why
    reason: str
    task_id: TaskId | None = None
    limit: tuple[LicenceKind, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Dealt:
    """Agents by task, the most proficient first; who is left free and why; tasks that wait.

    `asking` is what each task asks the licences for: its agents, or for one that waits the least it starts
    with (`tasks.asking`). With it as need, `share` gives every task as many units as it was dealt agents.
    """

    agents: Mapping[TaskId, tuple[SessionId, ...]]
    left: Mapping[SessionId, LeftFree]
    waiting: tuple[TaskId, ...]
    asking: Mapping[TaskId, int]

    def task_of(self) -> dict[SessionId, TaskId]:
        """Return the task of every agent that was dealt to one."""
        return {agent: task for task, agents in self.agents.items() for agent in agents}


def deal(
    pool: Mapping[LicenceKind, int],
    tasks: Sequence[WorkingTask],
    agents: Sequence[WorkingAgent],
    policy: Policy = Policy.WEIGHTED,
) -> Dealt:
    """Deal `agents` to `tasks` (agent kinds, admitted or waiting) under the pool's counts.

    The order of the input does not matter, and dealing a result again moves nobody. An agent changes places
    only when somebody could not be served otherwise. No agent is left free who may work for a task that is
    below its maximum and whose seat fits.
    """
    dealing = _Dealing(pool, tasks, agents, policy)
    dealing.serve_minimums()
    dealing.serve_needs()
    placed = fill(dealing.tasks, dealing.agents, dealing.eligible, dealing.sequence)
    counts, waiting = dealing.counts, dealing.waiting
    taken = {agent for members in placed.values() for agent in members}
    return Dealt(
        agents=placed,
        left={each.id: dealing.left_free(each) for each in dealing.agents if each.id not in taken},
        waiting=tuple(task.id for place, task in enumerate(dealing.tasks) if place in waiting),
        asking={task.id: waiting.get(place, counts[place]) for place, task in enumerate(dealing.tasks)},
    )


class _Dealing:
    """One dealing on its way: how many agents every task has so far, by its place in the order of 4.1."""

    def __init__(
        self,
        pool: Mapping[LicenceKind, int],
        tasks: Sequence[WorkingTask],
        agents: Sequence[WorkingAgent],
        policy: Policy,
    ) -> None:
        self.tasks = sorted(tasks, key=lambda task: (-task.priority, task.started, str(task.id)))
        self.agents = sorted(agents, key=lambda agent: agent.id)
        self.counts = [0] * len(self.tasks)
        self.waiting: dict[int, int] = {}
        """place of a newcomer that waits -> the units that it would start with."""
        self.sequence: list[int] = []
        """Places in the order in which units were dealt."""
        self._strict = policy is Policy.STRICT
        self._seats = limits_of([pool.get(kind, 0) for kind in NESTED_KINDS], None)
        self._room = [min(limit, len(self.agents)) for limit in self._seats]
        self._depths = [NESTED_KINDS.index(task.kind) for task in self.tasks]
        self.eligible = [
            tuple(place for place, task in enumerate(self.tasks) if agent.may_work_for(task))
            for agent in self.agents
        ]
        self._matching = Matching(self.eligible)

    def serve_minimums(self) -> None:
        """Deal minimums: running tasks each what is there, then newcomers the whole or nothing (4.1).

        A minimum is a right on demand: nobody has a right to more agents than may work for the task (3).
        """
        rights = [
            min(task.minimum, sum(place in may for may in self.eligible))
            for place, task in enumerate(self.tasks)
        ]
        for place, task in enumerate(self.tasks):
            if task.running:
                self._serve_up_to(place, rights[place])
        for place, task in enumerate(self.tasks):
            if not task.running:
                if rights[place] > max(0, self._fits(place)):
                    self.waiting[place] = rights[place]
                else:
                    self._serve_up_to(place, rights[place])

    def serve_needs(self) -> None:
        """Deal what is left, unit by unit, each to the task with the smallest key (4.2)."""
        heap = [(self._key(place), place) for place in range(len(self.tasks)) if place not in self.waiting]
        heapify(heap)
        while heap:
            _, place = heappop(heap)
            # A task that cannot be served now never can be: limits only fill, agents only go.
            if self.counts[place] < self.tasks[place].maximum and self._serve(place):
                heappush(heap, (self._key(place), place))

    def left_free(self, agent: WorkingAgent) -> LeftFree:
        """Return why an agent was dealt to no task."""
        if not self.tasks:
            return LeftFree(Why.NO_JOB, "no job with agents is running")
        may = [place for place, task in enumerate(self.tasks) if agent.may_work_for(task)]
        if not may:
            if any(agent.has_skills(task) for task in self.tasks):
                return LeftFree(Why.CAMPAIGNS, "no job of the campaigns you work for is running")
            return LeftFree(Why.SKILLS, "no job wants your skills")
        return min((self._stands_in_the_way(place) for place in may), key=lambda left: URGENCY[left.why])

    def _stands_in_the_way(self, place: int) -> LeftFree:
        """Return why a task takes nobody more."""
        task = self.tasks[place]
        if place in self.waiting:
            reason = f"job {task.label} waits: its minimum of {self.waiting[place]} agents does not fit"
            return LeftFree(Why.WAITING, reason, task.id, size=self.waiting[place])
        if self.counts[place] >= task.maximum:
            reason = f"job {task.label} is at its maximum of {task.maximum}"
            return LeftFree(Why.MAXIMUM, reason, task.id, size=task.maximum)
        depth = self._depths[place]
        full = next((at for at in range(depth, len(NESTED_KINDS)) if self._seats_left(at) <= 0), depth)
        limit, size = NESTED_KINDS[: full + 1], self._seats[full]
        return LeftFree(Why.SEATS, _no_seat(limit, size), task.id, limit, size)

    def _seats_left(self, limit: int) -> int:
        pairs = zip(self._depths, self.counts, strict=True)
        return self._seats[limit] - sum(count for depth, count in pairs if depth <= limit)

    def _serve_up_to(self, place: int, units: int) -> None:
        while self.counts[place] < units and self._serve(place):
            pass

    def _serve(self, place: int) -> bool:
        """Deal one more agent to a task; False when no seat fits or nobody may be had for it."""
        if self._fits(place) <= 0 or not self._matching.serve(place):
            return False
        use(self._room, self._depths[place], 1)
        self.counts[place] += 1
        self.sequence.append(place)
        return True

    def _fits(self, place: int) -> int:
        return min(self._room[self._depths[place] :])

    def _key(self, place: int) -> tuple[int, int, float, str]:
        task, unit = self.tasks[place], self.counts[place] + 1
        if self._strict:
            return -task.priority, unit, task.started, str(task.id)
        return unit * COMMON // task.priority, -task.priority, task.started, str(task.id)


def _no_seat(limit: Sequence[LicenceKind], size: int) -> str:
    names = [kind.value.removesuffix("_agents") for kind in limit]
    joined = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    if not size:
        return f"no seat: there is no {joined} licence here"
    return f"no seat: {size} of {size} {joined} seats are in use"
