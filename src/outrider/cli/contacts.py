"""`outrider contacts`: import contact files, resume imports, show lists and imports.

A thin edge over `contacts/` and `runtime/importing.py`; `do-not-contact` is in a module of its own.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from outrider.cli.do_not_contact import do_not_contact
from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.contacts import service
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import ImportFiles, save_upload
from outrider.contacts.imports.mapping import parse_mapping
from outrider.contacts.imports.model import Import, ImportOptions, ImportState
from outrider.contacts.model import DUPLICATES_BY, ContactList
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, ImportFileError, NotFoundError
from outrider.runtime.importing import ImportRunner

ACTOR = "command line"


@click.group()
def contacts() -> None:
    """Import contacts, and keep lists of whom not to contact."""


contacts.add_command(do_not_contact)


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "list_name", required=True, help="Name of the contact list; made when it is new.")
@click.option("--organization", help="Whose list it is; not needed when there is only one.")
@click.option("--country", help="Country of national numbers, as DE; needed for a new list.")
@click.option(
    "--duplicates-by",
    type=click.Choice(DUPLICATES_BY),
    default="phone",
    show_default=True,
    help="For a new list: what makes two rows the same person.",
)
@click.option("--delimiter", help="comma, semicolon, tab, pipe or a character; default: detected.")
@click.option("--encoding", help="As utf-8, utf-16 or cp1252; default: detected.")
@click.option(
    "--map", "pairs", multiple=True, metavar="HEADER=FIELD", help="Say what a column is; repeatable."
)
@click.option(
    "--duplicates",
    type=click.Choice(["skip", "update"]),
    default="skip",
    show_default=True,
    help="What to do with rows of people who are on the list.",
)
@click.option("--keep-good", is_flag=True, help="Import the good rows even if others are rejected.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Copy the rejected rows to this CSV file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@database_options
def import_(
    file: Path,
    list_name: str,
    organization: str | None,
    country: str | None,
    duplicates_by: str,
    delimiter: str | None,
    encoding: str | None,
    pairs: tuple[str, ...],
    duplicates: Any,
    keep_good: bool,  # noqa: FBT001 - click passes by name
    rejects: Path | None,
    as_json: bool,  # noqa: FBT001 - as above
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Import a CSV FILE into a list. Nothing is imported when a row is rejected, unless --keep-good."""
    options = ImportOptions(
        delimiter=delimiter,
        encoding=encoding,
        country=country,
        mapping=parse_mapping(pairs),
        duplicates=duplicates,
        keep_good=keep_good,
    )
    imports.check_options(options)
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        target = opened.write_now(_list_for_import, organization, list_name, country, duplicates_by)
        queued = _queue(opened, settings.data_folder, file, target, options)
        runner = ImportRunner(opened, settings.data_folder, RealClock())
        ended = _run(runner, opened, queued.id, show=not as_json)
    _report(ended, ImportFiles(settings.data_folder, ended.spool), rejects, as_json=as_json)


