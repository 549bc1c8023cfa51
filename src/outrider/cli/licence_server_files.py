"""`outrider licences files | rehost-request | rehost`: the files of a licence server, and their move.

`cli/licences.py` attaches COMMANDS to its group.
"""

import datetime as dt
from pathlib import Path

import click

from outrider.cli.licence_server import ACTOR, host_of, read_text
from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import OutriderError
from outrider.supply.file import issue, read
from outrider.supply.keys import read_public
from outrider.supply.server import files as service
from outrider.supply.server.rehost import (
    LONGEST_KEPT,
    RehostRequest,
    check_move,
    moved,
    read_request,
    write_request,
)
from outrider.supply.server.server_key import load_key
from outrider.supply.server.usage import usage

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("files")
def files() -> None:
    """Licence files that are loaded in this database."""


@files.command("add")
@click.argument("file", type=_FILE)
@click.option("--public-key", type=_FILE, required=True, help="The issuer's public key.")
@database_options
def add_file(
    *,
    file: Path,
    public_key: Path,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Load the signed licence FILE; it counts at once, beside those that are loaded."""
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        licence = opened.write_now(
            service.load_file,
            read_text(file),
            read_text(public_key),
            host_of(settings),
            RealClock().now(),
            ACTOR,
        )
    click.echo(f"licence file {licence.id} for {licence.customer} is loaded")


@files.command("remove")
@click.argument("file_id")
@database_options
def remove_file(
    *, file_id: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Forget the licence file FILE_ID; what it authorised is taken back as leases are renewed."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        opened.write_now(service.remove_file, file_id, RealClock().now(), ACTOR)
    click.echo(f"licence file {file_id} is removed")


@files.command("list")
@database_options
def list_files(*, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """List the loaded licence files, what they count, and why one does not."""
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        found = opened.read_now(usage, host_of(settings), RealClock().now()).files
    for file in found:
        ends = "" if file.expires_at is None else f", until {file.expires_at:%Y-%m-%d}"
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(file.counts.items()))
        click.echo(f"{file.file_id}  {counts}{ends}")
        if file.problem or file.notice:
            click.echo(f"  {'does not count: ' if file.problem else ''}{file.problem or file.notice}")


@click.command("rehost-request")
@click.argument("file_ids", nargs=-1, required=True, metavar="FILE_ID...")
@click.option("--new-host-id", required=True, help="What outrider licences host-id prints on the new host.")
@click.option("--output", type=_NEW_FILE, required=True, help="New file for the request.")
@click.option(
    "--keep-days",
    type=click.IntRange(0, LONGEST_KEPT.days),
    default=7,
    show_default=True,
    help="How long the files still count here.",
)
@database_options
def rehost_request(
    *,
    file_ids: tuple[str, ...],
    new_host_id: str,
    output: Path,
    keep_days: int,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Give licence files up for another host, and write the request that the issuer needs for new ones.

    The request is signed with this server's key. The files count here for --keep-days more, then never again.
    Repeating the command writes the request again.
    """
    settings = settings_of(settings_file, database, data_folder)
    old_host_id, now = host_of(settings), RealClock().now()
    kept = dt.timedelta(days=keep_days)
    check_move(old_host_id, new_host_id, kept)
    settings.make_data_folder()
    key = load_key(settings.data_folder).key

    def give_up(tx: Tx) -> RehostRequest:
        given = [
            service.give_up(tx, each, new_host_id, now + kept, now, ACTOR) for each in dict.fromkeys(file_ids)
        ]
        ends = max(withdrawal.effective_at for _, withdrawal in given)
        return RehostRequest(old_host_id, new_host_id, now, ends, tuple(licence for licence, _ in given))

    if output.exists():
        raise OutriderError(f"{output} exists and is not overwritten: name another file.")
    with open_database(settings) as opened:
        request = opened.write_now(give_up)
    _write_new(output, write_request(request, key))
    until = f"{request.counts_until:%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"{output}: send it to the issuer with the server's public key; the files count here until {until}"
    )


@click.command("rehost")
@click.option("--request", "request_file", type=_FILE, required=True, help="What rehost-request wrote.")
@click.option("--server-key", type=_FILE, required=True, help="The public key of the server that asks.")
@click.option(
    "--file", "old_files", type=_FILE, multiple=True, required=True, help="Your copy of an old file."
)
@click.option("--public-key", type=_FILE, required=True, help="Your public key, which they are signed with.")
@click.option("--key", type=_FILE, required=True, help="Your private key, which signs the new files.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for them."
)
def rehost(
    *,
    request_file: Path,
    server_key: Path,
    old_files: tuple[Path, ...],
    public_key: Path,
    key: Path,
    output: Path,
) -> None:
    """Issue new files for the new host of a rehost request (the issuer's side); they supersede the old."""
    request = read_request(read_text(request_file), read_public(read_text(server_key)))
    own = [read(read_text(each), read_text(public_key)) for each in old_files]
    made = moved(request, own, RealClock().now().replace(microsecond=0))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutriderError(f"cannot make {output}: {error.strerror or error}.") from None
    for licence in made:
        path = output / f"{licence.id}.licence"
        _write_new(path, issue(licence, read_text(key)))
        click.echo(f"{path}: for host {licence.host_id}, instead of {licence.supersedes[-1]}")
    click.echo(f"the old host counts its files until {request.counts_until:%Y-%m-%d %H:%M} UTC")


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(text)
    except FileExistsError:
        raise OutriderError(f"{path} exists and is not overwritten: name another file.") from None
    except OSError as error:
        raise OutriderError(f"cannot write {path}: {error.strerror or error}.") from None


COMMANDS: list[click.Command] = [files, rehost_request, rehost]
