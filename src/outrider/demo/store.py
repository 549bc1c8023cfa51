"""SQL of the demo's report: the samples that the monitor kept, unthinned, attempts and agents one by one.

`collecting` and the demo over real servers use it; all else that is shown comes from the services.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.demo.series import Sample
from outrider.licences.model import LicenceKind


def samples(tx: Tx, task_ids: Sequence[int]) -> dict[int, list[Sample]]:
    """Return all samples of these tasks, oldest first."""
    S = schema.samples.c  # noqa: N806 - a table's columns, as elsewhere
    query = (
        select(S.task_id, S.at, S.quota, S.granted, S.in_use)
        .where(S.task_id.in_(task_ids))
        .order_by(S.task_id, S.at)
    )
    found: dict[int, list[Sample]] = {task_id: [] for task_id in task_ids}
    for row in tx.execute(query):
        found[row.task_id].append(Sample(row.at, row.quota, row.granted, row.in_use))
    return found


def calls_of(tx: Tx, server_id: int) -> int:
    """Return how many calls were placed on a media server."""
    A = schema.attempts.c  # noqa: N806 - as above
    return int(tx.execute(select(func.count()).where(A.server_id == server_id)).scalar_one())


@dataclass(frozen=True, slots=True)
class Talk:
    """One answered call that an agent took; `ended_at` is the end of the call, None while it is up."""

    attempt_id: str
    contact_id: int
    agent_id: int
    joined_at: dt.datetime
    ended_at: dt.datetime | None
    code: str


@dataclass(frozen=True, slots=True)
class Change:
    """An agent was in state `after` from `at` on, in one session; `attempt_id` is the contact's in hand."""

    session_id: int
    agent_id: int
    at: dt.datetime
    after: str
    attempt_id: str | None


def talks(tx: Tx, task_id: int) -> list[Talk]:
    """Return the talks of a task's agents in the order in which they began."""
    A = schema.attempts.c  # noqa: N806 - as above
    query = (
        select(A.id, A.contact_id, A.agent_id, A.joined_at, A.ended_at, A.disposition)
        .where(A.task_id == task_id, A.agent_id.is_not(None), A.joined_at.is_not(None))
        .order_by(A.joined_at, A.id)
    )
    return [
        Talk(row.id, row.contact_id, row.agent_id, row.joined_at, row.ended_at, row.disposition or "")
        for row in tx.execute(query)
    ]


def changes(tx: Tx) -> list[Change]:
    """Return every change of state of every agent, oldest first within each session."""
    H = schema.agent_transitions.c  # noqa: N806 - as above
    query = select(H.session_id, H.agent_id, H.at, H.after, H.attempt_id).order_by(H.session_id, H.id)
    return [
        Change(row.session_id, row.agent_id, row.at, row.after, row.attempt_id) for row in tx.execute(query)
    ]


def outcomes_by_address(tx: Tx, kind: LicenceKind) -> Counter[tuple[str, str, str]]:
    """Count the attempts of tasks of a kind by address, outcome and disposition; "" where there is none."""
    A, T = schema.attempts.c, schema.tasks.c  # noqa: N806 - as above
    query = (
        select(A.address, A.outcome, A.disposition)
        .join(schema.tasks, T.id == A.task_id)
        .where(T.kind == kind.value)
    )
    return Counter((row.address, row.outcome or "", row.disposition or "") for row in tx.execute(query))
