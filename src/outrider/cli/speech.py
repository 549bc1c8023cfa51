"""`outrider speech`: list, add, set, remove and check speech servers, at the machine itself.

A thin edge over `speech/service.py` and `speech/check.py`.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import InvalidInputError, NotFoundError
from outrider.media.checking import Level
from outrider.speaking import speech_settings
from outrider.speech import check as checking
from outrider.speech import service
from outrider.speech.model import ENGINES, Engine, Plan, SpeechServer
from outrider.speech.options import OPTIONS, checked
from outrider.speech.overview import Overview, overview

ACTOR = "command line"
COLUMNS = ("name", "kind", "engine", "enabled", "maximum", "weight", "quota", "granted", "in_use", "refused")
MARKS = {Level.OK: "good", Level.WARNING: "warning", Level.ERROR: "wrong"}
ENGINE_NAMES = [each.value for each in Engine]

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def speech() -> None:
    """Speech servers: text to speech and recognition, and who uses their licensed connections."""


def _json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _option_option(command: Command) -> Command:
    return click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option of the engine, as voice=en-us; may be given several times.",
    )(command)


@speech.command("list")
@_json_option
@database_options
def show(
    *, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """List speech servers with their connections, and which job uses them."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(overview)
    click.echo(json.dumps(_overview_document(found), indent=2) if as_json else _text(found))


@speech.command("add")
@click.argument("name")
@click.option("--engine", type=click.Choice(ENGINE_NAMES), required=True, help="How it is spoken to.")
@click.option("--maximum", type=int, default=10, show_default=True, help="Connections it can carry itself.")
@click.option("--weight", type=int, default=1, show_default=True, help="Twice the weight, twice the share.")
@_option_option
@_json_option
@database_options
def add(
    *,
    name: str,
    engine: str,
    maximum: int,
    weight: int,
    options: Sequence[str],
    as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Configure the speech server NAME. Connections of its kind must be licensed."""
    chosen = Engine(engine)
    kind = next(kind for kind, engines in ENGINES.items() if chosen in engines)
    plan = Plan(
        name=name, kind=kind, engine=chosen, maximum=maximum, weight=weight, options=_options(options)
    )
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        made = opened.write_now(service.add, checked(plan), RealClock().now(), ACTOR)
    _tell(
        made, f"added {made.name}: {made.quota} {made.kind.upper()} connections fall to it", as_json=as_json
    )


@speech.command("set")
@click.argument("name")
@click.option("--name", "new_name", help="Its new name.")
@click.option("--engine", type=click.Choice(ENGINE_NAMES), help="Another engine of the same kind.")
@click.option("--maximum", type=int, help="Connections it can carry itself.")
@click.option("--weight", type=int, help="Twice the weight, twice the share.")
@click.option("--enable/--disable", "enabled", default=None, help="Switch it on or off.")
@_option_option
@_json_option
@database_options
def change(
    *,
    name: str,
    new_name: str | None,
    engine: str | None,
    options: Sequence[str],
    as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    **fields: Any,
) -> None:
    """Change the speech server NAME; what is not given stays."""
    given = {key: value for key, value in {**fields, "name": new_name}.items() if value is not None}
    given_options = _options(options)
    if not given and not given_options and engine is None:
        raise InvalidInputError("say what to change; see: outrider speech set --help")

    def work(tx: Tx) -> SpeechServer:
        known = _named(tx, name)
        chosen = known.engine if engine is None else Engine(engine)
        kept = dict(known.options) if chosen is known.engine else {}
        plan = Plan(
            name=known.name,
            kind=known.kind,
            engine=chosen,
            maximum=known.maximum,
            weight=known.weight,
            enabled=known.enabled,
            options=kept | given_options,
        )
        if chosen not in ENGINES[known.kind]:
            engines = ", ".join(ENGINES[known.kind])
            raise InvalidInputError(
                f"engine: {chosen} does no {known.kind}; choose {engines}", where="engine"
            )
        return service.change(tx, known.id, checked(replace(plan, **given)), RealClock().now(), ACTOR)

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        changed = opened.write_now(work)
    _tell(changed, f"changed {changed.name}", as_json=as_json)


@speech.command("remove")
@click.argument("name")
@_json_option
@database_options
def remove(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Remove the speech server NAME; refused while calls use it."""

    def work(tx: Tx) -> SpeechServer:
        known = _named(tx, name)
        service.remove(tx, known.id, RealClock().now(), ACTOR)
        return known

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        removed = opened.write_now(work)
    _tell(removed, f"removed {name}", as_json=as_json)


@speech.command("check")
@click.argument("name")
@_json_option
@database_options
def check(
    *, name: str, as_json: bool, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Try the speech server NAME for real and say what is wrong; exit status 1 when it cannot be used."""
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        server = opened.read_now(_named, name)
    found = asyncio.run(checking.check(server, speech_settings(settings)))
    if as_json:
        rows = [{"level": one.level.value, "what": one.what, "message": one.message} for one in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        for one in found:
            click.echo(f"{MARKS[one.level]}: {one.what}: {one.message}")
    if any(one.level is Level.ERROR for one in found):
        raise SystemExit(1)


def document(server: SpeechServer) -> dict[str, Any]:
    """Return a speech server as JSON shows it."""
    return {"id": server.id, "options": dict(server.options)} | {
        name: getattr(server, name) for name in COLUMNS
    }


def _overview_document(found: Overview) -> dict[str, Any]:
    return {
        "kinds": {
            each.kind.value: {"licensed": each.licensed, "in_use": each.in_use} for each in found.kinds
        },
        "servers": [document(server) for kind in found.kinds for server in kind.servers],
        "jobs": [
            {"job": each.job_id, "campaign": each.campaign, "asr": each.asr, "tts": each.tts}
            for each in found.jobs
        ],
    }


def _text(found: Overview) -> str:
    """Return the overview as text: a line for each kind, the servers as a table, a line for each job."""
    lines = [
        f"{kind.kind.upper()}: {kind.in_use} of {kind.licensed} licensed connections in use"
        for kind in found.kinds
    ]
    rows = [
        {name: str(value) for name, value in document(server).items() if name in COLUMNS}
        for kind in found.kinds
        for server in kind.servers
    ]
    if rows:
        heads: list[Mapping[str, str]] = [{name: name.replace("_", " ") for name in COLUMNS}, *rows]
        widths = {name: max(len(row[name]) for row in heads) for name in COLUMNS}
        lines += ["  ".join(row[name].ljust(widths[name]) for name in COLUMNS).rstrip() for row in heads]
    lines += [f"job {use.job_id} ({use.campaign}): ASR {use.asr}, TTS {use.tts}" for use in found.jobs]
    return "\n".join(lines)


def _named(tx: Tx, name: str) -> SpeechServer:
    servers = service.servers(tx)
    for each in servers:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in servers) or "none"
    raise NotFoundError(f"there is no speech server named {name!r}; there are: {names}")


def _options(given: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE options as a mapping. InvalidInputError."""
    known = sorted({option.name for each in OPTIONS.values() for option in each})
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in known:
            raise InvalidInputError(f"--option {each}: write NAME=VALUE with one of {', '.join(known)}")
        found[name] = value
    return found


def _tell(server: SpeechServer, text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(document(server), indent=2) if as_json else text)
