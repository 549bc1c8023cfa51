"""Builds the FastAPI app around the routers of all slices.

`outrider/app.py` and the tests call `create_app`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from outrider import __version__
from outrider.people import api as people_api
from outrider.web import errors, health, sse
from outrider.web.access import EdgeServices
from outrider.web.assets import Assets
from outrider.web.middleware import RequestMetrics, SecurityHeaders
from outrider.web.pages import documentation, people, session
from outrider.web.plain_text import refuse_unstorable

BODY_LIMIT = 1 << 20
"""Bytes. Endpoints that take uploads state their own `max_body_size`."""

SHELL = (people_api.router, sse.router, health.router, documentation.router, session.router, people.router)
"""What every app serves, whatever its slices."""

FAILURE: dict[str, Any] = {
    "description": "A problem document (RFC 9457). `code` is stable; `problems` lists places in the input.",
    "content": {
        errors.PROBLEM_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "problems": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
                        },
                    },
                },
            }
        }
    },
}
"""What the OpenAPI document says of every answer that is not a success."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    edge: EdgeServices, routers: Sequence[APIRouter], *, lifespan: Lifespan | None = None
) -> FastAPI:
    """Return the app that serves `routers`, the shell's own endpoints, and static files.

    `lifespan` may start and stop further parts with the server; event streams are closed before its end.
    """

    @asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            edge.news.close()

    app = FastAPI(
        title="Outrider",
        version=__version__,
        summary="Campaigns that share a limited number of licences, exactly and explained.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=whole_life,
        dependencies=[Depends(refuse_unstorable)],
        generate_unique_id_function=_operation_name,
        responses={422: FAILURE, "default": FAILURE},
    )
    app.state.edge = edge
    for router in (*SHELL, *(each for each in routers if each not in SHELL)):
        app.include_router(router, max_body_size=BODY_LIMIT)
    app.mount("/static", Assets(), name="static")
    # The last one added sees the request first.
    errors.install(app)
    app.add_middleware(RequestMetrics, metrics=edge.metrics)
    app.add_middleware(SecurityHeaders)
    return app


def _operation_name(route: APIRoute) -> str:
    tag = str(route.tags[0]) if route.tags else "web"
    return f"{tag}_{route.name}"
