"""Every failure of a request becomes problem+json, or a page where a person is looking.

`create_app` calls `install`. No traceback leaves the server: an unexpected error is logged under an incident
id, and the id is all that the caller sees.
"""

import json
import secrets
import traceback
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outrider.errors import OutriderError
from outrider.web import problems
from outrider.web.access import MUST_CHANGE_PASSWORD, recognise
from outrider.web.pages import local_address, problem_page
from outrider.web.problems import Problem

log = structlog.stdlib.get_logger(__name__)

PROBLEM_TYPE = "application/problem+json"
SEE_OTHER = 303
BEGINNINGS = frozenset(
    {"http.response.start", "websocket.accept", "websocket.close", "websocket.http.response.start"}
)
"""ASGI messages after which a request cannot be answered otherwise any more."""
UNEXPECTED = 1011
"""The code with which a websocket is closed that met an incident (RFC 6455, 7.4.1)."""


def install(app: FastAPI) -> None:
    """Register the handlers on `app`, and the net under them."""
    app.add_exception_handler(OutriderError, _outrider_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(Incidents)


def answer(request: Request, found: Problem) -> Response:
    """Return the response to a problem: JSON for programs and htmx, a page or a redirect for people."""
    if request.scope["type"] != "http":
        # A websocket that is not opened: its request is answered as any other.
        return _document(found)
    page = wants_page(request)
    sign_in = f"/sign-in?next={local_address(request)}"
    target = ""
    if found.code == "not_authenticated":
        target = sign_in
    elif found.facts.get("reason") == MUST_CHANGE_PASSWORD:
        target = "/password"
    if target and page:
        return RedirectResponse(target, SEE_OTHER)
    response = problem_page(request, found) if page else _document(found)
    response.headers.update(found.headers)
    if target and "hx-request" in request.headers:
        response.headers["HX-Redirect"] = target
    return response


def _document(found: Problem) -> Response:
    body = json.dumps(found.document(), default=jsonable_encoder)
    return Response(body, found.status, dict(found.headers), media_type=PROBLEM_TYPE)


def wants_page(request: Request) -> bool:
    """Return whether a person's browser is asking for a page, rather than a program or a script."""
    headers = request.headers
    return (
        not request.url.path.startswith("/api/")
        and "hx-request" not in headers
        and "text/html" in headers.get("accept", "")
    )


async def _outrider_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, OutriderError):
        raise error
    return answer(request, problems.of_error(error))


async def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return answer(request, problems.of_validation(error.errors()))


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    details = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not possible at {request.url.path}",
    }
    if wants_page(request):
        await recognise(request, request.app.state.edge)
    default = str(error.detail)
    stated = error.status_code not in details or default not in {"Not Found", "Method Not Allowed"}
    detail = default if stated else details[error.status_code]
    return answer(request, problems.of_status(error.status_code, detail, error.headers))


class Incidents:
    """Catches what no handler expects; as ASGI middleware, so that the server never sees the exception."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 with an incident id (or 422 for numbers no database holds).

        So for websockets too, until they are accepted.
        """
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        begun = replaced = False

        async def checked_send(message: Message) -> None:
            nonlocal begun, replaced
            begun = begun or message["type"] in BEGINNINGS
            if message["type"] == "http.response.start":
                replaced = _is_plain_refusal(message)
                if replaced:
                    found = problems.problem("too_large", "the body is larger than this endpoint takes")
                    await answer(Request(scope, receive), found)(scope, receive, send)
            if not replaced:
                await send(message)

        try:
            await self.app(scope, receive, checked_send)
        except Exception as error:
            found = _of_unexpected(HTTPConnection(scope), error)
            if begun:
                raise
            if scope["type"] == "http":
                await answer(Request(scope, receive), found)(scope, receive, send)
            elif "websocket.http.response" in scope.get("extensions", {}):
                await _document(found)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": UNEXPECTED})


def _is_plain_refusal(message: Message) -> bool:
    # The framework refuses bodies that are too large by itself, with three words of plain text.
    headers = dict(message["headers"])
    refused = bool(message["status"] == problems.TABLE["too_large"][0])
    return refused and headers.get(b"content-type", b"").startswith(b"text/plain")


def _of_unexpected(request: HTTPConnection, error: Exception) -> Problem:
    if _is_out_of_range(error):
        return problems.problem(
            "invalid_input", "a number is beyond what can be stored (64 bits); send a smaller one"
        )
    incident = secrets.token_hex(4)
    unreachable = type(error).__name__ == "OperationalError"
    # As text: renderers of exceptions like to add local variables, among which are passwords.
    trace = "".join(traceback.format_exception(error))
    # A websocket's handshake is a GET.
    method = request.scope.get("method", "GET")
    log.error("request failed", incident=incident, method=method, path=request.url.path, exception=trace)
    if unreachable:
        return problems.problem(
            "store",
            f"the database did not answer; try again in a moment (incident {incident} in the log)",
            {"incident": incident},
            {"Retry-After": "5"},
        )
    return problems.problem(
        "incident",
        f"the server failed to do this; the incident {incident} is in its log, tell your administrator",
        {"incident": incident},
    )


def _is_out_of_range(error: Exception) -> bool:
    # The SQLite driver raises OverflowError itself; PostgreSQL's class 22 is "data exception".
    state: Any = getattr(getattr(error, "orig", None), "sqlstate", None)
    return str(state or "").startswith("22003") or (
        isinstance(error, OverflowError) and "too large to convert" in str(error)
    )
