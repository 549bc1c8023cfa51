"""Pages of imports: a preview of the first rows, the upload itself, progress, and cancelling.

`pages/contacts.py` includes `router`. Files of any size go to disk in pieces; the runtime does the work.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from starlette.responses import HTMLResponse

from outrider.contacts import service as lists
from outrider.contacts.columns import Columns, map_columns, recognise
from outrider.contacts.imports import service
from outrider.contacts.imports.api import UPLOAD_LIMIT, queue_import
from outrider.contacts.imports.files import ImportFiles, save_stream, save_upload
from outrider.contacts.imports.mapping import parse_mapping
from outrider.contacts.imports.model import Duplicates, ImportOptions
from outrider.contacts.imports.reading import Table, open_table
from outrider.errors import ConflictError, ImportFileError, InvalidInputError
from outrider.web.access import Edge, RowId, Supervisor, Text, Viewer
from outrider.web.pages import redirect, render
from outrider.web.pages.console import Line, from_script, show

router = APIRouter(include_in_schema=False)

PREVIEW_ROWS = 5
SHOWN = 10

FIELDS = (
    ("phone", "Phone"),
    *((f"phone{number}", f"Phone {number}") for number in range(2, 6)),
    ("email", "Email"),
    ("external_id", "External id"),
    ("time_zone", "Time zone"),
    ("attribute", "Attribute"),
    ("ignore", "Ignore"),
)
"""What a column can be, as the mapping writes it and as people read it."""


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """One column of a file: its header, what it was taken for, and whether somebody said so."""

    header: str
    field: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file as the import would read it; `error` when it could not be imported so."""

    encoding: str
    delimiter: str
    columns: tuple[PreviewColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    error: str


def preview_of(
    path: Path, name: str, delimiter: str | None, encoding: str | None, mapping: Mapping[str, str]
) -> Preview:
    """Read the first rows of a file that people call `name`. ImportFileError when it is no table at all."""
    table = open_table(path, name, delimiter, encoding)
    error = ""
    try:
        columns = map_columns(name, table.header, mapping)
        fields = _fields(columns)
    except ImportFileError as refused:
        error = refused.message
        fields = {position: _with_number(*recognise(header)) for position, header in enumerate(table.header)}
    return Preview(
        encoding="utf-8" if table.encoding == "utf-8-sig" else table.encoding,
        delimiter={"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}.get(
            table.delimiter, table.delimiter
        ),
        columns=tuple(
            PreviewColumn(
                header or f"column {position + 1}", fields.get(position, "ignore"), header in mapping
            )
            for position, header in enumerate(table.header)
        ),
        rows=_rows(table),
        error=error,
    )


def _fields(columns: Columns) -> dict[int, str]:
    found = {position: _with_number("phone", str(order)) for order, position in enumerate(columns.phones, 1)}
    for name in ("email", "external_id", "time_zone"):
        position = getattr(columns, name)
        if position is not None:
            found[position] = name
    return found | {position: "attribute" for position, _ in columns.attributes}


def _with_number(field: str, detail: str) -> str:
    return f"phone{detail}" if field == "phone" and detail not in ("", "1") else field


def _rows(table: Table) -> tuple[tuple[str, ...], ...]:
    width = len(table.header)
    rows: list[tuple[str, ...]] = []
    try:
        for _, fields in itertools.islice(table.rows(), PREVIEW_ROWS):
            rows.append(tuple([*fields, *[""] * width][:width]))
    except ImportFileError:
        # The piece that was sent may end inside a quoted field; the whole file is judged by the import.
        pass
    return tuple(rows)


Choice = Annotated[Text, Query(max_length=40)]


@router.post("/contacts/lists/{list_id}/preview")
async def handle_preview(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    list_id: RowId,
    *,
    file_name: Annotated[Text, Query(max_length=200)] = "contacts.csv",
    delimiter: Choice = "",
    encoding: Choice = "",
    mapping: Annotated[list[Text] | None, Query(alias="map")] = None,
) -> HTMLResponse:
    """Show how the beginning of a file, sent as the body, would be read."""
    await edge.database.read(lists.get_list, organization_id=caller.organization_id, list_id=list_id)
    saved = await save_stream(edge.data_folder, request.stream(), file_name)
    files = ImportFiles(edge.data_folder, saved.spool)
    try:
        found = await asyncio.to_thread(
            preview_of,
            files.upload,
            file_name,
            delimiter or None,
            encoding or None,
            parse_mapping(_given(mapping)),
        )
    except (ImportFileError, InvalidInputError) as error:
        return render(request, "import_preview.html", preview=None, error=error.message, fields=FIELDS)
    finally:
        files.remove_all()
    return render(request, "import_preview.html", preview=found, error=found.error, fields=FIELDS)


def _given(mapping: Sequence[str] | None) -> list[str]:
    return [pair for pair in mapping or () if pair]


def _chosen(file: UploadFile | None) -> tuple[str, BinaryIO]:
    if file is None or not file.filename:
        raise InvalidInputError("file: choose a CSV file first", where="file")
    return file.filename, file.file


@router.post("/contacts/lists/{list_id}/imports", max_body_size=UPLOAD_LIMIT)
async def handle_import(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    list_id: RowId,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    delimiter: Line = "",
    encoding: Line = "",
    country: Line = "",
    mapping: Annotated[list[Text] | None, Form(alias="map")] = None,
    duplicates: Annotated[Duplicates, Form()] = "skip",
    keep_good: Annotated[bool, Form()] = False,
) -> Response:
    """Save an uploaded file and queue its import."""
    try:
        name, source = _chosen(file)
        options = ImportOptions(
            delimiter=delimiter or None,
            encoding=encoding or None,
            country=country.strip().upper() or None,
            mapping=parse_mapping(_given(mapping)),
            duplicates=duplicates,
            keep_good=keep_good,
        )
        service.check_options(options)
        await edge.database.read(lists.get_list, organization_id=caller.organization_id, list_id=list_id)
        saved = await asyncio.to_thread(save_upload, edge.data_folder, source, name)
        await queue_import(edge, caller, list_id, name, saved, options)
    except (ImportFileError, InvalidInputError) as error:
        if from_script(request):
            raise
        return redirect(f"/contacts/lists/{list_id}", f"Not imported: {error.message}")
    if from_script(request):
        return Response(status_code=204)
    return redirect(f"/contacts/lists/{list_id}", "The import has begun.")


@router.get("/contacts/lists/{list_id}/imports")
async def show_imports(request: Request, edge: Edge, caller: Viewer, list_id: RowId) -> HTMLResponse:
    """Show the newest imports of a list: the part of its page that scripts refresh."""
    found = await edge.database.read(
        service.imports, organization_id=caller.organization_id, list_id=list_id, limit=SHOWN
    )
    if from_script(request):
        return render(request, "imports.html", imports=found, list_id=list_id)
    return await show(request, edge, "imports_page.html", imports=found, list_id=list_id)


@router.post("/contacts/imports/{import_id}/cancel")
async def handle_cancel(request: Request, edge: Edge, caller: Supervisor, import_id: RowId) -> Response:
    """Cancel an import, as far as that is possible."""
    found = await edge.database.read(
        service.get_import, organization_id=caller.organization_id, import_id=import_id
    )
    message = "The import is cancelled."
    try:
        await edge.database.write(
            service.cancel_import,
            edge.clock.now(),
            organization_id=caller.organization_id,
            actor=caller.name,
            import_id=import_id,
        )
    except ConflictError as error:
        if from_script(request):
            raise
        message = error.message
    if from_script(request):
        return Response(status_code=204)
    return redirect(f"/contacts/lists/{found.list_id}", message)
