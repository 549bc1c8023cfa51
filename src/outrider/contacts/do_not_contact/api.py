"""REST for do-not-contact lists: /api/do-not-contact-lists. `contacts/api.py` includes `router`.

Everybody of an organization sees the common lists; only administrators of the system change them.
"""

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from outrider.contacts.do_not_contact import service
from outrider.contacts.do_not_contact.model import BadAddress, DoNotContactList
from outrider.contacts.do_not_contact.reading import address_chunks
from outrider.contacts.imports.api import FILE_BODY, LARGEST_ID, UPLOAD_LIMIT
from outrider.contacts.imports.files import ImportFiles, save_stream
from outrider.contacts.numbers import check_country
from outrider.contacts.service import owner_of_new
from outrider.errors import NotAllowedError
from outrider.web.access import Caller, Edge, EdgeServices, RowId, Supervisor, Text, Text80, Viewer

MOST_ADDRESSES = 10_000
SHOWN = 100

router = APIRouter(prefix="/api/do-not-contact-lists", tags=["do-not-contact"])

Address = Annotated[str, StringConstraints(max_length=320)]
Country = Annotated[Text, Query(min_length=2, max_length=2)]


class Strict(BaseModel):
    """A body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class NewDoNotContactList(Strict):
    """A list to be made; `common` ones hold for all organizations."""

    name: Text80
    organization_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    common: bool = False


class Addresses(Strict):
    """Numbers (national ones of `country`) and mail addresses."""

    addresses: Annotated[list[Address], Field(min_length=1, max_length=MOST_ADDRESSES)]
    country: Annotated[str, Field(min_length=2, max_length=2, examples=["DE"])]
    source: Annotated[str, Field(max_length=service.LONGEST_SOURCE)] = ""


class DoNotContactListView(BaseModel):
    """A list, whose it is (null: everybody's) and how many addresses are on it."""

    id: int
    organization_id: int | None
    name: str
    created_at: dt.datetime
    entries: int

    @classmethod
    def of(cls, found: DoNotContactList) -> "DoNotContactListView":
        """Return the view of a list."""
        return cls.model_validate(found, from_attributes=True)


class EntryView(BaseModel):
    """One address on a list."""

    address: str
    source: str
    added_at: dt.datetime


class EntryPage(BaseModel):
    """Entries by address; `next_after` is the `after` of the following page, null at the end."""

    entries: list[EntryView]
    next_after: str | None


class AddedView(BaseModel):
    """What became of the addresses; `reasons` are those of the first 100 rejected ones."""

    added: int
    present: int
    rejected: int
    reasons: list[str]


@router.get("")
async def list_do_not_contact_lists(edge: Edge, caller: Viewer) -> list[DoNotContactListView]:
    """List the organization's lists and the common ones."""
    found = await edge.database.read(service.lists, organization_id=caller.organization_id)
    return [DoNotContactListView.of(entry) for entry in found]


@router.post("", status_code=201)
async def create_do_not_contact_list(
    body: NewDoNotContactList, edge: Edge, caller: Supervisor
) -> DoNotContactListView:
    """Create an empty list."""
    if body.common:
        _require_system(caller)
    created = await edge.database.write(
        service.create_list,
        edge.clock.now(),
        organization_id=None if body.common else owner_of_new(caller.organization_id, body.organization_id),
        actor=caller.name,
        name=body.name,
    )
    return DoNotContactListView.of(created)


@router.get("/{list_id}")
async def show_do_not_contact_list(list_id: RowId, edge: Edge, caller: Viewer) -> DoNotContactListView:
    """Show one list."""
    return DoNotContactListView.of(await _get(edge, caller, list_id))


@router.delete("/{list_id}", status_code=204)
async def delete_do_not_contact_list(list_id: RowId, edge: Edge, caller: Supervisor) -> None:
    """Delete a list with its entries."""
    await _get_to_change(edge, caller, list_id)
    await edge.database.write(
        service.delete_list,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
    )


@router.get("/{list_id}/entries")
async def list_entries(
    list_id: RowId,
    edge: Edge,
    caller: Viewer,
    after: Annotated[Text, Query(max_length=320)] = "",
    limit: Annotated[int, Query(ge=1, le=service.LARGEST_PAGE)] = 100,
) -> EntryPage:
    """List entries by address, `limit` at a time, those behind `after`."""
    found = await edge.database.read(
        service.entries_page,
        organization_id=caller.organization_id,
        list_id=list_id,
        after=after,
        limit=limit,
    )
    entries = [EntryView.model_validate(entry, from_attributes=True) for entry in found]
    return EntryPage(entries=entries, next_after=found[-1].address if len(found) == limit else None)


@router.post("/{list_id}/entries")
async def add_entries(list_id: RowId, body: Addresses, edge: Edge, caller: Supervisor) -> AddedView:
    """Add addresses; those that are neither a number nor a mail address are counted and explained."""
    await _get_to_change(edge, caller, list_id)
    return _added([await add_addresses(edge, caller, list_id, body.addresses, body.country, body.source)])


@router.post("/{list_id}/entries/remove")
async def remove_entries(list_id: RowId, body: Addresses, edge: Edge, caller: Supervisor) -> dict[str, int]:
    """Remove addresses; tells how many were there."""
    await _get_to_change(edge, caller, list_id)
    removed = await edge.database.write(
        service.remove_entries,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
        addresses=body.addresses,
        country=body.country,
    )
    return {"removed": removed}


@router.post("/{list_id}/imports", max_body_size=UPLOAD_LIMIT, openapi_extra=FILE_BODY)
async def import_entries(
    list_id: RowId,
    request: Request,
    edge: Edge,
    caller: Supervisor,
    country: Country,
    file_name: Annotated[Text, Query(max_length=200)] = "addresses.csv",
) -> AddedView:
    """Add the addresses of the file in the body: CSV, or one per line. Adding twice changes nothing."""
    code = check_country(country)
    await _get_to_change(edge, caller, list_id)
    saved = await save_stream(edge.data_folder, request.stream(), file_name)
    return _added(await add_saved_file(edge, caller, list_id, saved.spool, file_name, code))


async def add_saved_file(
    edge: EdgeServices, caller: Caller, list_id: int, spool: str, file_name: str, country: str
) -> list[service.Added]:
    """Add the addresses of an upload that was saved, then remove it; also for the page. ImportFileError."""
    files = ImportFiles(edge.data_folder, spool)
    done: list[service.Added] = []
    source = file_name[: service.LONGEST_SOURCE]
    try:
        chunks = address_chunks(files.upload, file_name, country)
        # The file is read on a thread: a large one would stop the event loop.
        while chunk := await asyncio.to_thread(_next, chunks):
            done.append(await add_addresses(edge, caller, list_id, chunk, country, source))
    finally:
        files.remove_all()
    return done


def _next(chunks: Iterator[list[str]]) -> list[str]:
    return next(chunks, [])


def _added(done: list[service.Added]) -> AddedView:
    bad: list[BadAddress] = [entry for one in done for entry in one.rejected]
    return AddedView(
        added=sum(one.added for one in done),
        present=sum(one.present for one in done),
        rejected=len(bad),
        reasons=[entry.reason for entry in bad[:SHOWN]],
    )


async def add_addresses(
    edge: EdgeServices, caller: Caller, list_id: int, addresses: list[str], country: str, source: str
) -> service.Added:
    """Add addresses for a caller, in a transaction of its own; also for the page."""
    return await edge.database.write(
        service.add_entries,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
        addresses=addresses,
        country=country,
        source=source,
    )


async def _get(edge: EdgeServices, caller: Caller, list_id: int) -> DoNotContactList:
    return await edge.database.read(service.get_list, organization_id=caller.organization_id, list_id=list_id)


async def _get_to_change(edge: EdgeServices, caller: Caller, list_id: int) -> DoNotContactList:
    """Return a list that the caller may change. NotFoundError, NotAllowedError."""
    found = await _get(edge, caller, list_id)
    if found.organization_id is None:
        _require_system(caller)
    return found


def _require_system(caller: Caller) -> None:
    if not caller.is_system_administrator:
        raise NotAllowedError(
            "only an administrator of the whole system may change lists that hold for all organizations"
        )
