"""`outrider agents`: add, list, show, import. A thin edge over `agents/service.py`.

For administrators at the machine itself: no sign-in is asked for.
"""

import json
from pathlib import Path

import click

from outrider.agents import service
from outrider.agents.accounts import AccountPlan, read_file
from outrider.agents.model import Agent
from outrider.agents.service import Imported
from outrider.cli.agent_simulator import simulate_agents
from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import InvalidInputError, NotFoundError
from outrider.people import service as people
from outrider.people.model import SYSTEM
from outrider.people.passwords import hash_password, new_password

as_json = click.option("--json", "shown_as_json", is_flag=True, help="Print JSON.")


@click.group()
def agents() -> None:
    """Agents: their accounts, phones and skills."""


agents.add_command(simulate_agents)


@agents.command("add")
@click.argument("name")
@click.option("--address", required=True, help="Its phone: sip:name@host, a number, or an extension.")
@click.option("--display-name", default="", help="What people read; by default NAME.")
@click.option("--organization", default="", help="Its name; by default the default organization.")
@click.option("--zone", default="", help="Its name; by default the default zone.")
@click.option("--skill", "skills", multiple=True, metavar="SKILL=1..10", help="May be given again.")
@click.option("--user", is_flag=True, help="Also make a user of this name, with a one-time password.")
@as_json
@database_options
def add(
    *,
    name: str,
    address: str,
    display_name: str,
    organization: str,
    zone: str,
    skills: tuple[str, ...],
    user: bool,
    shown_as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Make the agent NAME."""
    plan = AccountPlan(name, address, display_name, zone, _skills(skills))
    password = new_password() if user else None
    hashed = None if password is None else hash_password(password)

    def work(tx: Tx) -> Agent:
        organization_id = _organization(tx, organization)
        return service.create(
            tx, RealClock().now(), SYSTEM, plan, organization_id=organization_id, password_hash=hashed
        )

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        made = opened.write_now(work)
    if shown_as_json:
        click.echo(json.dumps({**_facts(made), "one_time_password": password}))
        return
    click.echo(f"made the agent {made.name}")
    if password is not None:
        click.echo(f"one-time password, to be changed at the first sign-in: {password}")


@agents.command("list")
@click.option("--organization", default="", help="Its name; without it, all organizations.")
@as_json
@database_options
def show_all(
    *,
    organization: str,
    shown_as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """List all agents."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(lambda tx: service.agents(tx, _organization(tx, organization)))
    if shown_as_json:
        click.echo(json.dumps([_facts(each) for each in found], indent=2))
        return
    for each in found:
        state = "active" if each.enabled else "switched off"
        click.echo(f"{each.name}\t{each.display_name}\t{each.address}\t{_told(each)}\t{state}")


@agents.command("show")
@click.argument("name")
@click.option("--organization", default="", help="Its name, where several have an agent NAME.")
@as_json
@database_options
def show(
    *,
    name: str,
    organization: str,
    shown_as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Show the agent NAME."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(lambda tx: service.agent_by_name(tx, name, _organization(tx, organization)))
    if shown_as_json:
        click.echo(json.dumps(_facts(found), indent=2))
        return
    for what, value in _facts(found).items():
        click.echo(f"{what}: {_told(found) if what == 'skills' else value}")


@agents.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--organization", default="", help="Its name; by default the default organization.")
@as_json
@database_options
def import_file(
    *,
    file: Path,
    organization: str,
    shown_as_json: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Make or change agents from the CSV FILE: name,address,display_name,zone,skills (dutch=7;loans=3)."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{file}: not UTF-8 text", where=str(file)) from None
    accounts = read_file(text, str(file))

    def work(tx: Tx) -> Imported:
        organization_id = _organization(tx, organization)
        now = RealClock().now()
        return service.import_accounts(tx, now, SYSTEM, accounts, organization_id=organization_id)

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        done = opened.write_now(work)
    if shown_as_json:
        click.echo(json.dumps({"created": done.created, "changed": done.changed}))
        return
    click.echo(f"{len(done.created)} made, {len(done.changed)} changed")


def _skills(given: tuple[str, ...]) -> dict[str, int]:
    skills = {}
    for each in given:
        name, sign, level = each.partition("=")
        if not sign or not (level.isascii() and level.isdigit()):
            raise InvalidInputError(f"--skill {each}: write it as SKILL=1..10", where="skill")
        skills[name] = int(level)
    return skills


def _organization(tx: Tx, name: str) -> int | None:
    if not name:
        return None
    known = people.list_organizations(tx)
    for number, found in known:
        if found == name:
            return number
    names = ", ".join(found for _, found in known) or "none"
    raise NotFoundError(f"there is no organization named {name!r}; there are: {names}")


def _told(agent: Agent) -> str:
    return ", ".join(f"{skill} {level}" for skill, level in agent.skills.items()) or "no skills"


def _facts(agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "organization_id": agent.organization_id,
        "zone_id": agent.zone_id,
        "name": agent.name,
        "display_name": agent.display_name,
        "address": agent.address,
        "skills": dict(agent.skills),
        "preferred_campaigns": list(agent.preferred_campaigns),
        "user_id": agent.user_id,
        "enabled": agent.enabled,
        "created_at": agent.created_at.isoformat(),
    }
