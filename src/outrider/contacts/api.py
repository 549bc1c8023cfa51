"""REST for contact lists: /api/contact-lists; `router` also holds those of imports and do-not-contact lists.

`app.py` includes `router`. Parse, authorise, one call to the service.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from outrider.contacts import service
from outrider.contacts.do_not_contact.api import router as do_not_contact_router
from outrider.contacts.imports.api import router as imports_router
from outrider.contacts.model import Contact, ContactList, DuplicatesBy
from outrider.web.access import Edge, RowId, Supervisor, Text80, Viewer

LARGEST_ID = 2**63 - 1

router = APIRouter()
lists_router = APIRouter(prefix="/api/contact-lists", tags=["contacts"])

Limit = Annotated[int, Query(ge=1, le=service.LARGEST_PAGE)]


class NewList(BaseModel):
    """A contact list to be made. `organization_id` is needed only by callers of the whole system."""

    model_config = ConfigDict(extra="forbid")

    name: Text80
    default_country: Annotated[str, Field(min_length=2, max_length=2, examples=["DE"])]
    duplicates_by: DuplicatesBy = "phone"
    organization_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    zone_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    carrier_profile: Annotated[str, Field(max_length=80)] = ""


class ListName(BaseModel):
    """A list's new name."""

    model_config = ConfigDict(extra="forbid")

    name: Text80


class ListView(BaseModel):
    """A contact list and how many contacts are on it."""

    id: int
    organization_id: int
    zone_id: int
    name: str
    default_country: str
    duplicates_by: DuplicatesBy
    carrier_profile: str
    contacts: int
    created_at: dt.datetime

    @classmethod
    def of(cls, found: ContactList) -> "ListView":
        """Return the view of a list."""
        return cls.model_validate(found, from_attributes=True)


class ContactView(BaseModel):
    """One person on a list."""

    id: int
    external_id: str | None
    phone: str | None
    other_phones: list[str]
    email: str | None
    time_zone: str | None
    attributes: dict[str, str]

    @classmethod
    def of(cls, found: Contact) -> "ContactView":
        """Return the view of a contact."""
        return cls(
            id=found.id,
            external_id=found.external_id,
            phone=found.phone,
            other_phones=list(found.other_phones),
            email=found.email,
            time_zone=found.time_zone,
            attributes=dict(found.attributes),
        )


class ContactPage(BaseModel):
    """Contacts by id; `next_after` is the `after` of the following page, null at the end."""

    contacts: list[ContactView]
    next_after: int | None


@lists_router.get("")
async def list_lists(edge: Edge, caller: Viewer) -> list[ListView]:
    """List the contact lists of one's organization, by name."""
    found = await edge.database.read(service.lists, organization_id=caller.organization_id)
    return [ListView.of(entry) for entry in found]


@lists_router.post("", status_code=201)
async def create_list(body: NewList, edge: Edge, caller: Supervisor) -> ListView:
    """Create an empty contact list."""
    created = await edge.database.write(
        service.create_list,
        edge.clock.now(),
        organization_id=service.owner_of_new(caller.organization_id, body.organization_id),
        actor=caller.name,
        name=body.name,
        default_country=body.default_country,
        duplicates_by=body.duplicates_by,
        zone_id=body.zone_id,
        carrier_profile=body.carrier_profile,
    )
    return ListView.of(created)


@lists_router.get("/{list_id}")
async def show_list(list_id: RowId, edge: Edge, caller: Viewer) -> ListView:
    """Show one contact list."""
    found = await edge.database.read(
        service.get_list, organization_id=caller.organization_id, list_id=list_id
    )
    return ListView.of(found)


@lists_router.patch("/{list_id}")
async def rename_list(list_id: RowId, body: ListName, edge: Edge, caller: Supervisor) -> ListView:
    """Give a contact list another name."""
    changed = await edge.database.write(
        service.rename_list,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
        name=body.name,
    )
    return ListView.of(changed)


@lists_router.delete("/{list_id}", status_code=204)
async def delete_list(list_id: RowId, edge: Edge, caller: Supervisor) -> None:
    """Delete a contact list with all its contacts. 409 while a job uses it."""
    await edge.database.write(
        service.delete_list,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        list_id=list_id,
    )


@lists_router.get("/{list_id}/contacts")
async def list_contacts(
    list_id: RowId,
    edge: Edge,
    caller: Viewer,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    limit: Limit = 100,
) -> ContactPage:
    """List contacts by id, `limit` at a time, those behind `after`."""
    found = await edge.database.read(
        service.contacts_page,
        organization_id=caller.organization_id,
        list_id=list_id,
        after=after,
        limit=limit,
    )
    following = found[-1].id if len(found) == limit else None
    return ContactPage(contacts=[ContactView.of(entry) for entry in found], next_after=following)


@lists_router.get("/{list_id}/contacts/{contact_id}")
async def show_contact(list_id: RowId, contact_id: RowId, edge: Edge, caller: Viewer) -> ContactView:
    """Show one contact."""
    found = await edge.database.read(
        service.get_contact, organization_id=caller.organization_id, list_id=list_id, contact_id=contact_id
    )
    return ContactView.of(found)


router.include_router(lists_router)
router.include_router(imports_router)
router.include_router(do_not_contact_router)
