"""SQL of legs that are no attempts: a row while its port is charged.

Only `agents/legs.py` uses it.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, select, update

from outrider.agents.leg import Leg, LegPurpose
from outrider.agents.model import LegId, SessionId
from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import insert_rows
from outrider.db.types import utc_microseconds
from outrider.ids import ZoneId

G, S, M = schema.agent_legs.c, schema.agent_sessions.c, schema.media_servers.c

COLUMNS = ("id", "session_id", "purpose", "address", "server_id", "zone_id", "owner", "started_at")
REMOVE = delete(schema.agent_legs).where(G.id == bindparam("leg")).returning(G.server_id)
LEGS = select(schema.agent_legs, func.coalesce(M.name, "").label("server")).outerjoin(
    schema.media_servers, M.id == G.server_id
)
LEG = LEGS.where(G.id == bindparam("leg"))


def add(tx: Tx, leg: Leg) -> None:
    """Write the row of a leg whose port is charged."""
    values = (
        leg.id,
        leg.session_id,
        leg.purpose.value,
        leg.address,
        leg.server_id,
        leg.zone_id,
        leg.owner,
        utc_microseconds(leg.started_at),
    )
    insert_rows(tx, schema.agent_legs, COLUMNS, [values])


def leg(tx: Tx, leg_id: LegId) -> Leg | None:
    """Return one leg, None when no port is charged for it."""
    row = tx.execute(LEG, {"leg": leg_id}).mappings().first()
    return None if row is None else _leg(row)


def remove(tx: Tx, leg_ids: Iterable[LegId]) -> list[int | None]:
    """Remove the rows of legs that have one; return the server of each that was there."""
    found: list[int | None] = []
    for leg_id in leg_ids:
        found += tx.execute(REMOVE, {"leg": leg_id}).scalars()
    return found


def of_owners(tx: Tx, owners: Sequence[str]) -> list[Leg]:
    """Return the legs of these workers, oldest first."""
    query = LEGS.where(G.owner.in_(owners)).order_by(G.started_at, G.id)
    return [_leg(row) for row in tx.execute(query).mappings()]


def every(tx: Tx) -> list[Leg]:
    """Return all legs, oldest first."""
    return [_leg(row) for row in tx.execute(LEGS.order_by(G.started_at, G.id)).mappings()]


def of_sessions(tx: Tx, session_ids: Sequence[SessionId]) -> list[Leg]:
    """Return the legs of these sessions, oldest first."""
    query = LEGS.where(G.session_id.in_(session_ids)).order_by(G.started_at, G.id)
    return [_leg(row) for row in tx.execute(query).mappings()]


def set_owner(tx: Tx, leg_ids: Sequence[LegId], owner: str) -> set[LegId]:
    """Hand legs over to another worker; return the ids of those that there are."""
    statement = update(schema.agent_legs).where(G.id.in_(leg_ids)).values(owner=owner).returning(G.id)
    return set(tx.execute(statement).scalars())


def gathered(tx: Tx, session_id: SessionId) -> list[int]:
    """Return the media servers that have legs of the session's pool, most first."""
    pool = select(S.pool_id).where(S.id == session_id).scalar_subquery()
    query = (
        select(G.server_id)
        .join(schema.agent_sessions, S.id == G.session_id)
        .where(G.server_id.is_not(None), G.purpose == LegPurpose.AGENT.value, S.pool_id == pool)
        .group_by(G.server_id)
        .order_by(func.count().desc(), G.server_id)
    )
    return [int(server) for server in tx.execute(query).scalars() if server is not None]


def _leg(row: Row) -> Leg:
    return Leg(
        id=LegId(row["id"]),
        session_id=SessionId(row["session_id"]),
        purpose=LegPurpose(row["purpose"]),
        zone_id=ZoneId(row["zone_id"]),
        owner=row["owner"],
        started_at=row["started_at"],
        address=row["address"],
        server=row["server"],
        server_id=row["server_id"],
    )
