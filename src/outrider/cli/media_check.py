"""`outrider media check` tries a media server for real, `config` writes what to paste into an Asterisk.

`cli/media.py` adds both to its group.
"""

import asyncio
import json
from pathlib import Path

import click

from outrider.channels.asterisk.configuration import snippets, text
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.cli.media_options import json_option, sealer_of
from outrider.cli.options import database_options, open_database, settings_of
from outrider.db.database import Tx
from outrider.fleet import asterisk_settings, check_server
from outrider.media import service
from outrider.media.checking import Finding, Level
from outrider.media.model import LARGEST_PORTS, Connection, Health
from outrider.media.port_findings import joined

MARKS = {Level.OK: "good", Level.WARNING: "warning", Level.ERROR: "wrong"}
DEFAULT_CALLS = 100


@click.command("check")
@click.argument("name")
@json_option
@database_options
def check(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Try the media server NAME for real and say what is wrong; exit status 1 when no call can be made."""
    settings = settings_of(settings_file, database, data_folder)
    sealer = sealer_of(settings)

    def look(tx: Tx) -> tuple[Connection, bool, tuple[Finding, ...]]:
        known = service.server_named(tx, name)
        ports = service.port_findings(tx).get(known.id, ())
        return service.connection(tx, sealer, known.id), known.health is Health.CONNECTED, ports

    with open_database(settings) as opened:
        connection, in_use, ports = opened.read_now(look)
    found = joined(asyncio.run(check_server(connection, in_use=in_use)), ports)
    if as_json:
        rows = [{"level": one.level.value, "what": one.what, "message": one.message} for one in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        for one in found:
            click.echo(f"{MARKS[one.level]}: {one.what}: {one.message}")
    if any(one.level is Level.ERROR for one in found):
        raise SystemExit(1)


@click.command("config")
@click.argument("name", required=False)
@click.option("--url", default="http://127.0.0.1:8088", show_default=True, help="Without NAME: its address.")
@click.option("--user", default="outrider", show_default=True, help="Without NAME: the user of ari.conf.")
@click.option("--carrier", default="sip.example.net", show_default=True, help="Host of your SIP provider.")
@click.option("--calls", type=click.IntRange(1, LARGEST_PORTS), help="Calls at once; default its maximum.")
@click.option("--reveal", is_flag=True, help="Write the stored password of NAME into it.")
@json_option
@database_options
def config(
    *,
    name: str | None,
    url: str,
    user: str,
    carrier: str,
    calls: int | None,
    reveal: bool,
    as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Write what to paste into the Asterisk of the media server NAME, or into one not registered yet."""
    if name is None:
        described, maximum = AsteriskSettings(name="new", url=url, username=user, password=""), DEFAULT_CALLS
        reveal = False
    else:
        settings = settings_of(settings_file, database, data_folder)
        sealer = sealer_of(settings)

        def look(tx: Tx) -> tuple[Connection, int]:
            known = service.server_named(tx, name)
            return service.connection(tx, sealer, known.id), known.maximum_ports

        with open_database(settings) as opened:
            connection, maximum = opened.read_now(look)
        described = asterisk_settings(connection)
    parts = snippets(described, calls or maximum, reveal=reveal, carrier=carrier)
    if as_json:
        rows = [{"file": part.file, "why": part.why, "text": part.text} for part in parts]
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo(text(parts))
