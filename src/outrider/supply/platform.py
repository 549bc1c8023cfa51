"""Everything that the platform page and `GET /api/platform` show of the platform manager (licensing.md 7).

Read in one transaction; an organization's user sees the state, and nothing of servers, files and others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.supply import alarm_store, entitlement, store
from outrider.supply.alarm_store import RaisedAlarm
from outrider.supply.authorisation import Feature
from outrider.supply.connections import store as connection_store
from outrider.supply.connections.model import Connection
from outrider.supply.model import Supply
from outrider.supply.ports import TelephonyPorts, missing_ports, per_connection

ALARMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform as a whole. `parts` are the ports of each connection by its id, of `telephony`'s total.

    `shortfall` says why fewer outbound ports than authorised are in force; "" when all are.
    """

    supply: Supply
    telephony: TelephonyPorts
    features: tuple[Feature, ...]
    connections: tuple[Connection, ...]
    parts: Mapping[int, int]
    alarms: tuple[RaisedAlarm, ...]
    shortfall: str


def platform(tx: Tx) -> Platform:
    """Return the platform as it is now."""
    found = store.current(tx)
    connections = tuple(connection_store.connections(tx))
    telephony = entitlement.telephony(tx, found)
    return Platform(
        supply=found,
        telephony=telephony,
        features=found.known.features,
        connections=connections,
        parts=per_connection(telephony, connections),
        alarms=tuple(alarm_store.newest(tx, ALARMS_SHOWN)),
        shortfall=missing_ports(found.authorised, telephony),
    )
