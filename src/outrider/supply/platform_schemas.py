"""What the API says of the platform and its connections, and what requests about connections may say.

Only `supply/platform_api.py` and `supply/connections/api.py` use them.
"""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from outrider.licences.model import LARGEST_COUNT, LicenceKind
from outrider.supply.alarm_store import RaisedAlarm
from outrider.supply.alarms import AlarmKind, Severity
from outrider.supply.authorisation import Feature, SourceFault
from outrider.supply.connections.model import Connection, ConnectionKind
from outrider.supply.model import Supply, SupplyState
from outrider.supply.platform import Platform
from outrider.supply.ports import TelephonyPorts
from outrider.supply.schemas import Strict
from outrider.web.access import Text80

Capacity = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]


class NewConnection(Strict):
    """A connection to be made. `capacity`: simultaneous calls (sip) or stations (h323); no zone: for all."""

    name: Text80
    kind: ConnectionKind
    capacity: Capacity
    zone: Text80 | None = None


class ConnectionChange(Strict):
    """What is to be different about a connection; what is left out stays. Zone "" takes the zone away."""

    name: Text80 | None = None
    capacity: Capacity | None = None
    zone: Annotated[str, Field(max_length=80)] | None = None
    enabled: bool | None = None


class ConnectionView(BaseModel):
    """A connection; `ports` are the authorised telephony ports that it carries now."""

    id: int
    name: str
    kind: ConnectionKind
    capacity: int
    zone: str | None
    enabled: bool
    ports: int

    @classmethod
    def of(cls, found: Connection, ports: int) -> "ConnectionView":
        """Return the view of a connection."""
        return cls(
            id=found.id,
            name=found.name,
            kind=found.kind,
            capacity=found.capacity,
            zone=found.zone,
            enabled=found.enabled,
            ports=ports,
        )


class FeatureView(BaseModel):
    """One authorised feature of the last good poll."""

    kind: LicenceKind
    count: int
    expires_at: dt.datetime
    version: str

    @classmethod
    def of(cls, found: Feature) -> "FeatureView":
        """Return the view of a feature."""
        return cls(kind=found.kind, count=found.count, expires_at=found.expires_at, version=found.version)


class TelephonyView(BaseModel):
    """Telephony ports: authorised, usable over the connections, and the split. Agents use SIP only."""

    authorised: int
    usable: int
    sip: int
    h323: int
    for_agents: int

    @classmethod
    def of(cls, found: TelephonyPorts) -> "TelephonyView":
        """Return the view of the ports."""
        return cls(
            authorised=found.authorised,
            usable=found.usable,
            sip=found.sip,
            h323=found.h323,
            for_agents=found.for_agents,
        )


class AlarmView(BaseModel):
    """An alarm that was raised; `problem` says why the webhook was not told yet."""

    id: int
    alarm: AlarmKind
    severity: Severity
    message: str
    raised_at: dt.datetime
    delivered_at: dt.datetime | None
    problem: str

    @classmethod
    def of(cls, found: RaisedAlarm) -> "AlarmView":
        """Return the view of an alarm."""
        return cls(
            id=found.id,
            alarm=found.kind,
            severity=found.severity,
            message=found.message,
            raised_at=found.raised_at,
            delivered_at=found.delivered_at,
            problem=found.problem,
        )


class ServerView(BaseModel):
    """The licence server as the last polls found it; `fault` is why the last one failed."""

    id: str
    protocol_version: str
    fault: SourceFault | None
    missed_polls: int

    @classmethod
    def of(cls, found: Supply) -> "ServerView":
        """Return the view of the server."""
        known = found.known
        return cls(
            id=known.server_id,
            protocol_version=known.protocol_version,
            fault=known.fault,
            missed_polls=known.missed_polls,
        )


class PlatformView(BaseModel):
    """The platform. All after `message` is null for an organization's user: it tells of the whole system."""

    state: SupplyState
    licensed: bool
    version: str
    last_poll_at: dt.datetime | None
    last_success_at: dt.datetime | None
    last_changed_at: dt.datetime | None
    expires_at: dt.datetime | None
    grace_since: dt.datetime | None
    grace_ends_at: dt.datetime | None
    message: str
    customer: str | None = None
    server: ServerView | None = None
    features: list[FeatureView] | None = None
    telephony: TelephonyView | None = None
    connections: list[ConnectionView] | None = None
    alarms: list[AlarmView] | None = None
    shortfall: str | None = None

    @classmethod
    def of(cls, found: Platform, *, whole: bool) -> "PlatformView":
        """Return the view of the platform; `whole` for callers of the system."""
        supply = found.supply
        view = cls(
            state=supply.state,
            licensed=supply.is_licensed,
            version=supply.version,
            last_poll_at=supply.last_poll_at,
            last_success_at=supply.last_success_at,
            last_changed_at=supply.last_changed_at,
            expires_at=supply.expires_at,
            grace_since=supply.grace_since,
            grace_ends_at=supply.grace_ends_at,
            message=supply.message,
        )
        if not whole:
            return view
        return view.model_copy(
            update={
                "customer": supply.customer,
                "server": ServerView.of(supply),
                "features": [FeatureView.of(each) for each in found.features],
                "telephony": TelephonyView.of(found.telephony),
                "connections": [ConnectionView.of(each, found.parts[each.id]) for each in found.connections],
                "alarms": [AlarmView.of(each) for each in found.alarms],
                "shortfall": found.shortfall,
            }
        )
