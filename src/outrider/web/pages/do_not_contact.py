"""Pages of do-not-contact lists: makes them, shows one, adds, uploads and removes addresses.

`pages/contacts.py` includes `router`. Everybody sees the common lists; administrators of the
system change them.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from starlette.responses import HTMLResponse

from outrider.contacts.do_not_contact import service
from outrider.contacts.do_not_contact.api import add_addresses, add_saved_file
from outrider.contacts.do_not_contact.model import BadAddress
from outrider.contacts.imports.api import UPLOAD_LIMIT
from outrider.contacts.imports.files import save_upload
from outrider.contacts.numbers import check_country
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, OutriderError
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller
from outrider.web.access import Edge, EdgeServices, RowId, Supervisor, Text, Viewer
from outrider.web.pages import redirect
from outrider.web.pages.console import FormNumber, Line, optional_number, show

router = APIRouter(include_in_schema=False)

PAGE = 100
MOST_PASTED = 1_000_000
SHOWN_REASONS = 20
COMMON = "common"


@router.post("/contacts/do-not-contact")
async def handle_new(
    edge: Edge, caller: Supervisor, name: Line = "", organization_id: FormNumber = ""
) -> Response:
    """Create a list, of one organization or (organization "common") of all."""
    try:
        made = await edge.database.write(_create, edge, caller, name, organization_id)
    except (InvalidInputError, ConflictError) as error:
        return redirect("/contacts#do-not-contact", f"Not created: {error.message}")
    return redirect(f"/contacts/do-not-contact/{made}", "The list is created; add numbers and addresses.")


def _create(tx: Tx, edge: EdgeServices, caller: Caller, name: str, organization_id: str) -> int:
    if organization_id == COMMON:
        if not caller.is_system_administrator:
            raise NotAllowedError("only an administrator of the whole system may make common lists")
        owner = None
    else:
        owner = owner_of_new(tx, caller.organization_id, optional_number(organization_id, "organization"))
    made = service.create_list(tx, edge.clock.now(), organization_id=owner, actor=caller.name, name=name)
    return made.id


@router.get("/contacts/do-not-contact/{list_id}")
async def show_one(
    request: Request,
    edge: Edge,
    caller: Viewer,
    list_id: RowId,
    after: Annotated[Text, Query(max_length=320)] = "",
) -> HTMLResponse:
    """Show one list with a page of its addresses."""
    return await _page(request, edge, caller, list_id, after=after)


async def _page(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    list_id: int,
    *,
    after: str = "",
    error: str = "",
    added: service.Added | None = None,
    status: int = 200,
) -> HTMLResponse:
    owner = caller.organization_id
    found = await edge.database.read(service.get_list, organization_id=owner, list_id=list_id)
    entries = await edge.database.read(
        service.entries_page, organization_id=owner, list_id=list_id, after=after, limit=PAGE
    )
    return await show(
        request,
        edge,
        "do_not_contact.html",
        status=status,
        list=found,
        entries=entries,
        after=after,
        next_after=entries[-1].address if len(entries) == PAGE else None,
        changeable=_may_change(caller, found.organization_id),
        added=added,
        shown_reasons=SHOWN_REASONS,
        error=error,
        path=f"/contacts/do-not-contact/{list_id}",
    )


def _may_change(caller: Caller, owner: int | None) -> bool:
    return caller.is_system_administrator if owner is None else caller.role != "viewer"


@router.post("/contacts/do-not-contact/{list_id}/entries", max_body_size=UPLOAD_LIMIT)
async def handle_add(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    list_id: RowId,
    *,
    addresses: Annotated[str, Form(max_length=MOST_PASTED)] = "",
    country: Line = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Add the addresses of a text, one per line, or of a file; tell what became of them."""
    try:
        await _check_changeable(edge, caller, list_id)
        code = check_country(country)
        done = []
        lines = [
            line for line in addresses.replace(",", "\n").replace(";", "\n").splitlines() if line.strip()
        ]
        if lines:
            done.append(await add_addresses(edge, caller, list_id, lines, code, "page"))
        if file is not None and file.filename:
            name = file.filename
            saved = await asyncio.to_thread(save_upload, edge.data_folder, file.file, name)
            done += await add_saved_file(edge, caller, list_id, saved.spool, name, code)
    except OutriderError as error:
        status = 403 if isinstance(error, NotAllowedError) else 422
        return await _page(request, edge, caller, list_id, error=error.message, status=status)
    if not done:
        nothing = "addresses: type some, or choose a file"
        return await _page(request, edge, caller, list_id, error=nothing, status=422)
    return await _page(request, edge, caller, list_id, added=_sum(done))


def _sum(done: list[service.Added]) -> service.Added:
    bad: list[BadAddress] = [each for one in done for each in one.rejected]
    return service.Added(sum(one.added for one in done), sum(one.present for one in done), tuple(bad))


@router.post("/contacts/do-not-contact/{list_id}/remove")
async def handle_remove(edge: Edge, caller: Supervisor, list_id: RowId, address: Line) -> Response:
    """Take one address off the list."""
    await _check_changeable(edge, caller, list_id)
    await edge.database.write(
        service.remove_entries,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
        addresses=[address],
        country="US",  # entries are written in full, so that no country is needed to read them
    )
    return redirect(f"/contacts/do-not-contact/{list_id}", f"{address} may be contacted again.")


@router.post("/contacts/do-not-contact/{list_id}/delete")
async def handle_delete(edge: Edge, caller: Supervisor, list_id: RowId) -> Response:
    """Delete a list with all its addresses."""
    await _check_changeable(edge, caller, list_id)
    await edge.database.write(
        service.delete_list,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
    )
    return redirect("/contacts#do-not-contact", "The list is deleted.")


async def _check_changeable(edge: EdgeServices, caller: Caller, list_id: int) -> None:
    found = await edge.database.read(
        service.get_list, organization_id=caller.organization_id, list_id=list_id
    )
    if not _may_change(caller, found.organization_id):
        raise NotAllowedError(
            "only an administrator of the whole system may change lists that hold for all organizations"
        )
