"""The history of recalculations, pool by pool: when, why, and who had how much before and after.

`app.py` includes `router` (licensing.md 8: every recalculation is kept).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from outrider.licences import division_store, history
from outrider.web.access import Edge, Viewer
from outrider.web.pages.console import show

router = APIRouter(include_in_schema=False)

PAGE = 25
LARGEST_ID = 2**63 - 1
Id = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]


@router.get("/history")
async def show_history(
    request: Request, edge: Edge, caller: Viewer, pool: Id = None, before: Id = None, task: Id = None
) -> HTMLResponse:
    """Show the recalculations of a pool (by default the first one), newest first, `before` a record."""
    rows = [
        row
        for row in await edge.database.read(division_store.pools)
        if caller.organization_id in {None, row.organization_id}
    ]
    chosen = pool if pool is not None else next((row.id for row in rows), None)
    found = None
    if chosen is not None:
        found = await edge.database.read(
            history.recalculations, chosen, caller.organization_id, before=before, limit=PAGE, task_id=task
        )
    return await show(
        request, edge, "history.html", pools=rows, chosen=chosen, found=found, before=before, task=task
    )
