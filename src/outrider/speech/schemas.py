"""What requests about speech servers may say, and how servers and their use are shown.

Only `speech/api.py` uses them.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from outrider.licences.model import LicenceKind
from outrider.media.checking import Finding, Level
from outrider.speech.model import LARGEST_UNITS, LARGEST_WEIGHT, Engine, Plan, SpeechServer
from outrider.speech.options import checked
from outrider.speech.overview import JobUse, KindOverview
from outrider.web.access import Text, Text80

Kind = Literal["asr", "tts"]
Units = Annotated[int, Field(ge=1, le=LARGEST_UNITS)]
Weight = Annotated[int, Field(ge=1, le=LARGEST_WEIGHT)]
Options = Annotated[dict[str, Annotated[Text, Field(max_length=300)]], Field(max_length=20)]


class NewSpeechServer(BaseModel):
    """A speech server to be configured. `maximum` is the connections that it can carry itself."""

    model_config = ConfigDict(extra="forbid")

    name: Text80
    kind: Kind
    engine: Engine
    maximum: Units
    weight: Weight = 1
    enabled: bool = True
    options: Options = Field(default_factory=dict)

    def plan(self) -> Plan:
        """Return it as the service takes it. InvalidInputError names a bad option."""
        return checked(Plan(**{**self.model_dump(), "kind": LicenceKind(self.kind)}))


class SpeechServerChanges(BaseModel):
    """Fields to be changed; those that are missing stay. Options are replaced one by one."""

    model_config = ConfigDict(extra="forbid")

    name: Text80 | None = None
    engine: Engine | None = None
    maximum: Units | None = None
    weight: Weight | None = None
    enabled: bool | None = None
    options: Options | None = None

    def plan(self, known: SpeechServer) -> Plan:
        """Return the whole plan. InvalidInputError names a bad option."""
        options = {} if self.engine not in {None, known.engine} else dict(known.options)
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        given["options"] = options | given.get("options", {})
        return checked(Plan(**{**fields_of(known), **given}))


class SpeechServerView(BaseModel):
    """A speech server. `quota` is its share of what is licensed, `granted` what it may carry now."""

    id: int
    name: str
    kind: str
    engine: Engine
    options: dict[str, str]
    maximum: int
    weight: int
    enabled: bool
    quota: int
    granted: int
    in_use: int
    refused: int
    created_at: dt.datetime

    @classmethod
    def of(cls, server: SpeechServer) -> "SpeechServerView":
        """Return the view of a server."""
        return cls(**{name: getattr(server, name) for name in cls.model_fields})


class KindUseView(BaseModel):
    """Connections of one kind: licensed, in use, and licensed ones that no server can carry."""

    kind: str
    licensed: int
    in_use: int
    without_server: int

    @classmethod
    def of(cls, kind: KindOverview) -> "KindUseView":
        """Return the view of a kind."""
        return cls(
            kind=kind.kind.value,
            licensed=kind.licensed,
            in_use=kind.in_use,
            without_server=kind.without_server,
        )


class JobUseView(BaseModel):
    """Connections that the calls of one job have now."""

    job_id: int
    campaign: str
    asr: int
    tts: int

    @classmethod
    def of(cls, use: JobUse) -> "JobUseView":
        """Return the view of a job's use."""
        return cls(job_id=use.job_id, campaign=use.campaign, asr=use.asr, tts=use.tts)


class SpeechUseView(BaseModel):
    """Who uses what now."""

    kinds: list[KindUseView]
    jobs: list[JobUseView]


class FindingView(BaseModel):
    """One thing that a check has tried."""

    level: Level
    what: str
    message: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """Return the view of a finding."""
        return cls(level=finding.level, what=finding.what, message=finding.message)


def fields_of(known: SpeechServer) -> dict[str, object]:
    """Return what is configured of a server, as Plan takes it."""
    names = ("name", "kind", "engine", "maximum", "weight", "enabled", "options")
    return {name: getattr(known, name) for name in names}
