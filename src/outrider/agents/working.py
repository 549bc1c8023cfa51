"""Agents and tasks as dealing sees them. Pure.

`seats.rebalance` reads them from the rows; `dealing.py` and `placing.py` work with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.agents.model import SessionId
from outrider.ids import TaskId
from outrider.licences.model import LicenceKind


@dataclass(frozen=True, slots=True)
class WorkingTask:
    """A task that wants agents. `skills` are the least proficiencies that it asks for; `label` names it.

    `started` orders age, smaller is older; `running` tasks are served before newcomers (licensing.md 4.1).
    """

    id: TaskId
    label: str
    kind: LicenceKind
    minimum: int
    maximum: int
    priority: int
    campaign_id: int = 0
    started: float = 0
    running: bool = True
    skills: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkingAgent:
    """An agent who can be used. `campaigns` are the only ones it works for, empty: any.

    `task_id` is where it is attached. `pinned`: a supervisor put it there, so it works for no other task.
    """

    id: SessionId
    skills: Mapping[str, int] = field(default_factory=dict)
    campaigns: tuple[int, ...] = ()
    task_id: TaskId | None = None
    pinned: bool = False

    def may_work_for(self, task: WorkingTask) -> bool:
        """Return whether it has every skill that the task asks for, and prefers no other campaigns."""
        if self.pinned:
            return self.task_id == task.id
        if self.campaigns and task.campaign_id not in self.campaigns:
            return False
        return self.has_skills(task)

    def has_skills(self, task: WorkingTask) -> bool:
        """Return whether it is as proficient as the task asks for, in every skill."""
        return all(self.skills.get(skill, 0) >= least for skill, least in task.skills.items())

    def proficiency(self, task: WorkingTask) -> int:
        """Return how good it is for a task: the sum over the skills that the task asks for."""
        return sum(self.skills.get(skill, 0) for skill in task.skills)
