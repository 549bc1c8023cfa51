"""`outrider connections`: list, add, change and remove the SIP and H.323 connections of a system.

A thin edge over `supply/connections/service.py`, for administrators at the machine itself.
"""

from dataclasses import replace
from pathlib import Path

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.licences.service import SharingRules
from outrider.settings import Settings
from outrider.supply.connections import service
from outrider.supply.connections.model import LABELS, Connection, ConnectionKind
from outrider.supply.ports import per_connection

ACTOR = "the command line"
KINDS = [kind.value for kind in ConnectionKind]


@click.group()
def connections() -> None:
    """Say over how many SIP and H.323 connections telephony ports can be used."""


@connections.command("list")
@database_options
def show(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """List all connections, and what telephony ports come to."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(service.connections)
        ports = opened.read_now(service.telephony)
    parts = per_connection(ports, found)
    for each in found:
        unit = "calls" if each.kind is ConnectionKind.SIP else "stations"
        state = "on" if each.enabled else "off"
        click.echo(
            f"{each.name}\t{LABELS[each.kind]}\t{each.capacity} {unit}\t{each.zone or 'all zones'}\t{state}\t"
            f"{parts[each.id]} ports"
        )
    carried = "" if found else " (no connection is configured: the simulated carrier carries all)"
    click.echo(
        f"telephony ports: {ports.authorised} authorised, {ports.usable} usable:"
        f" {ports.sip} SIP, {ports.h323} H.323{carried}"
    )


@connections.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), default=ConnectionKind.SIP.value, show_default=True)
@click.option("--capacity", type=int, required=True, help="Simultaneous calls (sip) or stations (h323).")
@click.option("--zone", default="", help="The zone that it is for; without it, all zones.")
@database_options
def add(
    *,
    name: str,
    kind: str,
    capacity: int,
    zone: str,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Create the connection NAME."""
    settings = settings_of(settings_file, database, data_folder)
    with open_database(settings) as opened:
        made = opened.write_now(
            service.add,
            _rules(settings),
            RealClock().now(),
            ACTOR,
            name=name,
            kind=ConnectionKind(kind),
            capacity=capacity,
            zone=zone or None,
        )
    click.echo(f"created the {LABELS[made.kind]} connection {made.name}")


@connections.command("change")
@click.argument("name")
@click.option("--capacity", type=int, help="Simultaneous calls (sip) or stations (h323).")
@click.option("--zone", help='The zone that it is for; "" for all zones.')
@click.option("--on/--off", "enabled", default=None, help="Whether its ports count.")
@database_options
def change(
    *,
    name: str,
    capacity: int | None,
    zone: str | None,
    enabled: bool | None,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Change the connection NAME; what is not given stays."""
    settings = settings_of(settings_file, database, data_folder)

    def work(tx: Tx) -> Connection:
        known = service.named(tx, name)
        wanted = replace(
            known,
            capacity=known.capacity if capacity is None else capacity,
            zone=known.zone if zone is None else zone,
            enabled=known.enabled if enabled is None else enabled,
        )
        return service.change(tx, _rules(settings), RealClock().now(), ACTOR, known.id, wanted)

    with open_database(settings) as opened:
        opened.write_now(work)
    click.echo(f"changed {name}")


@connections.command("remove")
@click.argument("name")
@database_options
def remove(name: str, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Forget the connection NAME; calls that are up end by themselves."""
    settings = settings_of(settings_file, database, data_folder)

    def work(tx: Tx) -> None:
        known = service.named(tx, name)
        service.remove(tx, _rules(settings), RealClock().now(), ACTOR, known.id)

    with open_database(settings) as opened:
        opened.write_now(work)
    click.echo(f"removed {name}")


def _rules(settings: Settings) -> SharingRules:
    sharing = settings.licences
    return SharingRules(sharing.idle_after, sharing.minimum_hold, sharing.coalesce)
