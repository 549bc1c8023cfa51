"""What requests about licence files and the division may say, and the licences page's table.

Only `supply/api.py` uses them.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from outrider.licences.model import GATE_KINDS, LARGEST_COUNT, LicenceKind
from outrider.supply.claims import LicenceFile
from outrider.supply.file import LARGEST_FILE
from outrider.supply.model import Supply, SupplyState
from outrider.supply.server.entitlement import StoredFile
from outrider.web.access import Text, Text80

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewFile(Strict):
    """A signed licence file and the public key (PEM) of its issuer."""

    text: Annotated[Text, Field(min_length=1, max_length=LARGEST_FILE)]
    public_key: Annotated[Text, Field(min_length=1, max_length=10_000)]


class NumbersBody(Strict):
    """Numbers of a zone, or of an organization in it; null takes a number away, others stay."""

    zone: Text80
    organization: Text80 | None = None
    counts: Annotated[
        dict[LicenceKind, Annotated[int, Field(ge=0, le=LARGEST_COUNT)] | None], Field(min_length=1)
    ]


class NewName(Strict):
    """The name of a new zone."""

    name: Text80


class NewOrganization(Strict):
    """A new organization and the zones that it works in (default: the default zone)."""

    name: Text80
    zone_ids: Annotated[list[Id], Field(max_length=1_000)] = []


class Membership(Strict):
    """An organization that is to work in a zone."""

    organization_id: Id


class LicenceLine(BaseModel):
    """One licence type: its count, or for a gate (email, sms) whether the channel is open."""

    kind: LicenceKind
    count: int
    is_gate: bool


class LicencesView(BaseModel):
    """The licences page's table: what the caller has, and how fresh that knowledge is (licensing.md 7).

    An organization's user sees the sum over its own pools, and no customer.
    """

    state: SupplyState
    version: str
    customer: str | None
    licences: list[LicenceLine]
    last_poll_at: dt.datetime | None
    last_success_at: dt.datetime | None
    last_changed_at: dt.datetime | None
    expires_at: dt.datetime | None
    grace_ends_at: dt.datetime | None
    message: str

    @classmethod
    def of(cls, supply: Supply, counts: Mapping[LicenceKind, int], *, whole: bool) -> "LicencesView":
        """Return the view of a supply with the caller's `counts`; `whole` for callers of the system."""
        return cls(
            state=supply.state,
            version=supply.version,
            customer=supply.customer if whole else None,
            licences=[
                LicenceLine(kind=kind, count=counts[kind], is_gate=kind in GATE_KINDS)
                for kind in LicenceKind
                if kind in counts
            ],
            last_poll_at=supply.last_poll_at,
            last_success_at=supply.last_success_at,
            last_changed_at=supply.last_changed_at,
            expires_at=supply.expires_at,
            grace_ends_at=supply.grace_ends_at,
            message=supply.message,
        )


class FileView(BaseModel):
    """A loaded licence file; one that is refused now has a `problem` and says nothing else."""

    file_id: str
    loaded_at: dt.datetime
    problem: str
    customer: str | None = None
    host_id: str | None = None
    platform_version: str | None = None
    not_before: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    counts: dict[LicenceKind, int] = {}

    @classmethod
    def of(cls, claims: LicenceFile | None, stored: StoredFile, problem: str) -> "FileView":
        """Return the view of one entry of `service.files`."""
        if claims is None:
            return cls(file_id=stored.file_id, loaded_at=stored.loaded_at, problem=problem)
        return cls(
            file_id=stored.file_id,
            loaded_at=stored.loaded_at,
            problem=problem,
            customer=claims.customer,
            host_id=claims.host_id,
            platform_version=claims.platform_version,
            not_before=claims.not_before,
            expires_at=claims.expires_at,
            counts=dict(claims.counts),
        )
