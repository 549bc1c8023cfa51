"""For those who watch the server: /healthz (alive), /readyz (able to work), /metrics (Prometheus)."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from outrider.db.database import Tx
from outrider.db.migrate import MIGRATIONS
from outrider.errors import StoreError
from outrider.web.access import Edge

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer as long as the process can answer."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not able to work; `detail` says why."}})
async def ready(edge: Edge) -> JSONResponse:
    """Answer 200 when the database can be read and has the schema of this version, 503 otherwise."""
    if edge.news.closed:
        return _not_ready("the server is about to stop")
    try:
        current = await edge.database.read(_is_current)
    except StoreError as error:
        return _not_ready(error.message)
    if not current:
        return _not_ready("the database has not the schema of this version; run: outrider migrate")
    return JSONResponse({"status": "ready"})


def _is_current(tx: Tx) -> bool:
    return MigrationContext.configure(tx).get_current_revision() == _newest_revision()


@cache
def _newest_revision() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _not_ready(detail: str) -> JSONResponse:
    return JSONResponse({"status": "not ready", "detail": detail}, 503)


@router.get("/metrics", response_class=Response)
async def metrics(edge: Edge) -> Response:
    """Return counters and gauges in the Prometheus text format."""
    return Response(await run_in_threadpool(edge.metrics.render), media_type=CONTENT_TYPE_LATEST)
