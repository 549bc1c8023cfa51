"""REST for pools: /api/pools, why their tasks have what they have, and the history of recalculations.

`app.py` includes `router`. Numbers and files come in through `supply/api.py`, what-if through `jobs/api.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from outrider.licences import explaining, history
from outrider.licences.explained import ExplainedPool, RecalculationPage
from outrider.licences.service import SharingRules
from outrider.web.access import Edge, RowId, Viewer

router = APIRouter(prefix="/api", tags=["licences"])

LARGEST_ID = 2**63 - 1


@router.get("/pools/{pool_id}/recalculations")
async def list_recalculations(
    pool_id: RowId,
    edge: Edge,
    caller: Viewer,
    task: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Caused by this task.")] = None,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RecalculationPage:
    """List the recalculations of a pool, newest first: when, why, and who had what before and after."""
    return await edge.database.read(
        history.recalculations, pool_id, caller.organization_id, before=before, limit=limit, task_id=task
    )


@router.get("/pools/{pool_id}/why")
async def explain_pool(pool_id: RowId, edge: Edge, caller: Viewer) -> ExplainedPool:
    """Explain every task of a pool: what it has, why, and why not more."""
    return await edge.database.read(
        explaining.why_pool, edge.part(SharingRules), pool_id, caller.organization_id, edge.clock.now()
    )
