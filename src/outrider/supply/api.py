"""REST for licences: /api/licences (table, files, division), /api/zones, /api/organizations, /api/platform.

`app.py` includes `router`. What the licences are shared among is in `licences/api.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Path

from outrider.db.database import Tx
from outrider.errors import NotAllowedError
from outrider.licences.service import SharingRules
from outrider.supply import dividing, platform_api, service
from outrider.supply.connections import api as connections_api
from outrider.supply.dividing import Grid, Named
from outrider.supply.file import LARGEST_FILE
from outrider.supply.host import host_id
from outrider.supply.schemas import (
    FileView,
    LicencesView,
    Membership,
    NewFile,
    NewName,
    NewOrganization,
    NumbersBody,
)
from outrider.web.access import Caller, Edge, EdgeServices, RowId, SystemAdministrator, Viewer

router = APIRouter(prefix="/api", tags=["licences"])
router.include_router(platform_api.router)
router.include_router(connections_api.router)

FileId = Annotated[str, Path(min_length=1, max_length=200, description="The id that the file gives itself.")]


@router.get("/licences")
async def show_licences(edge: Edge, caller: Viewer) -> LicencesView:
    """Show the licence table: types and counts, version, polls, last change, state and end of grace.

    An organization's user sees what its own organization has.
    """
    return await edge.database.read(_licences, caller)


@router.get("/licences/files")
async def list_files(edge: Edge, caller: Viewer) -> list[FileView]:
    """List the loaded licence files with what they say. For users of the whole system only."""
    if caller.organization_id is not None:
        raise NotAllowedError("licence files are those of the whole system; ask its administrator")
    return [FileView.of(*found) for found in await edge.database.read(service.files)]


@router.post("/licences/files", status_code=201, max_body_size=2 * LARGEST_FILE)
async def load_file(body: NewFile, edge: Edge, caller: SystemAdministrator) -> LicencesView:
    """Load a signed licence file and put it in force at once. 422 says why one is refused."""
    return await edge.database.write(_load, edge, body, caller)


@router.delete("/licences/files/{file_id}")
async def remove_file(file_id: FileId, edge: Edge, caller: SystemAdministrator) -> LicencesView:
    """Remove a licence file; what others authorise counts at once, and calls end by themselves.

    Without any other, the last known numbers stay in force for 30 days of grace.
    """
    return await edge.database.write(_remove, edge, file_id, caller)


@router.get("/licences/division")
async def show_division(edge: Edge, caller: Viewer) -> Grid:
    """Show the zone and organization grid: configured, effective, unused and unallocated.

    An organization's user sees its own rows only.
    """
    return await edge.database.read(dividing.grid, caller.organization_id)


@router.put("/licences/division")
async def set_division(body: NumbersBody, edge: Edge, caller: SystemAdministrator) -> Grid:
    """Set numbers of a zone, or of an organization in it. 422 names the type and the numbers that clash."""
    return await edge.database.write(
        dividing.set_counts,
        edge.part(SharingRules),
        body.zone,
        body.organization,
        body.counts,
        edge.clock.now(),
        caller.name,
    )


@router.get("/zones")
async def list_zones(edge: Edge, caller: Viewer) -> list[Named]:
    """List the zones: all, or those that one's organization works in."""
    return await edge.database.read(dividing.zones, caller.organization_id)


@router.post("/zones", status_code=201)
async def create_zone(body: NewName, edge: Edge, caller: SystemAdministrator) -> Named:
    """Create a zone with no licences yet."""
    return await edge.database.write(dividing.add_zone, body.name, edge.clock.now(), caller.name)


@router.delete("/zones/{zone_id}", status_code=204)
async def delete_zone(zone_id: RowId, edge: Edge, caller: SystemAdministrator) -> None:
    """Delete a zone: its licences become unused, its tasks start nothing more and drain."""
    rules = edge.part(SharingRules)
    await edge.database.write(dividing.remove_zone, rules, zone_id, edge.clock.now(), caller.name)


@router.post("/zones/{zone_id}/organizations")
async def add_to_zone(zone_id: RowId, body: Membership, edge: Edge, caller: SystemAdministrator) -> Grid:
    """Let an organization work in a zone, with no licences there yet."""
    return await edge.database.write(
        dividing.add_to_zone, zone_id, body.organization_id, edge.clock.now(), caller.name
    )


@router.get("/organizations")
async def list_organizations(edge: Edge, caller: Viewer) -> list[Named]:
    """List the organizations: all, or one's own."""
    return await edge.database.read(dividing.organizations, caller.organization_id)


@router.post("/organizations", status_code=201)
async def create_organization(body: NewOrganization, edge: Edge, caller: SystemAdministrator) -> Named:
    """Create an organization with no licences yet."""
    return await edge.database.write(
        dividing.add_organization, body.name, tuple(body.zone_ids), edge.clock.now(), caller.name
    )


@router.delete("/organizations/{organization_id}", status_code=204)
async def delete_organization(organization_id: RowId, edge: Edge, caller: SystemAdministrator) -> None:
    """Delete an organization with its lists, campaigns and jobs; its calls end by themselves first."""
    rules = edge.part(SharingRules)
    await edge.database.write(
        dividing.remove_organization, rules, organization_id, edge.clock.now(), caller.name
    )


def _licences(tx: Tx, caller: Caller) -> LicencesView:
    counts = dividing.own_counts(tx, caller.organization_id)
    return LicencesView.of(service.current(tx), counts, whole=caller.organization_id is None)


def _load(tx: Tx, edge: EdgeServices, body: NewFile, caller: Caller) -> LicencesView:
    service.refuse_elsewhere(edge.settings.licences.server.url)
    rules, now, host = edge.part(SharingRules), edge.clock.now(), host_id(edge.settings.licences.host_id)
    service.load_file(tx, rules, body.text, body.public_key, host, now, caller.name)
    return _licences(tx, caller)


def _remove(tx: Tx, edge: EdgeServices, file_id: str, caller: Caller) -> LicencesView:
    service.refuse_elsewhere(edge.settings.licences.server.url)
    rules, now, host = edge.part(SharingRules), edge.clock.now(), host_id(edge.settings.licences.host_id)
    service.remove_file(tx, rules, file_id, host, now, caller.name)
    return _licences(tx, caller)
