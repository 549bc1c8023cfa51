"""`outrider contacts do-not-contact`: keep numbers and mail addresses from ever being called or mailed.

A thin edge over `contacts/do_not_contact/`; `cli/contacts.py` adds the group.
"""

from pathlib import Path

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.contacts import service as lists
from outrider.contacts.do_not_contact import service
from outrider.contacts.do_not_contact.model import BadAddress, DoNotContactList
from outrider.contacts.do_not_contact.reading import address_chunks
from outrider.contacts.numbers import check_country
from outrider.db.database import Database, Tx
from outrider.errors import ImportFileError, NotFoundError

ACTOR = "command line"
SHOWN = 20
PAGE = 1_000


@click.group("do-not-contact")
def do_not_contact() -> None:
    """Lists of numbers and mail addresses that are never contacted."""


list_option = click.option("--list", "list_name", required=True, help="Name of the do-not-contact list.")
organization_option = click.option(
    "--organization", help="Whose list it is; not needed when there is only one."
)
common_option = click.option("--common", is_flag=True, help="A list that holds for all organizations.")
country_option = click.option("--country", required=True, help="Country of national numbers, as DE.")
source_option = click.option("--source", default="", help="Where the wish came from, kept with the entry.")


@do_not_contact.command()
@click.argument("addresses", nargs=-1, required=True)
@list_option
@organization_option
@common_option
@country_option
@source_option
@database_options
def add(
    addresses: tuple[str, ...],
    list_name: str,
    organization: str | None,
    common: bool,  # noqa: FBT001 - click passes by name
    country: str,
    source: str,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Add numbers and mail ADDRESSES; a new list is made."""
    country = check_country(country)
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        target = opened.write_now(_list, organization, list_name, common=common, make=True)
        done = _add(opened, target, list(addresses), country, source)
    _report(done)


@do_not_contact.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@list_option
@organization_option
@common_option
@country_option
@source_option
@database_options
def import_(
    file: Path,
    list_name: str,
    organization: str | None,
    common: bool,  # noqa: FBT001 - click passes by name
    country: str,
    source: str,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Add the numbers and mail addresses of a CSV FILE, or of one with an address per line."""
    country = check_country(country)
    if not file.is_file():
        raise ImportFileError(f"{file}: there is no such file")
    added = present = 0
    rejected: list[BadAddress] = []
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        target = opened.write_now(_list, organization, list_name, common=common, make=True)
        for chunk in address_chunks(file, file.name, country):
            done = _add(opened, target, chunk, country, source or file.name[:80])
            added, present = added + done.added, present + done.present
            rejected.extend(done.rejected)
    _report(service.Added(added, present, tuple(rejected)))


@do_not_contact.command()
@click.argument("addresses", nargs=-1, required=True)
@list_option
@organization_option
@common_option
@country_option
@database_options
def remove(
    addresses: tuple[str, ...],
    list_name: str,
    organization: str | None,
    common: bool,  # noqa: FBT001 - click passes by name
    country: str,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Remove numbers and mail ADDRESSES."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        target = opened.write_now(_list, organization, list_name, common=common, make=False)
        removed = opened.write_now(
            service.remove_entries,
            RealClock().now(),
            organization_id=None,
            actor=ACTOR,
            list_id=target.id,
            addresses=addresses,
            country=country,
        )
    click.echo(f"{removed:,} removed")


@do_not_contact.command("list")
@click.option("--list", "list_name", help="Show the entries of this list.")
@organization_option
@common_option
@database_options
def list_(
    list_name: str | None,
    organization: str | None,
    common: bool,  # noqa: FBT001 - click passes by name
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Show all lists, or the entries of one."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        if list_name is None:
            for entry in opened.read_now(service.lists, organization_id=None):
                scope = (
                    "all organizations"
                    if entry.organization_id is None
                    else f"organization {entry.organization_id}"
                )
                click.echo(f"{entry.id:>6}  {entry.entries:>11,}  {entry.name}  ({scope})")
            return
        target = opened.write_now(_list, organization, list_name, common=common, make=False)
        _show(opened, target)


def _show(database: Database, target: DoNotContactList) -> None:
    after = ""
    while page := database.read_now(
        service.entries_page, organization_id=None, list_id=target.id, after=after, limit=PAGE
    ):
        for entry in page:
            click.echo(f"{entry.address}\t{entry.added_at.isoformat()}\t{entry.source}")
        after = page[-1].address


def _list(tx: Tx, organization: str | None, name: str, *, common: bool, make: bool) -> DoNotContactList:
    owner = None if common else lists.organization_by_name(tx, organization)
    found = service.find_list(tx, organization_id=owner, name=name)
    if found is not None:
        return found
    if not make:
        raise NotFoundError(f"there is no do-not-contact list {name!r}")
    return service.create_list(tx, RealClock().now(), organization_id=owner, actor=ACTOR, name=name)


def _add(
    database: Database, target: DoNotContactList, addresses: list[str], country: str, source: str
) -> service.Added:
    return database.write_now(
        service.add_entries,
        RealClock().now(),
        organization_id=None,
        actor=ACTOR,
        list_id=target.id,
        addresses=addresses,
        country=country,
        source=source,
    )


def _report(done: service.Added) -> None:
    click.echo(f"{done.added:,} added, {done.present:,} there before, {len(done.rejected):,} rejected")
    for bad in done.rejected[:SHOWN]:
        click.echo(f"rejected: {bad.reason}", err=True)
    if len(done.rejected) > SHOWN:
        click.echo(f"and {len(done.rejected) - SHOWN:,} more", err=True)
    if done.rejected:
        raise click.exceptions.Exit(1)
