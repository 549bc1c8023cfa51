"""Legs that are no attempts, as records: an agent's phone, a consulted person, a port while two are bridged.

`legs.py` charges and gives back their ports; the floor's edge carries them. Pure.
"""

import datetime as dt
import enum
from dataclasses import dataclass

from outrider.agents.model import LegId, SessionId
from outrider.ids import ZoneId


class LegPurpose(enum.StrEnum):
    """What a charged port is for (licensing.md 6)."""

    AGENT = "agent"
    """The call to the agent's phone, kept between contacts."""
    CONSULT = "consult"
    """The call to a person who is consulted."""
    BRIDGE = "bridge"
    """No call: the third port, while a contact and an agent are being joined."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One charged port. `server` is the media server that has it; empty: the simulated carrier.

    `owner` is the worker whose legs they are, `address` whom it calls (none for a bridge).
    """

    id: LegId
    session_id: SessionId
    purpose: LegPurpose
    zone_id: ZoneId
    owner: str
    started_at: dt.datetime
    address: str = ""
    server: str = ""
    server_id: int | None = None


@dataclass(frozen=True, slots=True)
class LegRefused:
    """No port for a leg, and why, in words that an agent or supervisor is told."""

    reason: str
