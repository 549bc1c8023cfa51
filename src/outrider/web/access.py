"""Who is calling, and what the server offers to endpoints: the dependencies of every `*/api.py` and page.

`Viewer`, `Supervisor`, `Administrator` and `SystemAdministrator` are annotations that give a `Caller` or end
the request with 401 or 403. `Edge` gives database, clock, settings and the other parts of the program.
"""

import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import AfterValidator, StringConstraints
from starlette.requests import HTTPConnection

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import NotAllowedError, NotAuthenticatedError, OutriderError
from outrider.observe import Metrics
from outrider.people import service
from outrider.people.model import Caller, Credential, Role
from outrider.people.throttle import SignInThrottle
from outrider.settings import Settings
from outrider.web.news import News

__all__ = [
    "Administrator",
    "AnyUser",
    "Caller",
    "Edge",
    "EdgeServices",
    "Role",
    "RowId",
    "Supervisor",
    "SystemAdministrator",
    "Text",
    "Text80",
    "Viewer",
]

SESSION_COOKIE = "outrider_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MUST_CHANGE_PASSWORD = "change_password"  # noqa: S105 - a reason, not a secret

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class EdgeServices:
    """What endpoints may use. `app.py` makes one and gives it to `create_app`."""

    database: Database
    clock: Clock
    data_folder: FilePath
    settings: Settings
    news: News
    metrics: Metrics = field(default_factory=Metrics)
    throttle: SignInThrottle = field(default_factory=SignInThrottle)
    parts: Mapping[type, object] = field(default_factory=dict)
    """Further parts by their type, for slices that the web shell does not know."""

    def part(self, kind: type[T]) -> T:
        """Return the part of that type; LookupError names the type when the program has none."""
        found = self.parts.get(kind)
        if isinstance(found, kind):
            return found
        raise LookupError(f"this program was composed without a {kind.__name__}")


def _edge(request: Request) -> EdgeServices:
    edge = request.app.state.edge
    if isinstance(edge, EdgeServices):
        return edge
    raise LookupError("the app has no EdgeServices; make it with create_app")


Edge = Annotated[EdgeServices, Depends(_edge)]


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


RowId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The record's number.")]
"""A record's id in a path: what no 64-bit key can be is refused with 422."""

Text = Annotated[str, AfterValidator(_no_nul)]
"""Any text that a database can store."""

Text80 = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_no_nul)
]
"""A name: 1 to 80 characters without surrounding blanks."""

_cookie = APIKeyCookie(
    name=SESSION_COOKIE, scheme_name="session", auto_error=False, description="Set by POST /api/session."
)
_bearer = HTTPBearer(scheme_name="token", auto_error=False, description="An API token.")


async def authenticate(request: HTTPConnection, edge: EdgeServices) -> Credential:
    """Return who is calling, by bearer token or session cookie, once per request.

    NotAuthenticatedError when neither is valid. Renews the session and notes the token's use.
    """
    known = getattr(request.state, "credential", None)
    if isinstance(known, Credential):
        return known
    now = edge.clock.now()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        credential = await authenticate_token(edge, token.strip())
    elif secret := request.cookies.get(SESSION_COOKIE, ""):
        credential, stale = await edge.database.read(service.authenticate_session, now, secret)
        if stale:
            await edge.database.write(service.renew_session, now, secret)
    else:
        raise NotAuthenticatedError("sign in first, or send an API token as Authorization: Bearer or_...")
    request.state.credential = credential
    return credential


async def authenticate_token(edge: EdgeServices, token: str) -> Credential:
    """Return whose API token this is, and note its use. NotAuthenticatedError."""
    now = edge.clock.now()
    credential, used = await edge.database.read(service.authenticate_token, now, token)
    if used is not None:
        await edge.database.write(service.note_token_use, now, used)
    return credential


async def recognise(request: Request, edge: EdgeServices) -> None:
    """Find out who is calling where it does not matter, so that a page may show its navigation."""
    with suppress(OutriderError):
        await authenticate(request, edge)


async def check_csrf(request: Request, credential: Credential) -> None:
    """NotAllowedError when a browser's unsafe request does not prove that one of our pages sent it."""
    if request.method in SAFE_METHODS or not credential.is_session:
        return
    sent: object = request.headers.get(CSRF_HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(FORM_TYPES):
        sent = (await request.form()).get(CSRF_FIELD)
    if not isinstance(sent, str) or not secrets.compare_digest(
        sent.encode(errors="replace"), credential.csrf_token.encode()
    ):
        raise NotAllowedError(
            "the CSRF token is missing or wrong; reload the page, or send csrf_token of GET /api/session "
            "as the header X-CSRF-Token"
        )


async def _signed_in(
    request: Request,
    edge: Edge,
    _session: Annotated[str | None, Depends(_cookie)],
    _token: Annotated[Any, Depends(_bearer)],
) -> Credential:
    credential = await authenticate(request, edge)
    await check_csrf(request, credential)
    return credential


SignedIn = Annotated[Credential, Depends(_signed_in)]
"""Whoever proved who it is, even if the password must still be changed."""


def _at_least(role: Role) -> Callable[..., Coroutine[Any, Any, Caller]]:
    async def allowed(credential: SignedIn) -> Caller:
        if credential.must_change_password:
            raise NotAllowedError(
                "change your one-time password first: POST /api/session/password", reason=MUST_CHANGE_PASSWORD
            )
        credential.caller.require(role)
        return credential.caller

    return allowed


AnyUser = Annotated[Caller, Depends(_at_least(Role.AGENT))]
"""For what everybody may do about oneself, agents too; everything else is closed to agents."""

Viewer = Annotated[Caller, Depends(_at_least(Role.VIEWER))]
Supervisor = Annotated[Caller, Depends(_at_least(Role.SUPERVISOR))]
Administrator = Annotated[Caller, Depends(_at_least(Role.ADMINISTRATOR))]


async def _of_the_system(caller: Administrator) -> Caller:
    if not caller.is_system_administrator:
        raise NotAllowedError("only an administrator of the whole system may do this", needed="system")
    return caller


SystemAdministrator = Annotated[Caller, Depends(_of_the_system)]
"""For zones, organizations, licence files and common lists."""
