"""Pages of contact lists: all of them, one with its contacts and imports; makes, renames and deletes them.

`app.py` includes `router`, which also holds the pages of imports and of do-not-contact lists.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.contacts import service
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.imports import service as imports
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from outrider.licences import division_store
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller
from outrider.web.access import Edge, EdgeServices, RowId, Supervisor, Viewer
from outrider.web.pages import do_not_contact as do_not_contact_pages
from outrider.web.pages import imports as import_pages
from outrider.web.pages import redirect
from outrider.web.pages.console import (
    FormNumber,
    Line,
    optional_number,
    organization_choice,
    organization_names,
    show,
)

router = APIRouter(include_in_schema=False)
router.include_router(import_pages.router)
router.include_router(do_not_contact_pages.router)

PAGE = 50
IMPORTS_SHOWN = 10
LARGEST_ID = 2**63 - 1
DUPLICATES = [
    ("phone", "the same phone number"),
    ("email", "the same email address"),
    ("external_id", "the same external id"),
]


@router.get("/contacts")
async def show_lists(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show all contact lists and do-not-contact lists."""
    return await _lists_page(request, edge, caller)


async def _lists_page(
    request: Request, edge: EdgeServices, caller: Caller, *, error: str = "", **given: str
) -> HTMLResponse:
    view = await edge.database.read(_overview, caller)
    values = {"name": "", "default_country": "", "duplicates_by": "phone", "organization_id": "", **given}
    return await show(
        request,
        edge,
        "contacts.html",
        status=422 if error else 200,
        **view,
        duplicates_choice=DUPLICATES,
        error=error,
        values=values,
        path="/contacts",
    )


def _overview(tx: Tx, caller: Caller) -> dict[str, Any]:
    newest: dict[int, Any] = {}
    for one in imports.imports(tx, organization_id=caller.organization_id, limit=500):
        newest.setdefault(one.list_id, one)
    return {
        "lists": service.lists(tx, organization_id=caller.organization_id),
        "newest_import": newest,
        "blocked_lists": do_not_contact.lists(tx, organization_id=caller.organization_id),
        "organizations": organization_choice(tx, caller),
        "organization_names": organization_names(tx, caller),
    }


@router.post("/contacts/lists")
async def handle_new_list(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    *,
    name: Line = "",
    default_country: Line = "",
    duplicates_by: Line = "phone",
    organization_id: FormNumber = "",
) -> Response:
    """Create a list and lead to it, or show the form again with the reason."""
    try:
        made = await edge.database.write(
            _create_list, edge, caller, name, default_country, duplicates_by, organization_id
        )
    except (InvalidInputError, ConflictError, NotAllowedError, NotFoundError) as error:
        given = {
            "name": name,
            "default_country": default_country,
            "duplicates_by": duplicates_by,
            "organization_id": organization_id,
        }
        return await _lists_page(request, edge, caller, error=error.message, **given)
    return redirect(f"/contacts/lists/{made}", "The list is created; import contacts into it.")


def _create_list(
    tx: Tx,
    edge: EdgeServices,
    caller: Caller,
    name: str,
    country: str,
    duplicates_by: str,
    organization_id: str,
) -> int:
    wanted = optional_number(organization_id, "organization")
    owner = owner_of_new(tx, caller.organization_id, wanted)
    made = service.create_list(
        tx,
        edge.clock.now(),
        organization_id=owner,
        actor=caller.name,
        name=name,
        default_country=country,
        duplicates_by=duplicates_by,
        zone_id=next((row.zone_id for row in division_store.pools(tx) if row.organization_id == owner), None),
    )
    return made.id


@router.get("/contacts/lists/{list_id}")
async def show_list(
    request: Request,
    edge: Edge,
    caller: Viewer,
    list_id: RowId,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> HTMLResponse:
    """Show one list: its import form, its imports, and a page of its contacts."""
    return await list_page(request, edge, caller, list_id, after=after)


async def list_page(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    list_id: int,
    *,
    after: int = 0,
    error: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Render the page of one list; `error` is told above its forms. NotFoundError."""
    view = await edge.database.read(_list_view, caller, list_id, after)
    return await show(
        request,
        edge,
        "contact_list.html",
        status=status,
        **view,
        after=after,
        error=error,
        path=f"/contacts/lists/{list_id}",
    )


def _list_view(tx: Tx, caller: Caller, list_id: int, after: int) -> dict[str, Any]:
    owner = caller.organization_id
    found = service.get_list(tx, organization_id=owner, list_id=list_id)
    page = service.contacts_page(tx, organization_id=owner, list_id=list_id, after=after, limit=PAGE)
    names = {name for contact in page for name in contact.attributes}
    return {
        "list": found,
        "contacts": page,
        "attributes": sorted(names)[:12],
        "next_after": page[-1].id if len(page) == PAGE else None,
        "imports": imports.imports(tx, organization_id=owner, list_id=list_id, limit=IMPORTS_SHOWN),
        "organization_names": organization_names(tx, caller),
    }


@router.post("/contacts/lists/{list_id}/rename")
async def handle_rename(
    request: Request, edge: Edge, caller: Supervisor, list_id: RowId, name: Line = ""
) -> Response:
    """Give a list another name."""
    try:
        await edge.database.write(
            service.rename_list,
            edge.clock.now(),
            organization_id=caller.organization_id,
            actor=caller.name,
            list_id=list_id,
            name=name,
        )
    except (InvalidInputError, ConflictError) as error:
        return await list_page(request, edge, caller, list_id, error=error.message, status=422)
    return redirect(f"/contacts/lists/{list_id}", "The list is renamed.")


@router.post("/contacts/lists/{list_id}/delete")
async def handle_delete(request: Request, edge: Edge, caller: Supervisor, list_id: RowId) -> Response:
    """Delete a list with its contacts, unless a job uses it."""
    try:
        await edge.database.write(
            service.delete_list,
            edge.clock.now(),
            organization_id=caller.organization_id,
            actor=caller.name,
            list_id=list_id,
        )
    except ConflictError as error:
        return await list_page(request, edge, caller, list_id, error=error.message, status=409)
    return redirect("/contacts", "The list is deleted.")
