"""`outrider licences serve | clients | usage | server-key | admin-token`: the licence server.

`cli/licences.py` attaches COMMANDS to its group. A thin edge over `supply/server/`; the files of a server are
in `cli/licence_server_files.py`.
"""

import asyncio
import datetime as dt
import json
import os
import signal
from pathlib import Path

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import Clock, RealClock
from outrider.db.database import Database, Tx
from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT, LicenceKind
from outrider.observe import set_up_logging
from outrider.settings import Settings
from outrider.supply.host import host_id as this_host
from outrider.supply.server import clients as clients_service
from outrider.supply.server import files as files_service
from outrider.supply.server.model import Terms
from outrider.supply.server.server_key import load_key, load_token
from outrider.supply.server.settings import DEFAULT_PORT, ServerConfig
from outrider.supply.server.usage import FeatureUsage, Usage, usage
from outrider.supply.server.usage_json import usage_json

ACTOR = "command line"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COUNT = click.IntRange(0, LARGEST_COUNT)


def host_of(settings: Settings) -> str:
    """Return the id of this host, or the one that the settings or OUTRIDER_HOST_ID give it."""
    return this_host(settings.licences.host_id or os.environ.get("OUTRIDER_HOST_ID"))


@click.command()
@database_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any."
)
@click.option("--tls-cert", type=_FILE, help="Certificate chain (PEM); needed beyond loopback.")
@click.option("--tls-key", type=_FILE, help="The certificate's private key (PEM).")
@click.option("--insecure", is_flag=True, help="Serve plain HTTP to other hosts: something else protects it.")
@click.option("--file", "files", type=_FILE, multiple=True, help="Load this licence file first; repeatable.")
@click.option("--public-key", type=_FILE, help="The issuer's public key, for --file.")
@click.option(
    "--lease", type=click.FloatRange(1, 86_400), default=600, show_default=True, help="Seconds a lease lasts."
)
def serve(
    *,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
    files: tuple[Path, ...],
    public_key: Path | None,
    lease: float,
) -> None:
    """Serve leases of counted features to platforms, until SIGTERM or SIGINT.

    Give each platform a client (outrider licences clients add) and the server's key (licences server-key).
    """
    from outrider.supply.server import runner  # noqa: PLC0415 - loads the web server, which others never need

    settings = settings_of(settings_file, database, data_folder)
    config = ServerConfig(
        host_id=host_of(settings),
        host=host,
        port=port,
        tls_certificate=tls_cert,
        tls_key=tls_key,
        insecure=insecure,
        terms=Terms(lease=dt.timedelta(seconds=lease)),
    )
    config.check()
    set_up_logging(settings.log_format, settings.log_level)
    clock = RealClock()
    with open_database(settings) as opened:
        _load_files(opened, clock, config.host_id, files, public_key)

        async def run() -> None:
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await runner.serve(opened, clock, config, settings.data_folder, _tell, stop)

        asyncio.run(run())


def _tell(address: str) -> None:
    click.echo(f"Licence server is at {address}")


def _load_files(
    database: Database, clock: Clock, host_id: str, files: tuple[Path, ...], public_key: Path | None
) -> None:
    """Load the named files, unless that very text is loaded already."""
    if not files:
        return
    if public_key is None:
        raise InvalidInputError("--file needs --public-key: the issuer's public key", where="public_key")
    key = read_text(public_key)

    def load(tx: Tx, text: str) -> None:
        known = {stored.text for _, stored, _ in files_service.files(tx)}
        if text.strip() not in known:
            files_service.load_file(tx, text, key, host_id, clock.now(), ACTOR)

    for path in files:
        database.write_now(load, read_text(path))


def read_text(path: Path) -> str:
    """Return the text of a licence file or key. InvalidInputError when it cannot be read."""
    try:
        return path.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror or error}") from None


@click.group()
def clients() -> None:
    """Platforms that may lease from this server: their tokens, minimums and limits."""


