"""Pages of campaigns: all of them, and the form that creates and changes one.

`app.py` includes `router`. Administrators write; supervisors start. The form is read in `campaign_form.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.campaigns import service
from outrider.campaigns.model import Campaign, StrategyState
from outrider.contacts import service as contacts
from outrider.contacts.selection import OPERATORS
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from outrider.jobs import store as job_store
from outrider.jobs.model import Job
from outrider.licences import division_store
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller
from outrider.web.access import Administrator, Edge, EdgeServices, RowId, Viewer
from outrider.web.pages import redirect
from outrider.web.pages.campaign_form import DAYS, CampaignFields, blank_fields, fields_of, read_fields
from outrider.web.pages.console import organization_choice, organization_names, show

router = APIRouter(include_in_schema=False)

Typed = Annotated[CampaignFields, Depends(read_fields)]
REFUSALS = (InvalidInputError, ConflictError, NotAllowedError, NotFoundError)


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign as the list shows it, with its newest job and the names of what it uses."""

    campaign: Campaign
    job: Job | None
    lists: tuple[str, ...]
    zones: tuple[str, ...]
    contacts: int
    runnable: bool


@router.get("/campaigns")
async def show_campaigns(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show all campaigns with what they use, when they start, and their newest jobs."""
    return await show(
        request,
        edge,
        "campaigns.html",
        lines=await edge.database.read(_lines, caller),
        organization_names=await edge.database.read(organization_names, caller),
    )


def _lines(tx: Tx, caller: Caller) -> list[Line]:
    owner = caller.organization_id
    known = {each.id: each for each in contacts.lists(tx, organization_id=owner)}
    zone_names = {number: name for name, number in division_store.zones(tx).items()}
    newest: dict[int, Job] = {}
    for job in job_store.jobs(tx, owner, limit=1_000):
        newest.setdefault(job.campaign_id, job)
    active = {
        (each.organization_id, each.name)
        for each in service.strategies(tx, owner)
        if each.state is StrategyState.ACTIVE
    }
    lines = []
    for campaign in service.campaigns(tx, owner):
        used = [known[number] for number in campaign.list_ids if number in known]
        line = Line(
            campaign=campaign,
            job=newest.get(campaign.id),
            lists=tuple(each.name for each in used),
            zones=tuple(zone_names.get(number, "deleted zone") for number in campaign.zone_ids),
            contacts=sum(each.contacts for each in used),
            runnable=(campaign.organization_id, campaign.strategy_name) in active,
        )
        lines.append(line)
    return lines


@router.get("/campaigns/new")
async def show_new(
    request: Request,
    edge: Edge,
    caller: Administrator,
    organization: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Show the form for a new campaign; callers of the whole system say first for which organization."""
    return await _form(request, edge, caller, fields=blank_fields(), organization_id=organization)


async def _form(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    *,
    fields: CampaignFields,
    organization_id: int | None,
    campaign: Campaign | None = None,
    error: str = "",
    where: str = "",
    status: int = 200,
) -> HTMLResponse:
    choices = await edge.database.read(_choices, caller, organization_id)
    return await show(
        request,
        edge,
        "campaign.html",
        status=status,
        **choices,
        fields=fields,
        campaign=campaign,
        operators=OPERATORS,
        days=DAYS,
        editable=caller.role == "administrator",
        error=error,
        where=where,
        path="/campaigns",
    )


def _choices(tx: Tx, caller: Caller, organization_id: int | None) -> dict[str, Any]:
    """Return what can be chosen in the organization's form, which is the default one's if none is named."""
    owner = owner_of_new(tx, caller.organization_id, organization_id)
    zones = [(row.zone_id, row.zone) for row in division_store.pools(tx) if row.organization_id == owner]
    versions = service.strategies(tx, owner)
    active = {each.name for each in versions if each.state is StrategyState.ACTIVE}
    names = dict.fromkeys(each.name for each in versions)
    return {
        "owner": owner,
        "organizations": organization_choice(tx, caller),
        "lists": contacts.lists(tx, organization_id=owner),
        "zones": zones,
        "strategies": [(name, name if name in active else f"{name} (draft only)") for name in names],
        "jobs": (),
    }


@router.post("/campaigns")
async def handle_new(request: Request, edge: Edge, caller: Administrator, fields: Typed) -> Response:
    """Create a campaign, or show the form again with the reason."""
    try:
        made = await edge.database.write(_create, edge, caller, fields)
    except REFUSALS as error:
        owner = fields.organization_id
        known = owner if caller.organization_id is None else None
        return await _form(
            request,
            edge,
            caller,
            fields=fields,
            organization_id=known,
            error=error.message,
            where=_place(error.facts),
            status=422,
        )
    return redirect("/campaigns", f"{made.name} is created; start it when you like.")


def _create(tx: Tx, edge: EdgeServices, caller: Caller, fields: CampaignFields) -> Campaign:
    owner = owner_of_new(tx, caller.organization_id, fields.organization_id)
    return service.create_campaign(tx, owner, fields.plan(), edge.clock.now(), caller.name)


@router.get("/campaigns/{campaign_id}")
async def show_one(request: Request, edge: Edge, caller: Viewer, campaign_id: RowId) -> HTMLResponse:
    """Show one campaign in its form."""
    found = await edge.database.read(service.campaign, campaign_id, caller.organization_id)
    return await _form(
        request, edge, caller, fields=fields_of(found), organization_id=found.organization_id, campaign=found
    )


@router.post("/campaigns/{campaign_id}")
async def handle_change(
    request: Request, edge: Edge, caller: Administrator, campaign_id: RowId, fields: Typed
) -> Response:
    """Change a campaign, or show the form again with the reason."""
    found = await edge.database.read(service.campaign, campaign_id, caller.organization_id)
    try:
        await edge.database.write(_change, edge, caller, campaign_id, fields)
    except REFUSALS as error:
        return await _form(
            request,
            edge,
            caller,
            fields=fields,
            organization_id=found.organization_id,
            campaign=found,
            error=error.message,
            where=_place(error.facts),
            status=422,
        )
    return redirect("/campaigns", f"{fields.name} is changed; jobs that run go on as they began.")


def _change(tx: Tx, edge: EdgeServices, caller: Caller, campaign_id: int, fields: CampaignFields) -> None:
    service.change_campaign(
        tx, campaign_id, caller.organization_id, fields.plan(), edge.clock.now(), caller.name
    )


@router.post("/campaigns/{campaign_id}/delete")
async def handle_delete(request: Request, edge: Edge, caller: Administrator, campaign_id: RowId) -> Response:
    """Delete a campaign with the records of its jobs."""
    found = await edge.database.read(service.campaign, campaign_id, caller.organization_id)
    try:
        await edge.database.write(
            service.delete_campaign, campaign_id, caller.organization_id, edge.clock.now(), caller.name
        )
    except ConflictError as error:
        return await _form(
            request,
            edge,
            caller,
            fields=fields_of(found),
            organization_id=found.organization_id,
            campaign=found,
            error=error.message,
            status=409,
        )
    return redirect("/campaigns", f"{found.name} is deleted.")


def _place(facts: Mapping[str, object]) -> str:
    return str(facts.get("where", ""))
