"""SQL of the demo's report: the samples that the monitor kept, unthinned, and attempts one by one.

`collecting` and the demo over real servers use it; all else that is shown comes from the services.
"""

from collections import Counter
from collections.abc import Sequence

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


def outcomes_by_address(tx: Tx, kind: LicenceKind) -> Counter[tuple[str, str, str]]:
    """Count the attempts of tasks of a kind by address, outcome and disposition; "" where there is none."""
    A, T = schema.attempts.c, schema.tasks.c  # noqa: N806 - as above
    query = (
        select(A.address, A.outcome, A.disposition)
        .join(schema.tasks, T.id == A.task_id)
        .where(T.kind == kind.value)
    )
    return Counter((row.address, row.outcome or "", row.disposition or "") for row in tx.execute(query))
