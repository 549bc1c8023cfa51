"""The id of this host, which a licence file may be bound to; stable over restarts and upgrades.

The command line shows it (`outrider licences host-id`); the composition root passes it to `file.load`.
"""

import hashlib
import platform
import uuid
from collections.abc import Sequence
from pathlib import Path

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
"""Where systemd and D-Bus keep the random id that an installation got once (machine-id(5))."""

_RANDOM_NODE = 1 << 40
"""Multicast bit: `uuid.getnode` sets it when it found no network card and made an address up."""


def host_id(override: str | None = None, files: Sequence[Path] = MACHINE_ID_FILES) -> str:
    """Return 24 hexadecimal digits that identify this host, or `override` when that is set.

    It is a hash keyed with our name, as machine-id(5) asks of applications, so that the machine id itself
    is not disclosed. Without a machine id, it is derived from the host name and the network card.
    """
    if override is not None and override.strip():
        return override.strip()
    source = _machine_id(files) or _name_and_card()
    return hashlib.blake2b(source.encode(), digest_size=12, person=b"outrider-host").hexdigest()


def _machine_id(files: Sequence[Path]) -> str:
    for file in files:
        try:
            text = file.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if text and text != "uninitialized":
            return text
    return ""


def _name_and_card() -> str:
    node = uuid.getnode()
    card = "" if node & _RANDOM_NODE else f"{node:012x}"
    return f"{platform.node()}/{card}"
