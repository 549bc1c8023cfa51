"""`outrider licences keygen | issue | show | host-id`: signed licence files on the command line.

`cli/licences.py` attaches COMMANDS to its group. Refusals are LicenceFileError: `main` prints the reason
on standard error and exits with status 2; a file that cannot be read or written exits with status 1.
"""

import datetime as dt
import json
import os
import uuid
from pathlib import Path

import click

from outrider.clock import RealClock
from outrider.errors import LicenceFileError, OutriderError
from outrider.licences.model import LARGEST_COUNT, LicenceKind
from outrider.supply.claims import ANY_HOST, LicenceFile, check_use, to_claims
from outrider.supply.file import LARGEST_FILE, read
from outrider.supply.file import issue as sign
from outrider.supply.host import host_id as this_host
from outrider.supply.keys import generate_keypair

_FILE = click.Path(dir_okay=False, path_type=Path)
_HOST_VARIABLE = "OUTRIDER_HOST_ID"
_LONGEST_VALIDITY_DAYS = 36_500


class Count(click.ParamType[tuple[LicenceKind, int]]):
    """A licence type and its count, as in outbound_ports=60."""

    name = "TYPE=COUNT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[LicenceKind, int]:
        """Return the type and the count, or fail with the types that there are."""
        kind, _, number = str(value).partition("=")
        if kind not in list(LicenceKind):
            self.fail(f"{kind!r} is no licence type; the types are {', '.join(LicenceKind)}.", param, ctx)
        if not (number.isascii() and number.isdigit()) or int(number) > LARGEST_COUNT:
            self.fail(f"the count of {kind} must be a whole number from 0, not {number!r}.", param, ctx)
        return LicenceKind(kind), int(number)


class Time(click.ParamType[dt.datetime]):
    """An ISO 8601 date or time; without an offset it is UTC."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Return the aware time in UTC, or fail with an example."""
        try:
            time = dt.datetime.fromisoformat(str(value))
            return time.replace(tzinfo=time.tzinfo or dt.UTC).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not an ISO 8601 time such as 2026-12-31T23:59:59Z.", param, ctx)


@click.command()
@click.option("--private", type=_FILE, required=True, help="New file for the private key (mode 600).")
@click.option("--public", type=_FILE, required=True, help="New file for the public key.")
def keygen(private: Path, public: Path) -> None:
    """Make a key pair that signs and verifies licence files. Never overwrites a file."""
    if private.absolute() == public.absolute():
        raise click.UsageError("--private and --public name the same file: name two.")
    private_pem, public_pem = generate_keypair()
    _create(private, private_pem, 0o600)
    try:
        _create(public, public_pem, 0o644)
    except OutriderError:
        private.unlink()
        raise
    click.echo(f"private key: {private} (keep it with the issuer)\npublic key:  {public}")


@click.command()
@click.option("--key", type=_FILE, required=True, help="The private key file.")
@click.option("--customer", required=True, help="Whom the licences are for.")
@click.option("--count", "counts", type=Count(), multiple=True, required=True, help="May be repeated.")
@click.option("--days", type=click.IntRange(1, _LONGEST_VALIDITY_DAYS), help="Valid for so many days.")
@click.option("--expires", type=Time(), help="Valid until this time. Give this or --days.")
@click.option("--not-before", type=Time(), help="Valid from this time; default now.")
@click.option("--host-id", default=ANY_HOST, show_default=True, help="The one host it is for.")
@click.option("--platform-version", default="1.0", show_default=True, help="Version of the licences.")
@click.option("--output", type=_FILE, help="File to write; default standard output.")
def issue(
    *,
    key: Path,
    customer: str,
    counts: tuple[tuple[LicenceKind, int], ...],
    days: int | None,
    expires: dt.datetime | None,
    not_before: dt.datetime | None,
    host_id: str,
    platform_version: str,
    output: Path | None,
) -> None:
    """Sign a licence file, for example with --count outbound_ports=60 --count email=1 --days 365."""
    now = RealClock().now().replace(microsecond=0)
    begin = not_before or now
    if (days is None) == (expires is None):
        raise click.UsageError("give exactly one of --days and --expires.")
    end = expires if expires is not None else begin + dt.timedelta(days=days or 0)
    if end <= max(begin, now):
        raise click.UsageError(f"the licence would expire at {end.isoformat()}, before it is of any use.")
    named = [kind for kind, _ in counts]
    twice = sorted({kind.value for kind in named if named.count(kind) > 1})
    if twice:
        raise click.UsageError(f"--count gives {', '.join(twice)} more than once: give each type once.")
    licence = LicenceFile(
        id=str(uuid.uuid4()),
        customer=customer,
        issued_at=now,
        not_before=begin,
        expires_at=end,
        counts=dict(counts),
        host_id=host_id,
        platform_version=platform_version,
    )
    text = sign(licence, _read_text(key))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="ascii")
    except OSError as error:
        raise _cannot("write", output, error) from error
    click.echo(f"licence {licence.id} for {customer}, valid until {end.isoformat()}: {output}")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, required=True, multiple=True, help="The issuer's public key file.")
@click.option("--host-id", envvar=_HOST_VARIABLE, help="Check for this host; default the present one.")
@click.option("--json", "as_json", is_flag=True, help="Print the claims as JSON.")
def show(file: Path, key: tuple[Path, ...], host_id: str | None, *, as_json: bool) -> None:
    """Show what a licence file authorises, and whether it is valid on this host now.

    A file that is authentic, but not for this host or this time, is shown too; the exit status is then 2.
    """
    licence = read(_read_bytes(file), [_read_text(each) for each in key])
    refused: LicenceFileError | None = None
    try:
        check_use(licence, this_host(host_id), RealClock().now())
    except LicenceFileError as error:
        refused = error
    claims = to_claims(licence)
    claims["valid"] = refused is None
    if refused is not None:
        claims["reason"] = refused.facts["reason"]
    click.echo(json.dumps(claims, indent=2, ensure_ascii=False) if as_json else _table(claims))
    if refused is not None:
        raise refused


@click.command("host-id")
def show_host_id() -> None:
    """Print the id of this host, which a licence file may be bound to."""
    click.echo(this_host(os.environ.get(_HOST_VARIABLE)))


COMMANDS = [keygen, issue, show, show_host_id]


def _table(claims: dict[str, object]) -> str:
    counts = claims["counts"]
    rows = [(name, value) for name, value in claims.items() if name not in {"counts", "valid", "reason"}]
    rows += [(f"  {kind}", count) for kind, count in counts.items()] if isinstance(counts, dict) else []
    rows.append(("valid here now", "yes" if claims["valid"] else f"no ({claims['reason']})"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _create(path: Path, text: str, mode: int) -> None:
    """Write a new file; the mode is set at its creation, so that a key is never readable by others."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise OutriderError(f"{path} exists and is not overwritten: name another file.") from error
    except OSError as error:
        raise _cannot("write", path, error) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _cannot("read", path, error) from error


def _read_text(path: Path) -> str:
    return _read_bytes(path).decode("ascii", errors="replace")


def _cannot(what: str, path: Path, error: OSError) -> OutriderError:
    return OutriderError(f"cannot {what} {path}: {error.strerror or error}.")
