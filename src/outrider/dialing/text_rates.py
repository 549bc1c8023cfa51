"""How the limited rate of the message centres is shared among the SMS tasks that run at once. Pure.

The worker asks it about once a second. SMS is a gate, not a counted licence; where a rate is set, it is
shared by the rules of licensing.md 4: proportional to priority, in whole messages per minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outrider.ids import TaskId
from outrider.licences.model import LARGEST_COUNT, LicenceKind, Problem, TaskShare
from outrider.licences.share import share

MINUTE = 60


@dataclass(frozen=True, slots=True)
class TextTask:
    """One SMS task that runs: `pace` is its own limit in messages per second, None: as fast as it may."""

    task_id: TaskId
    priority: int
    started: float
    pace: float | None = None


def share_rate(per_second: float, tasks: Sequence[TextTask]) -> dict[TaskId, float]:
    """Return how many messages per second each task may send, by id; together no more than `per_second`.

    What a task cannot use because of its own pace goes to the others. More tasks than messages per minute:
    the least important ones have to wait, with 0.
    """
    minute = int(per_second * MINUTE)
    shares = tuple(
        TaskShare(
            id=str(task.task_id),
            kind=LicenceKind.OUTBOUND_PORTS,
            minimum=0,
            maximum=LARGEST_COUNT,
            priority=task.priority,
            need=minute if task.pace is None else min(minute, max(1, int(task.pace * MINUTE))),
            started=task.started,
        )
        for task in tasks
    )
    quotas = share(Problem({LicenceKind.OUTBOUND_PORTS: minute}, shares)).quotas
    return {task.task_id: quotas[str(task.task_id)] / MINUTE for task in tasks}
