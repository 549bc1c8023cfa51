"""SQL of the demo's report: the samples that the monitor kept, unthinned.

Only `collecting` uses it; everything else that the report shows comes from the services.
"""

from collections.abc import Sequence

from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.demo.series import Sample


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
