"""What requests about media servers may say, and how servers are shown; secrets go in and never come out.

Only `media/api.py` uses them.
"""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from outrider.media.checking import Finding, Level
from outrider.media.model import (
    FASTEST,
    LARGEST_PORTS,
    LARGEST_WEIGHT,
    LONGEST_FIELD,
    LONGEST_SECRET,
    LONGEST_URL,
    Driver,
    Health,
    MediaServer,
    Plan,
    Standing,
)
from outrider.web.access import Text, Text80

Line = Annotated[Text, Field(min_length=1, max_length=LONGEST_FIELD)]
Address = Annotated[Text, Field(min_length=1, max_length=LONGEST_URL)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_SECRET)]
CallerId = Annotated[Text, Field(max_length=40)]
Ports = Annotated[int, Field(ge=1, le=LARGEST_PORTS)]
Weight = Annotated[int, Field(ge=1, le=LARGEST_WEIGHT)]
Rate = Annotated[float, Field(ge=0.1, le=FASTEST, allow_inf_nan=False)]


class NewMediaServer(BaseModel):
    """A media server to be registered. `trunk` says with {number} how a number is dialed there."""

    model_config = ConfigDict(extra="forbid")

    name: Text80
    url: Address
    username: Line
    secret: Secret
    zone: Text80 = "default"
    driver: Driver = Driver.ASTERISK
    app: Line = "outrider"
    trunk: Address = "PJSIP/{number}@trunk"
    caller_id: CallerId = ""
    maximum_ports: Ports = 100
    weight: Weight = 1
    originations_per_second: Rate | None = None
    enabled: bool = True

    def plan(self) -> Plan:
        """Return it as the registry takes it."""
        return Plan(**{**self.model_dump(), "secret": self.secret.get_secret_value()})


class MediaServerChanges(BaseModel):
    """Fields to be changed; those that are missing stay. `originations_per_second` null: no limit."""

    model_config = ConfigDict(extra="forbid")

    name: Text80 = ""
    url: Address = ""
    username: Line = ""
    secret: Secret = SecretStr("")
    zone: Text80 = ""
    driver: Driver = Driver.ASTERISK
    app: Line = ""
    trunk: Address = ""
    caller_id: CallerId = ""
    maximum_ports: Ports = 1
    weight: Weight = 1
    originations_per_second: Rate | None = None
    enabled: bool = True

    def given(self) -> dict[str, object]:
        """Return the fields that the request names, the secret as text."""
        found = self.model_dump(exclude_unset=True)
        if "secret" in found:
            found["secret"] = self.secret.get_secret_value()
        return found


class Drain(BaseModel):
    """Whether a media server is to start nothing more."""

    model_config = ConfigDict(extra="forbid")

    draining: bool


class MediaServerView(BaseModel):
    """A media server: configuration without the secret, state, and ports.

    `quota` is what the split gives it, `granted` what it may charge now, `in_use` its calls that are up.
    """

    id: int
    name: str
    zone: str
    driver: Driver
    url: str
    username: str
    app: str
    trunk: str
    caller_id: str
    maximum_ports: int
    weight: int
    originations_per_second: float | None
    enabled: bool
    draining: bool
    standing: Standing
    health: Health
    health_at: dt.datetime | None
    message: str
    version: str
    quota: int
    granted: int
    in_use: int
    created_at: dt.datetime

    @classmethod
    def of(cls, server: MediaServer) -> "MediaServerView":
        """Return the view of a server."""
        return cls(**{name: getattr(server, name) for name in cls.model_fields})


class FindingView(BaseModel):
    """One thing that a check has tried."""

    level: Level
    what: str
    message: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """Return the view of a finding."""
        return cls(level=finding.level, what=finding.what, message=finding.message)
