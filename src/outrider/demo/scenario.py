"""What the demo shows: licences, lists, campaigns, and how the world outside answers. Data, no actions.

`system` sets it up, `findings` checks that it came out as told here. Strategies and the carrier's profiles
are the files beside this module, in the form in which users write them.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from outrider.demo.mail_sink import Behaviour
from outrider.licences.model import LicenceKind

PORTS: Final = 60
AGENTS: Final = 12
AGENT_PORTS: Final = 5 * AGENTS
"""Telephony ports beside those of outbound calls: agents' phones, and the lines that ring for them."""

LICENCES: Final[Mapping[LicenceKind, int]] = {
    LicenceKind.OUTBOUND_PORTS: PORTS,
    LicenceKind.TELEPHONY_PORTS: PORTS + AGENT_PORTS,
    LicenceKind.PREDICTIVE_AGENTS: AGENTS,
    LicenceKind.AGENT_WEB_API: AGENTS,
    LicenceKind.EMAIL: 1,
}

OPENING: Final = dt.time(16, 10, tzinfo=dt.UTC)
"""When the demo's day begins: the default calling window (08:00 to 21:00 where the contact lives) is then
open from California to Berlin, summer and winter, for the next two hours and three quarters."""

PROFILES: Final = "carrier.toml"
STRATEGIES: Final = Path(__file__).with_name("strategies")


@dataclass(frozen=True, slots=True)
class CallList:
    """A contact list, filled from the file that is written for the name."""

    name: str
    carrier_profile: str = ""


@dataclass(frozen=True, slots=True)
class DemoCampaign:
    """A campaign: its strategy file in `folder`, its list, and a filter if it is not for everybody on it."""

    strategy: str
    list_name: str
    filter: tuple[Mapping[str, Any], ...] = ()
    folder: Path = STRATEGIES

    def source(self) -> str:
        """Return the text of the strategy document."""
        return (self.folder / self.strategy).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole demo: what is licensed, which lists are imported, and which campaigns run over them."""

    licences: Mapping[LicenceKind, int]
    lists: tuple[CallList, ...]
    campaigns: tuple[DemoCampaign, ...]

    @property
    def ports(self) -> int:
        """Return how many ports the call jobs share."""
        return self.licences[LicenceKind.OUTBOUND_PORTS]


LISTS: Final = (
    CallList("Kunden Deutschland", "germany"),
    CallList("UK and US customers", "uk-us"),
    CallList("Clients France et Espagne", "france-spain"),
)

REMINDERS: Final = DemoCampaign(
    "reminders.toml",
    "Kunden Deutschland",
    ({"attribute": "Ort", "operator": "in", "value": ["Berlin", "Köln", "München"]},),
)
"""Runs out of contacts early, and so lends its licences."""

NOTICES: Final = DemoCampaign("notices.toml", "UK and US customers")
SURVEY: Final = DemoCampaign("survey.toml", "Clients France et Espagne")
INVOICES: Final = DemoCampaign("invoices.toml", "UK and US customers")
RENEWALS: Final = DemoCampaign(
    "renewals.toml",
    "UK and US customers",
    ({"attribute": "City", "operator": "in", "value": ["London", "Leeds", "Chicago", "Boston"]},),
)
"""Agents talk to those whom it reaches."""

CAMPAIGNS: Final = (REMINDERS, NOTICES, SURVEY, INVOICES, RENEWALS)
SIMULATED: Final = Scenario(LICENCES, LISTS, CAMPAIGNS)
"""What `outrider demo` shows."""


def profiles_path() -> Path:
    """Return where the carrier's profiles are on disk."""
    return Path(__file__).with_name(PROFILES)


def anchor(now: dt.datetime, speed: float) -> dt.datetime:
    """Return the anchor of a clock of this speed (not 1) that reads today's OPENING (UTC) at `now`.

    It reads anchor + (now - anchor) * speed, as `clock.ScaledClock` does.
    """
    opening = dt.datetime.combine(now.astimezone(dt.UTC).date(), OPENING)
    return now + (now - opening) / (speed - 1)


_MISFORTUNES: Final = (
    (0.025, Behaviour.NO_MAILBOX),
    (0.010, Behaviour.FULL),
    (0.040, Behaviour.GREYLISTED),
    (0.005, Behaviour.POLICY),
)
"""Shares of recipients whose mail the local server does not take at once, about as in a real old list."""


def behaviour_of(address: str) -> Behaviour | None:
    """Return how the local mail server answers for a recipient: the same answer for the same address."""
    digest = hashlib.blake2b(address.lower().encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for share, behaviour in _MISFORTUNES:
        if place < share:
            return behaviour
        place -= share
    return None
