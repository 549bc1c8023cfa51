"""`outrider serve`, `worker`, `migrate` and `check`: the program itself, and the care of its database.

They read the settings and hand over to the composition root.
"""

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.observe import set_up_logging
from outrider.settings import Settings, load_settings


def _settings(
    settings_file: Path | None, database: str | None, data_folder: Path | None, **server: Any
) -> Settings:
    flags: dict[str, Any] = {}
    if database is not None:
        flags["database"] = database
    if data_folder is not None:
        flags["data_folder"] = data_folder
    given = {name: value for name, value in server.items() if value is not None}
    if given:
        flags["server"] = given
    return load_settings(settings_file, flags)


@click.command()
@database_options
@click.option("--host", help="Address to listen on; default 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default 8088, 0 any.")
def serve(
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    host: str | None,
    port: int | None,
) -> None:
    """Serve the console and the API, dial, and keep everything running until SIGTERM or SIGINT.

    The first start prints a one-time password of the user "admin".
    """
    from outrider import app  # noqa: PLC0415 - loads the whole program, which other commands never need
    from outrider.prepared import prepare  # noqa: PLC0415 - as above

    settings = _settings(settings_file, database, data_folder, host=host, port=port)
    set_up_logging(settings.log_format, settings.log_level)
    prepared = prepare(settings)
    if prepared.first_password is not None:
        click.echo(f'One-time password of user "admin": {prepared.first_password}')

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await app.serve(prepared, lambda address: click.echo(f"Outrider is at {address}"), stop)

    asyncio.run(serve())
    prepared.database.close()


@click.command()
@database_options
def worker(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Dial for a system whose pages another process serves; any number may share one PostgreSQL."""
    from outrider import app  # noqa: PLC0415 - loads the whole program, which other commands never need
    from outrider.prepared import prepare  # noqa: PLC0415 - as above

    settings = _settings(settings_file, database, data_folder)
    set_up_logging(settings.log_format, settings.log_level)
    prepared = prepare(settings)

    async def work() -> None:
        working = asyncio.ensure_future(app.work(prepared))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        click.echo("Outrider is working")
        with suppress(asyncio.CancelledError):
            await working

    asyncio.run(work())
    prepared.database.close()


@click.command()
@database_options
def migrate(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Bring the database to the schema of this version; nothing happens when it has it already."""
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings):
        click.echo("the database has the schema of this version")


@click.command()
@database_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(
    settings_file: Path | None, database: str | None, data_folder: Path | None, *, as_json: bool
) -> None:
    """Compare every cached sum with the rows behind it; exit status 1 when something has drifted.

    Units in use against open attempts, contacts left and done against targets, grants against pools.
    """
    from outrider.runtime.store import drifts  # noqa: PLC0415 - keeps the other commands fast

    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        found = opened.read_now(drifts)
    if as_json:
        click.echo(json.dumps({"drifts": found}))
    else:
        for line in found or ["no drift"]:
            click.echo(line)
    if found:
        raise SystemExit(1)