@clients.command("add")
@click.argument("name")
@click.option("--about", default="", help="A description for people.")
@database_options
def add_client(
    *, name: str, about: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Add the client NAME and print its token, which is shown only now."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        made = opened.write_now(clients_service.add, name, about, RealClock().now(), ACTOR)
    click.echo(f"client: {made.name}\ntoken:  {made.token}")


@clients.command("token")
@click.argument("name")
@database_options
def renew_client_token(
    *, name: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Give the client NAME another token and print it; the old one is refused from now on."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        made = opened.write_now(clients_service.renew_token, name, RealClock().now(), ACTOR)
    click.echo(f"client: {made.name}\ntoken:  {made.token}")


@clients.command("remove")
@click.argument("name")
@database_options
def remove_client(
    *, name: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Refuse the client NAME from now on; what it holds comes free when its lease ends."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        client = opened.write_now(clients_service.remove, name, RealClock().now(), ACTOR)
    click.echo(f"{name} is removed; {_until(client.expires_at, RealClock().now())}")


def _until(expires_at: dt.datetime | None, now: dt.datetime) -> str:
    if expires_at is None or expires_at <= now:
        return "it held nothing"
    return f"what it holds comes free at {expires_at:%Y-%m-%d %H:%M:%S} UTC"


@clients.command("release")
@click.argument("name")
@database_options
def release_client(
    *, name: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Free what NAME holds at once: for a platform that is known to be gone, or that moved."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        opened.write_now(clients_service.release, name, RealClock().now(), ACTOR)
    click.echo(f"{name} holds nothing now")


@clients.command("minimum")
@click.argument("name")
@click.argument("feature", type=click.Choice([kind.value for kind in LicenceKind]))
@click.argument("minimum", type=_COUNT)
@click.option("--maximum", type=_COUNT, help="The most that it may have; default: no limit.")
@database_options
def set_minimum(
    *,
    name: str,
    feature: str,
    minimum: int,
    maximum: int | None,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Reserve MINIMUM units of FEATURE for the client NAME, even while it is away (0: none)."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        kind, now = LicenceKind(feature), RealClock().now()
        opened.write_now(clients_service.set_limit, name, kind, minimum, maximum, now, ACTOR)
    limit = "no maximum" if maximum is None else f"maximum {maximum}"
    click.echo(f"{name}: {feature} minimum {minimum}, {limit}")


@clients.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@database_options
def list_clients(
    *, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """List the clients with what they hold, what is reserved for them, and when they were heard."""
    found = _usage(settings_of(settings_file, database, data_folder))
    if as_json:
        click.echo(json.dumps(usage_json(found)["clients"], indent=2))
        return
    for client in found.clients:
        heard = "never" if client.renewed_at is None else f"{client.renewed_at:%Y-%m-%d %H:%M:%S} UTC"
        state = "leasing" if client.is_present else "removed" if client.is_retired else "away"
        click.echo(f"{client.name}  {state}, heard {heard}")
        for held in client.holds:
            maximum = "" if held.maximum is None else f", maximum {held.maximum}"
            click.echo(f"  {held.kind}: {held.kept} (minimum {held.minimum}{maximum})")


@click.command("usage")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@database_options
def show_usage(
    *, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Show what is leased now, the peaks of 7 and 30 days, denials, and what is free."""
    found = _usage(settings_of(settings_file, database, data_folder))
    if as_json:
        click.echo(json.dumps(usage_json(found), indent=2))
        return
    heads = ("feature", "total", "leased", "reserved", "free", "peak 7d", "peak 30d", "denials", "true")
    rows = [_row(each) for each in found.features]
    widths = [max(len(str(row[column])) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        click.echo("  ".join(f"{cell!s:>{width}}" for cell, width in zip(row, widths, strict=True)))
    if found.message:
        click.echo(found.message)


def _row(feature: FeatureUsage) -> tuple[str | int, ...]:
    denials = (feature.denials, feature.true_denials)
    if feature.is_gate:
        return (feature.kind.value, "open" if feature.total else "closed", *("-",) * 5, *denials)
    counts = (feature.total, feature.leased, feature.reserved, feature.free)
    return (feature.kind.value, *counts, feature.peak_7_days, feature.peak_30_days, *denials)


def _usage(settings: Settings) -> Usage:
    with open_database(settings) as opened:
        return opened.read_now(usage, host_of(settings), RealClock().now())


@click.command("server-key")
@database_options
def show_server_key(*, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Print the server's public key, which its clients are given; it is made now if there is none."""
    settings = settings_of(settings_file, database, data_folder)
    settings.make_data_folder()
    click.echo(load_key(settings.data_folder).public_pem, nl=False)


@click.command("admin-token")
@database_options
def show_admin_token(*, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Print the token with which other hosts may read the server's status page and usage."""
    settings = settings_of(settings_file, database, data_folder)
    settings.make_data_folder()
    click.echo(load_token(settings.data_folder))


COMMANDS: list[click.Command] = [serve, clients, show_usage, show_server_key, show_admin_token]