@contacts.command()
@database_options
def resume(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Finish imports that were interrupted or wait for a server."""
    settings = settings_of(settings_file, database, data_folder)
    failed = False
    with open_database(settings) as opened:
        runner = ImportRunner(opened, settings.data_folder, RealClock())
        while (import_id := runner.claim_next()) is not None:
            ended = runner.run_one(import_id)
            if ended is not None:
                click.echo(_summary(ended))
                failed = failed or ended.state is ImportState.FAILED
    if failed:
        sys.exit(1)


@contacts.command("lists")
@click.option("--organization", help="Only the lists of this organization.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@database_options
def lists_(
    organization: str | None,
    as_json: bool,  # noqa: FBT001 - click passes by name
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Show the contact lists with their numbers of contacts."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(_lists, organization)
    if as_json:
        click.echo(json.dumps([_list_document(entry) for entry in found], indent=2))
        return
    for entry in found:
        click.echo(f"{entry.id:>6}  {entry.contacts:>11,}  {entry.default_country}  {entry.name}")


def _lists(tx: Tx, organization: str | None) -> list[ContactList]:
    owner = None if organization is None else service.organization_by_name(tx, organization)
    return service.lists(tx, organization_id=owner)


def _list_for_import(
    tx: Tx, organization: str | None, name: str, country: str | None, duplicates_by: str
) -> ContactList:
    owner = service.organization_by_name(tx, organization)
    found = service.find_list(tx, organization_id=owner, name=name)
    if found is not None:
        return found
    if country is None:
        raise NotFoundError(
            f"there is no contact list {name!r}; to make it, add --country, as in --country DE"
        )
    return service.create_list(
        tx,
        RealClock().now(),
        organization_id=owner,
        actor=ACTOR,
        name=name,
        default_country=country,
        duplicates_by=duplicates_by,
    )


def _queue(
    database: Database, data_folder: Path, file: Path, target: ContactList, options: ImportOptions
) -> Import:
    try:
        with file.open("rb") as source:
            saved = save_upload(data_folder, source, file.name)
    except OSError as error:
        raise ImportFileError(f"{file}: cannot be read: {error.strerror}") from None
    return database.write_now(
        imports.request_import,
        RealClock().now(),
        organization_id=None,
        actor=ACTOR,
        list_id=target.id,
        file_name=file.name,
        file_size=saved.size,
        file_digest=saved.digest,
        spool=saved.spool,
        options=options,
    )


def _run(runner: ImportRunner, database: Database, import_id: int, *, show: bool) -> Import:
    """Run the import here, with a progress bar where there is a terminal."""
    if runner.claim_next(import_id) is None:
        raise ConflictError(f"import {import_id} was taken over by the server; see its page")
    with click.progressbar(length=1000, label="Importing", file=sys.stderr, hidden=not show) as bar:
        ended = runner.run_one(import_id, _mover(bar.update, lambda: bar.pos))
        bar.update(1000 - bar.pos)
    return ended or database.read_now(imports.get_import, organization_id=None, import_id=import_id)


def _mover(move: Callable[[int], None], position: Callable[[], int]) -> Callable[[Import], None]:
    return lambda present: move(max(0, int(present.progress * 1000) - position()))


def _report(ended: Import, files: ImportFiles, rejects: Path | None, *, as_json: bool) -> None:
    if rejects is not None and files.rejects.exists():
        try:
            shutil.copyfile(files.rejects, rejects)
        except OSError as error:
            raise ImportFileError(f"{rejects}: cannot be written: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps(_document(ended), indent=2))
    elif ended.state is ImportState.DONE:
        click.echo(_summary(ended))
    if ended.state is ImportState.DONE:
        if ended.rows_rejected and not as_json:
            click.echo(f"rejected rows: {rejects or files.rejects}")
        return
    where = f" (rejected rows: {rejects or files.rejects})" if ended.rows_rejected else ""
    raise ImportFileError(ended.message + where)


def _summary(ended: Import) -> str:
    counts = (
        f"{ended.rows_read:,} rows: {ended.rows_added:,} added, {ended.rows_updated:,} updated, "
        f"{ended.rows_duplicate:,} duplicates, {ended.rows_rejected:,} rejected"
    )
    return f"{ended.file_name}: {ended.state.value}: {ended.message or counts}"


def _document(ended: Import) -> dict[str, object]:
    names = ("id", "list_id", "file_name", "file_size", "rows_read", "rows_added", "rows_updated")
    more = ("rows_duplicate", "rows_rejected", "message")
    shown: dict[str, object] = {name: getattr(ended, name) for name in (*names, *more)}
    return shown | {"state": ended.state.value, "found": dict(ended.found)}


def _list_document(entry: ContactList) -> dict[str, object]:
    names = ("id", "organization_id", "name", "default_country", "duplicates_by", "contacts")
    return {name: getattr(entry, name) for name in names}
