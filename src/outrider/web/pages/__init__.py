"""Server-rendered pages: `render` fills a template, `redirect` leads on after a form, with a message.

Every page module of `web/pages/` uses these; templates extend `base.html` and take macros from `ui.html`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from outrider import __version__
from outrider.people.model import Caller, Credential, Role
from outrider.web.assets import asset
from outrider.web.problems import Problem

FLASH_COOKIE = "outrider_message"
FLASH_SECONDS = 30
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the navigation, shown to callers whose role includes `role`.

    Those of the `platform` are for users of the whole system, not for those of one organization.
    """

    label: str
    address: str
    role: Role = Role.VIEWER
    platform: bool = False

    def is_for(self, caller: Caller) -> bool:
        """Return whether a caller may use it."""
        return caller.role.includes(self.role) and (not self.platform or caller.organization_id is None)


NAVIGATION: Sequence[NavigationItem] = (
    NavigationItem("Board", "/"),
    NavigationItem("Campaigns", "/campaigns"),
    NavigationItem("Contacts", "/contacts"),
    NavigationItem("Strategies", "/strategies"),
    NavigationItem("Agents", "/agents", Role.SUPERVISOR),
    NavigationItem("Callbacks", "/callbacks", Role.SUPERVISOR),
    NavigationItem("Completion codes", "/completion-codes"),
    NavigationItem("Licences", "/licences"),
    NavigationItem("Platform", "/platform"),
    NavigationItem("Channels", "/channels", Role.ADMINISTRATOR, platform=True),
    NavigationItem("Media servers", "/media", Role.ADMINISTRATOR, platform=True),
    NavigationItem("Speech", "/speech", Role.ADMINISTRATOR, platform=True),
    NavigationItem("History", "/history"),
    NavigationItem("Agent desktop", "/desktop", Role.AGENT),
    NavigationItem("Users", "/users", Role.ADMINISTRATOR),
)


def moment(value: dt.datetime | None) -> str:
    """Return a time as people read it, in UTC to the minute; "never" for None. A template filter."""
    return "never" if value is None else value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def count(value: int) -> str:
    """Return a whole number with thousands separated. A template filter."""
    return f"{value:,}"


templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals["asset"] = asset
templates.globals["version"] = __version__
templates.filters["moment"] = moment
templates.filters["count"] = count


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page or fragment made of `templates/{template}` and `context`.

    Templates also see `caller` (None before sign-in), `csrf_token`, `navigation`, `path`, and `message`.
    """
    credential = getattr(request.state, "credential", None)
    signed_in = isinstance(credential, Credential) and not credential.must_change_password
    caller = credential.caller if isinstance(credential, Credential) else None
    message = unquote(request.cookies.get(FLASH_COOKIE, ""))[:500]
    values = {
        "request": request,
        "caller": caller,
        "csrf_token": credential.csrf_token if isinstance(credential, Credential) else "",
        "navigation": [item for item in NAVIGATION if signed_in and caller and item.is_for(caller)],
        "path": request.url.path,
        "message": message,
        **context,
    }
    response = HTMLResponse(templates.get_template(template).render(values), status)
    if message:
        response.delete_cookie(FLASH_COOKIE)
    return response


def redirect(to: str, message: str = "") -> Response:
    """Lead the browser to a page of ours after a form was handled; `message` is shown there once."""
    response = RedirectResponse(to, SEE_OTHER)
    if message:
        response.set_cookie(
            FLASH_COOKIE, quote(message), max_age=FLASH_SECONDS, httponly=True, samesite="lax"
        )
    return response


def problem_page(request: Request, found: Problem) -> Response:
    """Return the page that tells a person what went wrong and what to do."""
    return render(request, "problem.html", status=found.status, problem=found)


def local_address(request: Request) -> str:
    """Return, quoted, the address to come back to after signing in: path and query of a page of ours."""
    shown = request.headers.get("hx-current-url") or str(request.url)
    try:
        parts = urlsplit(shown)
    except ValueError:
        return "/"
    safe = request.method in {"GET", "HEAD"} or "hx-current-url" in request.headers
    address = parts.path + (f"?{parts.query}" if parts.query else "") if safe else "/"
    return quote(address, safe="/")


def own_address(text: str) -> str:
    """Return `text` if it is the path of a page of ours, else "/": sign-in never leads to another site."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\", "/api/", "/sign-"))
    parts = urlsplit(text) if plain and text.isprintable() and "\\" not in text else None
    return text if parts is not None and not parts.netloc and not parts.scheme else "/"
