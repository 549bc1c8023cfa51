"""Pages of agents' accounts: to add, change, switch off and delete them; one-time passwords are shown once.

`app.py` includes `router`; the list of accounts is on `/agents` (`pages/agents.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import HTMLResponse

from outrider.agents import service
from outrider.agents.accounts import AccountPlan, read_skills
from outrider.agents.model import Agent
from outrider.campaigns import service as campaigns
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError
from outrider.licences import division_store
from outrider.people.model import Role
from outrider.people.passwords import hash_later, new_password
from outrider.web.access import Edge, EdgeServices, RowId, Supervisor
from outrider.web.pages import redirect
from outrider.web.pages.agents import skills_text
from outrider.web.pages.console import optional_number, organization_choice, show

router = APIRouter(include_in_schema=False)

LONGEST = 1000
MOST_CHOICES = 100

Given = Mapping[str, str]


async def typed(request: Request) -> dict[str, str]:
    """Return the fields of the form as they were typed; chosen campaigns are joined by commas."""
    form = await request.form()
    found = {
        name: value.strip()[:LONGEST].replace("\0", "")
        for name, value in form.items()
        if isinstance(value, str) and name != "csrf_token"
    }
    chosen = [value for value in form.getlist("campaigns") if isinstance(value, str)]
    found["campaigns"] = ",".join(chosen[:MOST_CHOICES])
    return found


Fields = Annotated[dict[str, str], Depends(typed)]


@router.get("/agents/new")
async def show_new(request: Request, edge: Edge, caller: Supervisor) -> HTMLResponse:
    """Show the form for another agent."""
    user = "true" if caller.role.includes(Role.ADMINISTRATOR) else ""
    return await _form(request, edge, caller, None, {"zone": "default", "enabled": "true", "user": user})


@router.post("/agents/new")
async def handle_new(request: Request, edge: Edge, caller: Supervisor, given: Fields) -> Response:
    """Make an agent, and its user if that was chosen, whose one-time password is shown once."""
    password = new_password() if given.get("user") else None
    try:
        plan = _plan(given)
        made = await edge.database.write(
            service.create,
            edge.clock.now(),
            caller,
            plan,
            organization_id=optional_number(given.get("organization_id", ""), "organization_id"),
            password_hash=None if password is None else await hash_later(password),
        )
    except (InvalidInputError, ConflictError, NotAllowedError) as error:
        return await _form(request, edge, caller, None, given, error=error)
    if password is None:
        return redirect("/agents", f"{made.name} is added.")
    return await _form(request, edge, caller, made, await _shown(edge, made), password=password)


@router.get("/agents/{agent_id}")
async def show_agent(request: Request, edge: Edge, caller: Supervisor, agent_id: RowId) -> HTMLResponse:
    """Show one account in its form."""
    known = await edge.database.read(service.agent, agent_id, caller.organization_id)
    return await _form(request, edge, caller, known, await _shown(edge, known))


@router.post("/agents/{agent_id}")
async def handle_change(
    request: Request, edge: Edge, caller: Supervisor, agent_id: RowId, given: Fields
) -> Response:
    """Change an account, or show the form again with the reason."""
    known = await edge.database.read(service.agent, agent_id, caller.organization_id)
    try:
        changed = await edge.database.write(service.change, edge.clock.now(), caller, agent_id, _plan(given))
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, caller, known, given, error=error)
    return redirect("/agents", f"{changed.name} is saved.")


@router.post("/agents/{agent_id}/remove")
async def handle_remove(request: Request, edge: Edge, caller: Supervisor, agent_id: RowId) -> Response:
    """Delete an account with its history, or say why it stays."""
    known = await edge.database.read(service.agent, agent_id, caller.organization_id)
    try:
        await edge.database.write(service.remove, edge.clock.now(), caller, agent_id)
    except (ConflictError, NotAllowedError) as error:
        return await _form(request, edge, caller, known, await _shown(edge, known), error=error)
    return redirect("/agents", f"{known.name} is deleted.")


async def _form(
    request: Request,
    edge: EdgeServices,
    caller: Supervisor,
    known: Agent | None,
    given: Given,
    *,
    error: InvalidInputError | ConflictError | NotAllowedError | None = None,
    password: str = "",
) -> HTMLResponse:
    owner = caller.organization_id if known is None else int(known.organization_id)

    def read(tx: Tx) -> dict[str, Any]:
        return {
            "zones": [(name, name) for name in sorted(division_store.zones_of(tx, owner))],
            "campaigns": [(str(each.id), each.name) for each in campaigns.campaigns(tx, owner)],
            "owners": None if known else organization_choice(tx, caller),
        }

    where = "" if error is None else str(error.facts.get("where", "")).split(".", 1)[0]
    return await show(
        request,
        edge,
        "agent.html",
        status=200 if error is None else _status(error),
        agent=known,
        given=given,
        chosen=given.get("campaigns", "").split(","),
        error="" if error is None else error.message,
        where=where,
        password=password,
        makes_users=caller.role.includes(Role.ADMINISTRATOR),
        path="/agents/new" if known is None else f"/agents/{known.id}",
        **await edge.database.read(read),
    )


def _status(error: InvalidInputError | ConflictError | NotAllowedError) -> int:
    if isinstance(error, NotAllowedError):
        return 403
    return 409 if isinstance(error, ConflictError) else 422


async def _shown(edge: EdgeServices, known: Agent) -> dict[str, str]:
    plan = await edge.database.read(service.plan_of, known)
    return {
        "name": plan.name,
        "display_name": plan.display_name,
        "address": plan.address,
        "zone": plan.zone,
        "skills": skills_text(plan.skills),
        "campaigns": ",".join(map(str, plan.preferred_campaigns)),
        "enabled": "true" if plan.enabled else "",
    }


def _plan(given: Given) -> AccountPlan:
    """Return the form as the service takes it; InvalidInputError names the first bad field."""
    chosen = [each for each in given.get("campaigns", "").split(",") if each]
    numbers = [optional_number(each, "preferred_campaigns") for each in chosen]
    return AccountPlan(
        name=given.get("name", ""),
        address=given.get("address", ""),
        display_name=given.get("display_name", ""),
        zone=given.get("zone", ""),
        skills=read_skills(given.get("skills", "")),
        preferred_campaigns=[each for each in numbers if each is not None],
        enabled=bool(given.get("enabled")),
    )
