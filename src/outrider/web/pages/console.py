"""What the console's pages share: the supply banner, filters for templates, and answers to scripts.

Used by the page modules of jobs, licences, campaigns and contacts beside it; `pages/__init__.py` renders.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form, Request
from starlette.responses import HTMLResponse, Response

from outrider.db.database import Tx
from outrider.errors import InvalidInputError
from outrider.licences import division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.people.model import Caller
from outrider.supply import host
from outrider.supply import service as supply
from outrider.supply.model import Supply, SupplyState
from outrider.web.access import EdgeServices
from outrider.web.pages import redirect, render, templates

SERIES = 8
"""Colours that jobs are told apart by (`--series-1` and so on in the style sheets)."""

LABELS: Mapping[LicenceKind, str] = {
    LicenceKind.OUTBOUND_PORTS: "Outbound ports",
    LicenceKind.MANUAL_AGENTS: "Manual agents",
    LicenceKind.PREDICTIVE_AGENTS: "Predictive agents",
    LicenceKind.PREVIEW_AGENTS: "Preview agents",
    LicenceKind.AGENT_WEB_API: "Agent Web API Service",
    LicenceKind.SMS: "SMS channels",
    LicenceKind.EMAIL: "EMAIL channels",
    LicenceKind.TELEPHONY_PORTS: "Telephony ports",
    LicenceKind.ASR: "ASR connections",
    LicenceKind.TTS: "TTS connections",
}
"""Licence types as people know them, in the order of their page."""

STATE_TONES = {
    "ready": "neutral",
    "running": "good",
    "paused": "warn",
    "snoozed": "info",
    "stopped": "neutral",
    "finished": "accent",
}

Line = Annotated[str, Form(max_length=1000)]
"""One text field of a form."""

_WHOLE = re.compile(r"-?[0-9]{1,100}")
"""int() raises when it is given thousands of digits; those who use the number know its bounds."""

FormNumber = Annotated[str, Form(max_length=20)]
"""A whole number of a form as it was typed; `whole_number` reads it."""


def iso(value: dt.datetime) -> str:
    """Return a time in ISO 8601 with its offset, to the second. A template filter."""
    return value.astimezone(dt.UTC).isoformat(timespec="seconds")


def second(value: dt.datetime) -> str:
    """Return a time as people read it, in UTC to the second. A template filter."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def licence_label(kind: str) -> str:
    """Return the name of a licence type as people know it. A template filter."""
    return LABELS[LicenceKind(kind)] if kind in set(LicenceKind) else kind


def series(job_id: int) -> int:
    """Return which colour a job has, 1 to SERIES; the same on every page. A template filter."""
    return (job_id - 1) % SERIES + 1


def words(name: str) -> str:
    """Return a name of the code as words: no_answer becomes "no answer". A template filter."""
    return name.replace("_", " ")


def state_tone(state: str) -> str:
    """Return the tone of the badge of a job's state. A template filter."""
    return STATE_TONES.get(state, "neutral")


def sentence(message: str) -> str:
    """Return an error's message as a sentence for people. A template filter."""
    text = message.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


templates.filters["iso"] = iso
templates.filters["second"] = second
templates.filters["licence_label"] = licence_label
templates.filters["series"] = series
templates.filters["words"] = words
templates.filters["state_tone"] = state_tone
templates.filters["sentence"] = sentence


def rules_of(edge: EdgeServices) -> SharingRules:
    """Return the times of licence sharing that this program was composed with."""
    return edge.part(SharingRules)


def host_of(edge: EdgeServices) -> str:
    """Return the id of this host, which licence files may be bound to."""
    return host.host_id(edge.settings.licences.host_id)


def tone_of(found: Supply) -> str:
    """Return the tone of the banner about the supply; "" when there is nothing to tell."""
    if found.state is SupplyState.NORMAL:
        return "warn" if found.message else ""
    return "bad" if found.state is SupplyState.EXPIRED else "warn"


async def show(
    request: Request, edge: EdgeServices, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """Render a page that extends `console.html`: it tells on top what is wrong with the supply."""
    found = await edge.database.read(supply.current)
    return render(request, template, status=status, supply=found, supply_tone=tone_of(found), **context)


def from_script(request: Request) -> bool:
    """Return whether a script of ours sent the form, and wants a fragment or a status, no redirect."""
    return "hx-request" in request.headers


def done(request: Request, to: str, message: str) -> Response:
    """Answer a form that was carried out: lead a person on to `to`; tell a script that it is done."""
    return Response(status_code=204) if from_script(request) else redirect(to, message)


def whole_number(text: str, field: str) -> int:
    """Return what was typed into a number field; InvalidInputError names the field."""
    plain = text.strip()
    if not _WHOLE.fullmatch(plain):
        raise InvalidInputError(f"{field}: give a whole number", where=field)
    return int(plain)


def optional_number(text: str, field: str) -> int | None:
    """Return what was typed into a number field that may be empty. InvalidInputError names the field."""
    return whole_number(text, field) if text.strip() else None


def organization_choice(tx: Tx, caller: Caller) -> list[tuple[str, str]] | None:
    """Return the organizations to choose from as pairs for a select; None for a caller of one of them."""
    if caller.organization_id is not None:
        return None
    return [(str(number), name) for name, number in division_store.organizations(tx).items()]


def organization_names(tx: Tx, caller: Caller) -> dict[int, str]:
    """Return names of organizations by id, to be shown beside records; empty for callers of one."""
    if caller.organization_id is not None:
        return {}
    return {number: name for name, number in division_store.organizations(tx).items()}
