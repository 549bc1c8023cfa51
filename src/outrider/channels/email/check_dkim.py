"""Checks that receivers can verify our DKIM signatures: the key is readable, and the DNS has its record.

`check` calls it when a key is configured.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.resolver

from outrider.channels.email.dkim import load_key, record_value
from outrider.channels.email.findings import Finding, Level
from outrider.channels.email.rates import domain_of
from outrider.channels.email.settings import DkimSettings
from outrider.errors import ChannelError, InvalidInputError

_STEP = "dkim"
_LOOK_UP_SECONDS = 5.0

TxtLookup = Callable[[str], Awaitable[tuple[str, ...]]]
"""Returns a name's TXT records, none when there is no such name; ChannelError when the DNS gave no answer."""


async def look_up_txt(name: str) -> tuple[str, ...]:
    """Return the TXT records of a name, as `TxtLookup` says."""
    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=_LOOK_UP_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as error:
        raise ChannelError(f"the DNS gave no answer about {name}: {error}") from error
    return tuple(b"".join(record.strings).decode(errors="replace") for record in answer)


async def check_dkim(settings: DkimSettings, sender: str | None, look_up: TxtLookup) -> list[Finding]:
    """Return what was found about the key, its record, and whether the sender's domain fits (DMARC)."""
    try:
        key = await asyncio.to_thread(load_key, Path(settings.key_file))
    except InvalidInputError as error:
        return [Finding(Level.PROBLEM, _STEP, error.message)]
    findings = [await _record(settings, record_value(key), look_up)]
    domain = domain_of(sender) if sender else settings.domain
    if domain != settings.domain and not domain.endswith(f".{settings.domain}"):
        message = f"signatures of {settings.domain} count for nothing in DMARC of senders at {domain}"
        findings.append(Finding(Level.WARNING, _STEP, message))
    return findings


async def _record(settings: DkimSettings, expected: str, look_up: TxtLookup) -> Finding:
    name = f"{settings.selector}._domainkey.{settings.domain}"
    try:
        records = await look_up(name)
    except ChannelError as error:
        return Finding(Level.WARNING, _STEP, error.message)
    if not records:
        message = f"there is no TXT record {name}: signatures cannot be verified; publish {expected[:40]}..."
        return Finding(Level.PROBLEM, _STEP, message)
    if _public(expected) not in {_public(record) for record in records}:
        message = f"the TXT record {name} holds another key than {settings.key_file}: signatures will fail"
        return Finding(Level.PROBLEM, _STEP, message)
    return Finding(Level.GOOD, _STEP, f"the TXT record {name} has our key")


def _public(record: str) -> str:
    """Return a record's p= value without white space."""
    tags = (tag.strip().partition("=") for tag in record.split(";"))
    return next(("".join(value.split()) for name, _, value in tags if name.strip() == "p"), "")
