"""`outrider media`: list, add, set, drain, undrain and remove media servers, at the machine itself.

A thin edge over `media/service.py`; `check` and `config` are in `cli/media_check.py`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from outrider.cli.media_check import check, config
from outrider.cli.media_options import json_option, sealer_of
from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import InvalidInputError
from outrider.licences import division_store
from outrider.media import service
from outrider.media.model import MediaServer, Plan

ACTOR = "command line"
COLUMNS = ("name", "zone", "standing", "quota", "granted", "in_use", "maximum_ports", "version", "message")

Command = TypeVar("Command", bound=Callable[..., Any])
Places = tuple[Path | None, str | None, Path | None]


@click.group()
def media() -> None:
    """Media servers: who makes the calls, and how telephony ports are split over them."""


media.add_command(check)
media.add_command(config)


def _fields(*, new: bool) -> Callable[[Command], Command]:
    """Give a command an option for every field that may be configured; `new`: with their defaults."""
    example = Plan(name="x", url="x", username="x", secret="x")  # noqa: S106 - only its defaults are used

    def decorate(command: Command) -> Command:
        for option, name, kind, text in (
            ("--rate", "originations_per_second", float, "New calls per second; 0: as many as come."),
            ("--weight", "weight", int, "Twice the weight, twice the ports."),
            ("--ports", "maximum_ports", int, "Calls that it can carry at the same time."),
            ("--caller-id", "caller_id", str, "Used where the strategy says none."),
            ("--trunk", "trunk", str, "How {number} is dialed."),
            ("--app", "app", str, "Name of the Stasis application."),
            ("--zone", "zone", str, "Name of its zone."),
        ):
            default = getattr(example, name) if new else None
            shown = click.option(option, name, type=kind, default=default, help=text, show_default=new)
            command = shown(command)
        return command

    return decorate


@media.command("list")
@json_option
@database_options
def show(
    *, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """List media servers with their ports and state."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(service.servers)
    if as_json:
        click.echo(json.dumps([document(each) for each in found], indent=2))
        return
    click.echo(_table([{name: str(document(each)[name]) for name in COLUMNS} for each in found]))


@media.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--user", "username", default="outrider", show_default=True, help="User of ari.conf.")
@click.option(
    "--password-file",
    type=click.File("r"),
    help="File that holds the password, - for standard input; otherwise it is asked for.",
)
@_fields(new=True)
@json_option
@database_options
def add(
    *,
    password_file: Any,
    as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    **fields: Any,
) -> None:
    """Register the media server NAME at URL, as http://10.0.0.5:8088."""
    if not fields["originations_per_second"]:
        fields["originations_per_second"] = None
    plan = Plan(**fields, secret=_password(password_file))
    settings = settings_of(settings_file, database, data_folder)
    sealer = sealer_of(settings)

    def work(tx: Tx) -> MediaServer:
        now = RealClock().now()
        division_store.ensure_defaults(tx, now)
        return service.add(tx, sealer, plan, now, ACTOR)

    with open_database(settings) as opened:
        made = opened.write_now(work)
    _tell(made, f"registered {made.name}", as_json=as_json)


@media.command("set")
@click.argument("name")
@click.option("--name", "new_name", help="Its new name.")
@click.option("--url", help="Another address.")
@click.option("--user", "username", help="Another user of ari.conf.")
@click.option("--password-file", type=click.File("r"), help="File that holds the new password, - for stdin.")
@click.option("--ask-password", is_flag=True, help="Ask for the new password.")
@click.option("--enable/--disable", "enabled", default=None, help="Switch it on or off.")
@_fields(new=False)
@json_option
@database_options
def change(
    *,
    name: str,
    new_name: str | None,
    password_file: Any,
    ask_password: bool,
    as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    **fields: Any,
) -> None:
    """Change the media server NAME; what is not given stays."""
    changes = {key: value for key, value in {**fields, "name": new_name}.items() if value is not None}
    if changes.get("originations_per_second") == 0:
        changes["originations_per_second"] = None
    if password_file or ask_password:
        changes["secret"] = _password(password_file)
    if not changes:
        raise InvalidInputError("say what to change; see: outrider media set --help")
    settings = settings_of(settings_file, database, data_folder)
    sealer = sealer_of(settings)

    def work(tx: Tx) -> MediaServer:
        known = service.server_named(tx, name)
        return service.change(tx, sealer, known.id, changes, RealClock().now(), ACTOR)

    with open_database(settings) as opened:
        changed = opened.write_now(work)
    _tell(changed, f"changed {changed.name}", as_json=as_json)


@media.command("drain")
@click.argument("name")
@json_option
@database_options
def drain(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Let the media server NAME start nothing more; its calls go on."""
    found = _set_draining(name, (settings_file, database, data_folder), draining=True)
    _tell(found, f"{name} starts nothing more; {found.in_use} calls are up", as_json=as_json)


@media.command("undrain")
@click.argument("name")
@json_option
@database_options
def undrain(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Let the media server NAME work again."""
    found = _set_draining(name, (settings_file, database, data_folder), draining=False)
    _tell(found, f"{name} works again", as_json=as_json)


@media.command("remove")
@click.argument("name")
@json_option
@database_options
def remove(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Take the media server NAME out of the registry; calls that are up there end by themselves."""

    def work(tx: Tx) -> MediaServer:
        known = service.server_named(tx, name)
        service.remove(tx, known.id, RealClock().now(), ACTOR)
        return known

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        removed = opened.write_now(work)
    _tell(removed, f"removed {name}", as_json=as_json)


def document(server: MediaServer) -> dict[str, Any]:
    """Return a media server as JSON shows it, without anything secret."""
    names = (
        "id",
        "name",
        "zone",
        "driver",
        "url",
        "username",
        "app",
        "trunk",
        "caller_id",
        "maximum_ports",
        "weight",
        "originations_per_second",
        "enabled",
        "draining",
        "standing",
        "health",
        "message",
        "version",
        "quota",
        "granted",
        "in_use",
    )  # fmt: skip - one name a line says no more
    return {name: getattr(server, name) for name in names}


def _set_draining(name: str, places: Places, *, draining: bool) -> MediaServer:
    def work(tx: Tx) -> MediaServer:
        known = service.server_named(tx, name)
        return service.drain(tx, known.id, RealClock().now(), ACTOR, draining=draining)

    with open_database(settings_of(*places)) as opened:
        return opened.write_now(work)


def _password(file: Any) -> str:
    if file is not None:
        return str(file.read()).strip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def _tell(server: MediaServer, text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(document(server), indent=2) if as_json else text)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows under a head, in columns as wide as they need."""
    if not rows:
        return "there is no media server: calls are made by the simulated carrier"
    lines = [{name: name.replace("_", " ") for name in COLUMNS}, *rows]
    widths = {name: max(len(line[name]) for line in lines) for name in COLUMNS}
    return "\n".join("  ".join(line[name].ljust(widths[name]) for name in COLUMNS).rstrip() for line in lines)
