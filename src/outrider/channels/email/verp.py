"""Variable envelope return paths: bounces come back to an address that names the attempt. Pure.

`runtime.mailing` makes the addresses, `dsn` and `bounces` read them.
"""

import re

from outrider.errors import InvalidInputError
from outrider.ids import AttemptId

MAILBOX = "bounces"
"""The local part before the `+`; without one it takes reports that name the message elsewhere."""

COMPLAINTS = "complaints"
"""The local part to register with mailbox providers' feedback loops."""

_ID = re.compile(r"[A-Za-z0-9._=-]{1,56}")
"""With the mailbox's name it stays within the 64 octets of a local part."""


def bounce_address(message_id: AttemptId, domain: str) -> str:
    """Return `bounces+ID@DOMAIN`; InvalidInputError for an id that no address can hold."""
    if not _ID.fullmatch(message_id):
        raise InvalidInputError(
            f"message id {message_id!r} cannot be in a bounce address", where="message_id"
        )
    return f"{MAILBOX}+{message_id}@{domain}"


def read_bounce_address(address: str) -> AttemptId | None:
    """Return the message that a bounce address names, None when it names none, in whatever domain."""
    mailbox, plus, name = address.strip().strip("<>").rpartition("@")[0].partition("+")
    if mailbox.lower() != MAILBOX or not plus or not _ID.fullmatch(name):
        return None
    return AttemptId(name)


def is_ours(address: str, domain: str) -> bool:
    """Return whether an address of the bounce domain takes mail: bounces, bounces+ID and complaints."""
    local, _, host = address.rpartition("@")
    if host.lower() != domain.lower():
        return False
    return local.lower() in {MAILBOX, COMPLAINTS} or read_bounce_address(address) is not None
