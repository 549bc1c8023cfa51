"""Which agents fill the units that tasks were dealt: who is there stays, the better come first. Pure.

Only `dealing.py` uses it. When a task has more agents than units, the least proficient leave it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from outrider.agents.model import SessionId
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.ids import TaskId


def fill(
    tasks: Sequence[WorkingTask],
    agents: Sequence[WorkingAgent],
    eligible: Sequence[Sequence[int]],
    sequence: Sequence[int],
) -> dict[TaskId, tuple[SessionId, ...]]:
    """Return the agents of every task, the most proficient first.

    `eligible` has the places of the tasks that each agent may work for, `sequence` places of tasks in the
    order in which units were dealt; together they can be filled. Agents stay where they are as far as their
    task has units; free ones fill the rest in order, and where nobody free may, somebody changes places.
    """
    filling = _Filling(tasks, agents, eligible)
    filling.keep(Counter(sequence))
    seen: Counter[int] = Counter()
    missing = []
    for place in sequence:
        seen[place] += 1
        if seen[place] > len(filling.members[place]) and not filling.add_free(place):
            missing.append(place)
    for place in missing:
        filling.add_by_changing(place)
    placed = {}
    for place, task in enumerate(tasks):
        members = sorted(filling.members[place], key=filling.best_for(place))
        placed[task.id] = tuple(agents[each].id for each in members)
    return placed


class _Filling:
    """Places of agents by the place of their task, and who is free."""

    def __init__(
        self, tasks: Sequence[WorkingTask], agents: Sequence[WorkingAgent], eligible: Sequence[Sequence[int]]
    ) -> None:
        self.members: list[set[int]] = [set() for _ in tasks]
        self._tasks, self._agents = tasks, agents
        self._may = [frozenset(places) for places in eligible]
        self._free = set(range(len(agents)))
        self._queues: dict[int, list[int]] = {}

    def best_for(self, place: int) -> "_Best":
        """Return the order of agents for a task: the more proficient, then who fits fewer tasks, then id."""
        return _Best(self._tasks[place], self._agents, self._may)

    def keep(self, units: Mapping[int, int]) -> None:
        """Leave attached agents where they are, as many as the task has units, the most proficient."""
        places = {task.id: place for place, task in enumerate(self._tasks)}
        there: dict[int, list[int]] = {}
        for each, agent in enumerate(self._agents):
            place = None if agent.task_id is None else places.get(agent.task_id)
            if place is not None and place in self._may[each]:
                there.setdefault(place, []).append(each)
        for place, members in there.items():
            best = self.best_for(place)
            members.sort(key=lambda each, best=best: (not self._agents[each].pinned, best(each)))  # type: ignore[misc]
            kept = members[: units.get(place, 0)]
            self.members[place].update(kept)
            self._free.difference_update(kept)

    def add_free(self, place: int) -> bool:
        """Give a task the best free agent who may work for it; False when there is none."""
        if place not in self._queues:
            able = [each for each in self._free if place in self._may[each]]
            self._queues[place] = sorted(able, key=self.best_for(place), reverse=True)
        queue = self._queues[place]
        while queue:
            each = queue.pop()
            if each in self._free:
                self._free.discard(each)
                self.members[place].add(each)
                return True
        return False

    def add_by_changing(self, place: int) -> None:
        """Give a task one more agent by letting others change places; the shortest way to somebody free."""
        came_from: dict[int, int | None] = {place: None}
        queue = [place]
        for at in queue:
            able = [each for each in self._free if at in self._may[each]]
            if able:
                self._change(at, min(able, key=self.best_for(at)), came_from)
                return
            for other, members in enumerate(self.members):
                if other not in came_from and any(at in self._may[each] for each in members):
                    came_from[other] = at
                    queue.append(other)
        raise RuntimeError(f"task {self._tasks[place].id} was dealt more agents than can work for it")

    def _change(self, at: int, newcomer: int, came_from: Mapping[int, int | None]) -> None:
        self._free.discard(newcomer)
        self.members[at].add(newcomer)
        while (before := came_from[at]) is not None:
            able = [each for each in self.members[at] if before in self._may[each] and each != newcomer]
            leaves = max(able, key=self.best_for(at))
            self.members[at].discard(leaves)
            self.members[before].add(leaves)
            at, newcomer = before, leaves


class _Best:
    """Orders agents for a task; smaller is better."""

    def __init__(
        self, task: WorkingTask, agents: Sequence[WorkingAgent], may: Sequence[frozenset[int]]
    ) -> None:
        self._task, self._agents, self._may = task, agents, may

    def __call__(self, each: int) -> tuple[int, int, int]:
        """Return the key of an agent's place."""
        agent = self._agents[each]
        return -agent.proficiency(self._task), len(self._may[each]), int(agent.id)
