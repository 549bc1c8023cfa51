"""Static files with the hash of their content in the address, so that browsers may keep them for ever.

`templates/` link them with `asset("app.css")`; `create_app` serves them at /static.
"""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def asset(name: str) -> str:
    """Return the address of a static file, with its version; FileNotFoundError when there is none."""
    return f"/static/{name}?v={hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"


class Assets(StaticFiles):
    """Serves the folder; an address with a version may be cached for ever, others must be checked."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file, and with how long it may be kept."""
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = FOR_EVER if versioned else "no-cache"
        return response
