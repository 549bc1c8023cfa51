"""/api/asyncapi.json: the document of the Agent Web API's websocket, beside /api/openapi.json for HTTP."""

from functools import cache
from typing import Any

from fastapi import APIRouter

from outrider import __version__
from outrider.agents import asyncapi
from outrider.agents.desk_conversation_api import CLOSE_CODES

router = APIRouter(prefix="/api", include_in_schema=False)


@router.get("/asyncapi.json")
async def show_asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document."""
    return made()


@cache
def made() -> dict[str, Any]:
    """Return the document of this release."""
    return asyncapi.document(__version__, CLOSE_CODES)
