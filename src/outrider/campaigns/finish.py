"""When a job is finished before its contacts are: by count of outcomes or dispositions, or by time. Pure.

Jobs ask `finished` after every batch of results and `deadline` when they start; the first that holds ends it.
"""

import datetime as dt
from collections.abc import Mapping

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import FinishCriteria, Strategy


def finished(
    strategy: Strategy,
    outcomes: Mapping[Outcome, int],
    dispositions: Mapping[str, int],
    started_at: dt.datetime,
    now: dt.datetime,
) -> str | None:
    """Return in words which criterion of a running job holds, or None.

    `outcomes` and `dispositions` count the contacts of the job that ended so. The goal comes first, then
    the counts in the document's order, then time.
    """
    goal, finish = strategy.goal, strategy.finish
    if goal is not None and outcomes.get(goal.outcome, 0) >= goal.count:
        return f"goal reached: {outcomes[goal.outcome]} {goal.outcome}"
    for outcome, count in finish.outcomes.items():
        if outcomes.get(outcome, 0) >= count:
            return f"finish criterion: {outcomes[outcome]} contacts ended {outcome}"
    for disposition, count in finish.dispositions.items():
        if dispositions.get(disposition, 0) >= count:
            return f"finish criterion: {dispositions[disposition]} contacts ended with {disposition}"
    end = deadline(finish, started_at)
    if end is not None and now >= end:
        return f"finish criterion: its time was over at {end.isoformat(timespec='seconds')}"
    return None


def deadline(finish: FinishCriteria, started_at: dt.datetime) -> dt.datetime | None:
    """Return when a job that started at `started_at` ends by time alone (aware), None: never."""
    ends = [] if finish.after is None else [started_at + dt.timedelta(seconds=finish.after)]
    return min([*ends, *([] if finish.at is None else [finish.at])], default=None)
