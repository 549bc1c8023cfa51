"""Ports of legs that are no attempts: charged with the leg's row, given back once (licensing.md 6).

The floor's edge calls it in its transactions: `take` before a phone or a consulted person is called and
before a contact is joined, `release` when that is over. Attempts have their ports from `dialing`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from outrider.agents import legs_store as store
from outrider.agents.leg import Leg, LegPurpose, LegRefused
from outrider.agents.model import LegId, SessionId
from outrider.db.database import Tx
from outrider.ids import ZoneId
from outrider.media import placing, unplaced
from outrider.media import store as media_store
from outrider.media.model import Placement

NO_PORT = "no telephony port of the zone is free"


def take(
    tx: Tx,
    leg_id: LegId,
    session_id: SessionId,
    purpose: LegPurpose,
    zone_id: ZoneId,
    owner: str,
    now: dt.datetime,
    *,
    address: str = "",
    prefer_server: int | None = None,
    only_server: int | None = None,
) -> Leg | LegRefused:
    """Charge one port for a leg, and write its row; refused when the zone (or `only_server`) has none free.

    Without a preference an agent's phone goes where most phones of its pool are, because only calls on
    one server can be joined. `only_server` is that of the leg to be joined: bridges and consulted people.
    With no media server registered the port is one of the zone's, as far as calls leave any. A leg that
    has its port already keeps it.
    """
    kept = store.leg(tx, leg_id)
    if kept is not None:
        return kept
    if only_server is not None:
        placement = _at(tx, purpose, zone_id, only_server, now)
    elif media_store.any_server(tx):
        prefer = [] if prefer_server is None else [prefer_server]
        placement = placing.place_leg(tx, zone_id, now, prefer=prefer + store.gathered(tx, session_id))
    elif unplaced.free_ports(tx, zone_id) > 0:
        leg = Leg(leg_id, session_id, purpose, zone_id, owner, now, address)
        store.add(tx, leg)
        return leg
    else:
        return LegRefused(NO_PORT)
    if placement is None:
        where = "on its media server" if only_server is not None else "on any media server of the zone"
        return LegRefused(f"no port is free {where}")
    leg = Leg(
        leg_id, session_id, purpose, zone_id, owner, now, address, placement.server, placement.server_id
    )
    store.add(tx, leg)
    return leg


def release(tx: Tx, leg_ids: Iterable[LegId]) -> int:
    """Give back the ports of legs that are over, each once, whatever is repeated; return how many were."""
    over = store.remove(tx, sorted(set(leg_ids)))
    placing.release(tx, Counter(server for server in over if server is not None))
    return len(over)


def of_owners(tx: Tx, owners: Sequence[str]) -> list[Leg]:
    """Return the legs of these workers, oldest first: what a recovery asks the media servers about."""
    return store.of_owners(tx, owners)


def every(tx: Tx) -> list[Leg]:
    """Return all legs that are charged, oldest first: what a floor finds when it is taken."""
    return store.every(tx)


def of_sessions(tx: Tx, session_ids: Sequence[SessionId]) -> list[Leg]:
    """Return the legs of these sessions, oldest first."""
    return store.of_sessions(tx, session_ids)


def adopt(tx: Tx, leg_ids: Sequence[LegId], owner: str) -> set[LegId]:
    """Hand legs over to another worker; return the ids of those that there still are."""
    return store.set_owner(tx, leg_ids, owner)


def _at(tx: Tx, purpose: LegPurpose, zone_id: ZoneId, server_id: int, now: dt.datetime) -> Placement | None:
    if purpose is LegPurpose.BRIDGE:
        # A server that drains gives its free ports away: those calls that it has are joined with another's.
        return placing.hold(tx, zone_id, server_id) or placing.hold_for_drained(tx, zone_id, server_id)
    return placing.place_leg(tx, zone_id, now, only=server_id)
