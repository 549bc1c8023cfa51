"""Mail addresses as they stand in contact files: checked, and written in one way.

Pure; used by the import, by do-not-contact lists and wherever an address is typed in.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 254
LONGEST_LOCAL: Final = 64
"""Both from RFC 5321 4.5.3.1."""

SHOWN: Final = 60

ORDINARY: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64})*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])",
    re.IGNORECASE,
).fullmatch
"""An address as RFC 5321 4.1.2 has it, without quoted local parts and address literals."""

NAMED: Final = re.compile(r"[^<>]*<([^<>]+)>").fullmatch


@dataclass(frozen=True, slots=True)
class BadEmail:
    """Why a text is not a mail address, as one clause for people."""

    reason: str


def read_email(text: str) -> str | BadEmail:
    """Return the address, its domain in small ASCII letters (IDNA); "Name <a@b.example>" is understood."""
    if len(text) <= LONGEST and ORDINARY(text):
        local, _, domain = text.rpartition("@")
        if len(local) <= LONGEST_LOCAL:
            return f"{local}@{domain.lower()}"
    named = NAMED(text)
    address = (named[1] if named else text).strip().removeprefix("mailto:")
    local, at, domain = address.rpartition("@")
    if not at or not local:
        return BadEmail(f"email {_shown(text)}: it has no @")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return BadEmail(f"email {_shown(text)}: its domain cannot be written in ASCII")
    address = f"{local}@{domain.lower()}"
    if not local.isascii():
        return BadEmail(f"email {_shown(text)}: mail servers need ASCII before the @")
    if len(address) > LONGEST or len(local) > LONGEST_LOCAL or not ORDINARY(address):
        return BadEmail(f"email {_shown(text)}: it is not a mail address")
    return address


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")
