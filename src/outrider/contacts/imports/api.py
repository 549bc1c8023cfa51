"""REST for imports: upload a file to a list, follow its progress, fetch its rejects, cancel it.

`contacts/api.py` includes `router`. A body of any size goes straight to disk; the work itself is done by
`runtime/importing.py`, which hears of it through the event log.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel

from outrider.contacts import service as lists
from outrider.contacts.imports import service
from outrider.contacts.imports.files import ImportFiles, Saved, save_stream
from outrider.contacts.imports.mapping import parse_mapping
from outrider.contacts.imports.model import Duplicates, Import, ImportOptions, ImportState
from outrider.errors import NotFoundError, OutriderError
from outrider.web.access import Caller, Edge, EdgeServices, RowId, Supervisor, Text, Viewer

UPLOAD_LIMIT = 1 << 40
"""Bytes; the default for all other requests is far smaller."""

LARGEST_ID = 2**63 - 1

router = APIRouter(prefix="/api", tags=["imports"])

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, not wrapped in a form: curl --upload-file contacts.csv -X POST ...",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ImportView(BaseModel):
    """An import and how far it is. `found` says which encoding, delimiter and columns were recognised."""

    id: int
    list_id: int
    state: ImportState
    file_name: str
    file_size: int
    file_digest: str
    progress: float
    rows_read: int
    rows_added: int
    rows_updated: int
    rows_duplicate: int
    rows_rejected: int
    message: str
    duplicates: Duplicates
    keep_good: bool
    found: dict[str, Any]
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @classmethod
    def of(cls, found: Import) -> "ImportView":
        """Return the view of an import."""
        same = {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls(**same, duplicates=found.options.duplicates, keep_good=found.options.keep_good)


async def queue_import(
    edge: EdgeServices, caller: Caller, list_id: int, file_name: str, saved: Saved, options: ImportOptions
) -> Import:
    """Queue a saved upload; its file is removed when it cannot be. For this API and for pages."""
    try:
        return await edge.database.write(
            service.request_import,
            edge.clock.now(),
            organization_id=caller.organization_id,
            actor=caller.name,
            list_id=list_id,
            file_name=file_name,
            file_size=saved.size,
            file_digest=saved.digest,
            spool=saved.spool,
            options=options,
        )
    except OutriderError:
        ImportFiles(edge.data_folder, saved.spool).remove_all()
        raise


@router.post(
    "/contact-lists/{list_id}/imports", status_code=202, max_body_size=UPLOAD_LIMIT, openapi_extra=FILE_BODY
)
async def start_import(
    list_id: RowId,
    request: Request,
    edge: Edge,
    caller: Supervisor,
    file_name: Annotated[Text, Query(max_length=200)] = "contacts.csv",
    delimiter: Annotated[Text | None, Query(max_length=20)] = None,
    encoding: Annotated[Text | None, Query(max_length=40)] = None,
    country: Annotated[Text | None, Query(max_length=2)] = None,
    mapping: Annotated[list[Text] | None, Query(alias="map", description="HEADER=FIELD; repeatable.")] = None,
    duplicates: Duplicates = "skip",
    keep_good: bool = False,  # noqa: FBT001, FBT002 - FastAPI passes by name
) -> ImportView:
    """Import the CSV file in the body. Nothing is imported when a row is rejected, unless `keep_good`."""
    options = ImportOptions(
        delimiter=delimiter,
        encoding=encoding,
        country=country,
        mapping=parse_mapping(mapping or []),
        duplicates=duplicates,
        keep_good=keep_good,
    )
    # Refused before the file is sent, not after.
    service.check_options(options)
    await edge.database.read(lists.get_list, organization_id=caller.organization_id, list_id=list_id)
    saved = await save_stream(edge.data_folder, request.stream(), file_name)
    return ImportView.of(await queue_import(edge, caller, list_id, file_name, saved, options))


@router.get("/contact-lists/{list_id}/imports")
async def list_imports_of_list(
    list_id: RowId,
    edge: Edge,
    caller: Viewer,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=service.LARGEST_PAGE)] = 100,
) -> list[ImportView]:
    """List the imports of one list, newest first, `limit` at a time, those older than `before`."""
    found = await edge.database.read(
        service.imports, organization_id=caller.organization_id, list_id=list_id, before=before, limit=limit
    )
    return [ImportView.of(entry) for entry in found]


@router.get("/imports")
async def list_imports(
    edge: Edge,
    caller: Viewer,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=service.LARGEST_PAGE)] = 100,
) -> list[ImportView]:
    """List the imports of all lists, newest first."""
    found = await edge.database.read(
        service.imports, organization_id=caller.organization_id, before=before, limit=limit
    )
    return [ImportView.of(entry) for entry in found]


@router.get("/imports/{import_id}")
async def show_import(import_id: RowId, edge: Edge, caller: Viewer) -> ImportView:
    """Show one import with its progress."""
    return ImportView.of(await _get(edge, caller, import_id))


@router.post("/imports/{import_id}/cancel")
async def cancel_import(import_id: RowId, edge: Edge, caller: Supervisor) -> ImportView:
    """Cancel an import. 409 when it has ended, or is all-or-nothing and already being written."""
    cancelled = await edge.database.write(
        service.cancel_import,
        edge.clock.now(),
        organization_id=caller.organization_id,
        actor=caller.name,
        import_id=import_id,
    )
    return ImportView.of(cancelled)


@router.get(
    "/imports/{import_id}/rejects",
    response_class=FileResponse,
    responses={200: {"description": "The rejected rows.", "content": {"text/csv": {}}}},
)
async def fetch_rejects(import_id: RowId, edge: Edge, caller: Viewer) -> FileResponse:
    """Download the rejected rows as CSV: line, reason, the file's columns. 404 when there are none."""
    found = await _get(edge, caller, import_id)
    path = ImportFiles(edge.data_folder, found.spool).rejects
    if not found.rows_rejected or not path.exists():
        raise NotFoundError(f"import {import_id} has no rejected rows to download")
    name = f"{Path(found.file_name).stem}-rejects.csv"
    return FileResponse(path, media_type="text/csv; charset=utf-8", filename=name)


async def _get(edge: EdgeServices, caller: Caller, import_id: int) -> Import:
    return await edge.database.read(
        service.get_import, organization_id=caller.organization_id, import_id=import_id
    )
