"""REST of what a desktop shows beside the call: codes, jobs, callbacks, the contact, refusals, figures.

`app.py` includes `router`. All of it concerns the agent who calls.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from outrider.agents import desk_service, desk_store
from outrider.agents.desk_callers_api import Calling, Floor, OwnSession
from outrider.agents.desk_schemas import (
    AddressBody,
    AttributesBody,
    BlockedView,
    CallbackView,
    CodeView,
    ContactView,
    FiguresView,
    JobView,
    OwnAccount,
    PreferredBody,
)
from outrider.web.access import Edge, RowId

router = APIRouter(prefix="/api/agent", tags=["agent"])


@router.get("/completion-codes")
async def completion_codes(edge: Edge, calling: Calling) -> list[CodeView]:
    """Return the completion codes of the organization; a contact's card says which of them it takes."""
    rows = await edge.database.read(desk_store.codes, calling.agent.organization_id)
    return [CodeView.of(row) for row in rows]


@router.get("/jobs")
async def jobs(edge: Edge, calling: Calling, floor: Floor) -> list[JobView]:
    """Return what runs for agents where this agent works, and for what of it the agent may work."""
    session = floor.desk.session_of(calling.agent.id)
    found = await edge.database.read(desk_service.jobs, calling.agent)
    return [JobView.of(job, None if session is None else session.task_id) for job in found]


@router.put("/preferred-campaigns")
async def prefer(body: PreferredBody, edge: Edge, calling: Calling) -> OwnAccount:
    """Let the agent work for these campaigns only; none: for any."""
    agent = await edge.database.write(desk_service.prefer, calling.agent, body.campaigns)
    return OwnAccount.of(agent)


@router.get("/callbacks")
async def callbacks(edge: Edge, calling: Calling) -> list[CallbackView]:
    """Return what the agent has promised and not kept yet, soonest first."""
    rows = await edge.database.read(desk_store.callbacks, calling.agent.id, desk_service.MOST_CALLBACKS)
    return [CallbackView.of(row) for row in rows]


@router.get("/contacts/{contact_id}")
async def show_contact(contact_id: RowId, edge: Edge, calling: Calling, session: OwnSession) -> ContactView:
    """Return the contact in hand, or one of the agent's callbacks. 404 for any other."""
    found = await edge.database.read(desk_service.contact, calling.agent, session, contact_id)
    return ContactView.of(found)


@router.put("/contacts/{contact_id}/attributes")
async def set_attributes(
    contact_id: RowId, body: AttributesBody, edge: Edge, calling: Calling, session: OwnSession
) -> ContactView:
    """Set attributes of the contact in hand. 404 when it is not in hand."""
    found = await edge.database.write(
        desk_service.set_attributes, calling.agent, session, contact_id, body.attributes
    )
    return ContactView.of(found)


@router.post("/do-not-contact/check")
async def check_address(body: AddressBody, edge: Edge, calling: Calling) -> BlockedView:
    """Say whether an address may not be contacted."""
    address, blocked = await edge.database.read(
        desk_service.is_blocked, calling.agent, body.address, body.country
    )
    return BlockedView(address=address, blocked=blocked)


@router.post("/do-not-contact")
async def block_address(body: AddressBody, edge: Edge, calling: Calling) -> BlockedView:
    """Let nobody of the organization contact an address any more: its person told the agent so."""
    address = await edge.database.write(
        desk_service.block, calling.agent, body.address, body.country, edge.clock.now()
    )
    return BlockedView(address=address, blocked=True)


@router.get("/figures")
async def figures(
    edge: Edge, calling: Calling, since: Annotated[AwareDatetime | None, Query()] = None
) -> FiguresView:
    """Return the agent's work since a time, by default since midnight UTC."""
    start = since or edge.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return FiguresView.of(await edge.database.read(desk_service.figures, calling.agent, start))
