"""The licences page: what is authorised, licence files, and its division over zones and organizations.

`app.py` includes `router`. Everybody reads it; administrators of the system change it (licensing.md 7).
"""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from starlette.responses import HTMLResponse

from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, LicenceFileError, NotFoundError, OutriderError
from outrider.licences import division
from outrider.licences.model import GATE_KINDS, LicenceKind
from outrider.licences.service import SharingRules
from outrider.people.model import Caller
from outrider.supply import service as supply
from outrider.supply.file import LARGEST_FILE
from outrider.web.access import Edge, EdgeServices, SystemAdministrator, Viewer
from outrider.web.pages import redirect, render
from outrider.web.pages.console import Line, from_script, host_of, optional_number, rules_of, show
from outrider.web.pages.licences_view import licences_view

router = APIRouter(include_in_schema=False)

Pasted = Annotated[str, Form(max_length=LARGEST_FILE)]


@router.get("/licences")
async def show_licences(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show what is authorised, and how it is divided."""
    return await _page(request, edge, caller)


async def _page(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    *,
    status: int = 200,
    file_error: str = "",
    division_error: str = "",
) -> HTMLResponse:
    view = await edge.database.read(licences_view, caller)
    files = await edge.database.read(supply.files) if caller.is_system_administrator else []
    return await show(
        request,
        edge,
        "licences.html",
        status=status,
        view=view,
        files=files,
        host_id=host_of(edge),
        now=edge.clock.now(),
        file_error=file_error,
        division_error=division_error,
        path="/licences",
    )


@router.post("/licences/files", max_body_size=4 * LARGEST_FILE)
async def handle_load(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    text: Pasted = "",
    public_key_file: Annotated[UploadFile | None, File()] = None,
    public_key: Pasted = "",
) -> Response:
    """Load a signed licence file, uploaded or pasted, or show the page again with the reason."""
    try:
        supply.refuse_elsewhere(edge.settings.licences.server.url)
        given = await _content(file, text, "licence file")
        key = await _content(public_key_file, public_key, "public key")
        found = await edge.database.write(
            supply.load_file, rules_of(edge), given, key, host_of(edge), edge.clock.now(), caller.name
        )
    except (LicenceFileError, InvalidInputError, ConflictError) as error:
        return await _page(request, edge, caller, status=422, file_error=error.message)
    ports = found.counts.get(LicenceKind.OUTBOUND_PORTS, 0)
    return redirect("/licences", f"The licence file is loaded: {ports:,} outbound ports are authorised now.")


async def _content(uploaded: UploadFile | None, pasted: str, what: str) -> str:
    data = b"" if uploaded is None else await uploaded.read(LARGEST_FILE + 1)
    if data:
        try:
            return data.decode("ascii")
        except UnicodeDecodeError:
            raise LicenceFileError(
                f"the {what} is binary or has other than ASCII characters: give the file that the issuer sent"
            ) from None
    if not pasted.strip():
        raise InvalidInputError(f"{what}: choose the file, or paste its text", where=what)
    return pasted


@router.post("/licences/files/remove")
async def handle_remove(edge: Edge, caller: SystemAdministrator, file_id: Line) -> Response:
    """Forget a licence file; what others authorise counts at once, or the last known numbers for grace."""
    supply.refuse_elsewhere(edge.settings.licences.server.url)
    await edge.database.write(
        supply.remove_file, rules_of(edge), file_id, host_of(edge), edge.clock.now(), caller.name
    )
    return redirect("/licences", f"The licence file {file_id} is removed.")


@router.post("/licences/numbers")
async def handle_number(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    *,
    zone: Line,
    kind: Annotated[LicenceKind, Form()],
    organization: Line = "",
    count: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Set one number of a zone, or of an organization in it; an empty one takes it away."""
    try:
        units = optional_number(count, "count")
        await edge.database.write(
            _set_number, rules_of(edge), edge, caller, zone, organization or None, kind, units
        )
    except (InvalidInputError, NotFoundError) as error:
        if from_script(request):
            raise
        return await _page(request, edge, caller, status=422, division_error=error.message)
    if from_script(request):
        view = await edge.database.read(licences_view, caller)
        return render(request, "licences_division.html", view=view, path="/licences")
    return redirect("/licences#division", "The number is saved.")


def _set_number(
    tx: Tx,
    rules: SharingRules,
    edge: EdgeServices,
    caller: Caller,
    zone: str,
    organization: str | None,
    kind: LicenceKind,
    units: int | None,
) -> None:
    if units is not None and kind in GATE_KINDS:
        units = min(units, 1)
    division.lock(tx)
    division.set_counts(
        tx,
        rules,
        supply.current(tx).counts,
        edge.clock.now(),
        zone,
        organization,
        {kind: units},
        actor=caller.name,
    )


@router.post("/licences/zones")
async def handle_new_zone(
    request: Request, edge: Edge, caller: SystemAdministrator, name: Line = ""
) -> Response:
    """Create a zone."""
    try:
        await edge.database.write(division.add_zone, name, edge.clock.now(), caller.name)
    except (InvalidInputError, ConflictError) as error:
        return await _page(request, edge, caller, status=422, division_error=error.message)
    return redirect("/licences#division", "The zone is created; give it numbers.")


@router.post("/licences/organizations")
async def handle_new_organization(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    name: Line = "",
    zone: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Create an organization in some zones."""
    try:
        await edge.database.write(
            division.add_organization, name, tuple(zone or ()), edge.clock.now(), caller.name
        )
    except (InvalidInputError, ConflictError, NotFoundError) as error:
        return await _page(request, edge, caller, status=422, division_error=error.message)
    return redirect("/licences#division", "The organization is created; give it numbers.")


@router.post("/licences/zones/members")
async def handle_new_member(
    request: Request, edge: Edge, caller: SystemAdministrator, zone: Line, organization: Line
) -> Response:
    """Let an organization work in a zone."""
    try:
        await edge.database.write(division.add_to_zone, zone, organization, edge.clock.now(), caller.name)
    except (NotFoundError, ConflictError) as error:
        return await _page(request, edge, caller, status=422, division_error=error.message)
    return redirect("/licences#division", f"{organization} may work in {zone} now; give it numbers there.")


@router.post("/licences/zones/delete")
async def handle_delete_zone(
    request: Request, edge: Edge, caller: SystemAdministrator, name: Line
) -> Response:
    """Delete a zone: its licences become unused, its tasks drain."""
    try:
        await edge.database.write(_delete_zone, rules_of(edge), edge, caller, name)
    except OutriderError as error:
        return await _page(request, edge, caller, status=409, division_error=error.message)
    return redirect("/licences#division", f"The zone {name} is deleted; its licences are unused now.")


def _delete_zone(tx: Tx, rules: SharingRules, edge: EdgeServices, caller: Caller, name: str) -> None:
    division.lock(tx)
    counts = supply.current(tx).counts
    division.remove_zone(tx, rules, counts, name, edge.clock.now(), caller.name)


@router.post("/licences/organizations/delete")
async def handle_delete_organization(
    request: Request, edge: Edge, caller: SystemAdministrator, name: Line
) -> Response:
    """Delete an organization with all that it has: its licences become unallocated, its tasks drain."""
    try:
        await edge.database.write(_delete_organization, rules_of(edge), edge, caller, name)
    except OutriderError as error:
        return await _page(request, edge, caller, status=409, division_error=error.message)
    return redirect(
        "/licences#division", f"The organization {name} is deleted; its licences are unallocated now."
    )


def _delete_organization(tx: Tx, rules: SharingRules, edge: EdgeServices, caller: Caller, name: str) -> None:
    division.lock(tx)
    counts = supply.current(tx).counts
    division.remove_organization(tx, rules, counts, name, edge.clock.now(), caller.name)
