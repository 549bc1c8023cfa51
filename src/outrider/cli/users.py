"""`outrider users`: create, list, disable, enable, password, and token create | list | revoke.

A thin edge over `people/service.py`, for administrators at the machine itself: no sign-in is asked for.
"""

import datetime as dt
from pathlib import Path

import click

from outrider.cli.options import database_options, open_database, settings_of
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import ConflictError, NotFoundError
from outrider.people import service
from outrider.people.model import SYSTEM, Role, User, check_new_password, clean_user_name
from outrider.people.passwords import hash_password, new_password

NEVER = "never"
ROLES = [role.value for role in Role]


@click.group()
def users() -> None:
    """Create users and API tokens, and take them away."""


@users.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=Role.SUPERVISOR.value, show_default=True)
@click.option("--organization", default="", help="Its name; without it, the user sees all organizations.")
@click.option(
    "--ask-password", is_flag=True, help="Ask for the password; otherwise a one-time password is printed."
)
@database_options
def create(
    *,
    name: str,
    role: str,
    organization: str,
    ask_password: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Create the user NAME."""
    password = _password(ask=ask_password, user_name=clean_user_name(name))
    hashed = hash_password(password)

    def work(tx: Tx) -> User:
        return service.create_user(
            tx,
            RealClock().now(),
            SYSTEM,
            name=name,
            role=Role(role),
            organization_id=_organization(tx, organization) if organization else None,
            password_hash=hashed,
            must_change_password=not ask_password,
        )

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        user = opened.write_now(work)
    click.echo(f"created the {user.role} {user.name}")
    _show_one_time(password, asked=ask_password)


@users.command("list")
@database_options
def show(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """List all users."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(service.list_users, SYSTEM)
    for user in found:
        state = "disabled" if user.disabled else "active"
        click.echo(f"{user.name}\t{user.role}\t{user.organization or 'all organizations'}\t{state}")


def _set_disabled(name: str, *, disabled: bool, places: tuple[Path | None, str | None, Path | None]) -> None:
    def work(tx: Tx) -> None:
        user = service.get_user_by_name(tx, SYSTEM, name)
        service.change_user(tx, RealClock().now(), SYSTEM, user.id, disabled=disabled)

    with open_database(settings_of(*places)) as opened:
        opened.write_now(work)
    click.echo(f"{'disabled' if disabled else 'enabled'} {name}")


@users.command("disable")
@click.argument("name")
@database_options
def disable(name: str, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """End all sessions of the user NAME and refuse its tokens."""
    _set_disabled(name, disabled=True, places=(settings_file, database, data_folder))


@users.command("enable")
@click.argument("name")
@database_options
def enable(name: str, settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """Let the user NAME sign in again."""
    _set_disabled(name, disabled=False, places=(settings_file, database, data_folder))


@users.command("password")
@click.argument("name")
@click.option("--ask-password", is_flag=True, help="Ask for the password instead of making one up.")
@database_options
def password(
    *,
    name: str,
    ask_password: bool,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Give the user NAME a new password, and end its sessions."""
    chosen = _password(ask=ask_password, user_name=clean_user_name(name))
    hashed = hash_password(chosen)

    def work(tx: Tx) -> None:
        user = service.get_user_by_name(tx, SYSTEM, name)
        service.set_password(tx, RealClock().now(), SYSTEM, user.id, hashed, must_change=not ask_password)

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        opened.write_now(work)
    click.echo(f"changed the password of {name}")
    _show_one_time(chosen, asked=ask_password)


@users.group()
def token() -> None:
    """API tokens: they let programs call the API with a user's rights."""


@token.command("create")
@click.argument("user")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; without it, until revoked.")
@database_options
def create_token(
    *,
    user: str,
    name: str,
    days: int | None,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Create the token NAME of USER. Only the token goes to standard output, and only this once."""
    now = RealClock().now()
    expires_at = now + dt.timedelta(days=days) if days else None

    def work(tx: Tx) -> str:
        owner = service.get_user_by_name(tx, SYSTEM, user)
        if owner.disabled:
            raise ConflictError(f"{owner.name} is disabled; enable it first, or its token would be refused")
        _, secret = service.create_token(tx, now, SYSTEM, owner.id, name=name, expires_at=expires_at)
        return secret

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        secret = opened.write_now(work)
    click.echo("keep this token: it cannot be shown again", err=True)
    click.echo(secret)


@token.command("list")
@database_options
def list_tokens(settings_file: Path | None, database: str | None, data_folder: Path | None) -> None:
    """List the tokens of all users, without their secrets."""
    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        found = opened.read_now(service.list_tokens, SYSTEM)
    for each in found:
        end, used = _moment(each.expires_at), _moment(each.last_used_at)
        click.echo(f"{each.user}\t{each.name}\texpires {end}\tlast used {used}")


@token.command("revoke")
@click.argument("user")
@click.argument("name")
@database_options
def revoke_token(
    *, user: str, name: str, settings_file: Path | None, database: str | None, data_folder: Path | None
) -> None:
    """Revoke the token NAME of USER at once."""

    def work(tx: Tx) -> None:
        owner = service.get_user_by_name(tx, SYSTEM, user)
        for each in service.list_tokens(tx, SYSTEM):
            if each.user_id == owner.id and each.name == name:
                service.revoke_token(tx, RealClock().now(), SYSTEM, each.id)
                return
        raise NotFoundError(f"{user} has no token named {name!r}; see: outrider users token list")

    with open_database(settings_of(settings_file, database, data_folder)) as opened:
        opened.write_now(work)
    click.echo(f"revoked {name} of {user}")


def _organization(tx: Tx, name: str) -> int:
    known = service.list_organizations(tx)
    for number, found in known:
        if found == name:
            return number
    names = ", ".join(found for _, found in known) or "none"
    raise NotFoundError(f"there is no organization named {name!r}; there are: {names}")


def _password(*, ask: bool, user_name: str) -> str:
    if not ask:
        return new_password()
    entered: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    check_new_password(entered, user_name)
    return entered


def _show_one_time(chosen: str, *, asked: bool) -> None:
    if not asked:
        click.echo(f"one-time password, to be changed at the first sign-in: {chosen}")


def _moment(at: dt.datetime | None) -> str:
    return NEVER if at is None else at.isoformat(timespec="seconds")
