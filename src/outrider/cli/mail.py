"""`outrider mail`: try the configured mail server, and make DKIM keys.

What `check` finds is what sending would meet: see `channels/email/check.py`.
"""

import asyncio
import os
import sys
from pathlib import Path

import click

from outrider.adapters import make_mail
from outrider.channels.email.check import check as check_server
from outrider.channels.email.dkim import KeyKind, dns_record, load_key, new_key
from outrider.channels.email.findings import Level, works
from outrider.channels.email.settings import DkimSettings
from outrider.channels.email.smtp import SmtpChannel
from outrider.cli.options import database_options, settings_of
from outrider.clock import RealClock
from outrider.errors import InvalidInputError, StoreError

_MARKS = {Level.GOOD: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}


@click.group()
def mail() -> None:
    """Try the mail server; make DKIM keys."""


@mail.command()
@database_options
@click.option("--from", "sender", metavar="ADDRESS", help="Sender to try; default: the envelope sender.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Recipient to try; nothing is sent to it.")
def check(
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
    sender: str | None,
    recipient: str | None,
) -> None:
    """Try the configured mail server and say what works; exit status 1 when mail would not go out."""
    channel = make_mail(settings_of(settings_file, database, data_folder), RealClock())
    if not isinstance(channel, SmtpChannel):
        raise InvalidInputError("settings: email.host is not set, so no mail is sent", where="email.host")
    findings = asyncio.run(check_server(channel.settings, sender, recipient))
    for finding in findings:
        click.echo(f"{_MARKS[finding.level]:8} {finding.step:11} {finding.message}")
    if not works(findings):
        sys.exit(1)


@mail.command("dkim-key")
@click.option("--domain", required=True, help="Domain of the senders.")
@click.option("--selector", required=True, help="Name of this key among the domain's, such as outrider1.")
@click.option(
    "--key-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the private key is; made unless it exists.",
)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.RSA.value,
    show_default=True,
    help="Kind of a new key; every receiver knows RSA.",
)
def dkim_key(domain: str, selector: str, key_file: Path, kind: str) -> None:
    """Print the DNS record of a DKIM key; the key is made first unless its file exists."""
    DkimSettings(domain, selector, str(key_file))  # made for its errors: nothing is written for a bad name
    if not key_file.exists():
        _write(key_file, new_key(KeyKind(kind)))
        click.echo(f"made {key_file}; keep it secret", err=True)
    click.echo(dns_record(domain, selector, load_key(key_file)))


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read. StoreError when that is not possible."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
