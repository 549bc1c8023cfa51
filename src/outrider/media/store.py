"""SQL of media servers: the registry, what workers report, quotas and grants, ports charged and given back.

Only the modules of `media/` use it. Locks are taken in one order everywhere: zones by id, then media servers
by id; whoever also locks pools or tasks locks those before.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, or_, select, update

from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import insert, locked
from outrider.ids import ZoneId
from outrider.licences.model import NESTED_KINDS, LicenceKind
from outrider.licences.tree import DEFAULT_NAME
from outrider.media.health import Seen, Verdict
from outrider.media.model import Driver, Health, MediaServer, MediaServerId, Report, SeenAs
from outrider.media.placement import Slot
from outrider.media.split import Holding

S, R, MZ, Z = schema.media_servers.c, schema.media_reports.c, schema.media_zones.c, schema.zones.c
W, A, G = schema.workers.c, schema.attempts.c, schema.agent_legs.c
T, P = schema.tasks.c, schema.pools.c

CALL_KINDS = tuple(kind.value for kind in (LicenceKind.OUTBOUND_PORTS, *NESTED_KINDS))
"""Kinds of tasks whose attempts are calls, with a telephony port each."""

ANY = select(S.id).where(S.retired_at.is_(None)).limit(1)
SLOTS = locked(
    select(S.id, S.name, S.granted, S.in_use, S.originations_per_second, S.paced_until)
    .where(S.zone_id == bindparam("zone"), S.granted > 0)
    .order_by(S.id)
)
CHARGE = (
    update(schema.media_servers)
    .where(S.id == bindparam("server"), S.in_use + bindparam("calls") <= S.granted)
    .values(
        in_use=S.in_use + bindparam("calls"),
        paced_until=bindparam("mark", type_=schema.media_servers.c.paced_until.type),
    )
)
CHARGE_ONE = (
    update(schema.media_servers)
    .where(S.id == bindparam("server"), S.zone_id == bindparam("zone"), S.in_use < S.granted)
    .values(in_use=S.in_use + 1)
    .returning(S.name)
)
CHARGE_BEYOND = (
    update(schema.media_servers)
    .where(S.id == bindparam("server"))
    .values(in_use=S.in_use + 1)
    .returning(S.name)
)
RELEASE = (
    update(schema.media_servers)
    .where(S.id == bindparam("server"))
    .values(in_use=S.in_use - bindparam("calls"))
)
ZONES_OF = locked(
    select(MZ.zone_id, MZ.ports)
    .where(
        MZ.zone_id.in_(
            select(S.zone_id).where(S.id.in_(bindparam("servers", expanding=True))).scalar_subquery()
        )
    )
    .order_by(MZ.zone_id)
)
LOCK_ZONES = locked(
    select(MZ.zone_id, MZ.ports)
    .where(MZ.zone_id.in_(bindparam("zones", expanding=True)))
    .order_by(MZ.zone_id)
)
LOCK_ZONE = locked(select(MZ.ports).where(MZ.zone_id == bindparam("zone")))
CALLS_IN_ZONE = select(
    select(func.count())
    .where(
        A.ended_at.is_(None),
        A.task_id.in_(
            select(T.id)
            .join(schema.pools, P.id == T.pool_id)
            .where(P.zone_id == bindparam("zone"), or_(*(T.kind == kind for kind in CALL_KINDS)))
        ),
    )
    .scalar_subquery()
    + select(func.count()).where(G.zone_id == bindparam("zone")).scalar_subquery()
)
MEMBER = or_(S.retired_at.is_(None), S.in_use > 0, S.granted > 0, S.quota > 0)
MEMBERS = locked(
    select(
        S.id,
        S.name,
        S.zone_id,
        S.weight,
        S.maximum_ports,
        S.enabled,
        S.draining,
        S.retired_at,
        S.health,
        S.message,
        S.version,
        S.quota,
        S.granted,
        S.in_use,
    )
    .where(S.zone_id.in_(bindparam("zones", expanding=True)), MEMBER)
    .order_by(S.id)
)
SET_SHARE = (
    update(schema.media_servers)
    .where(S.id == bindparam("server"))
    .values(quota=bindparam("new_quota"), granted=bindparam("new_granted"))
)


def any_server(tx: Tx) -> bool:
    """Return whether any media server is registered."""
    return tx.execute(ANY).first() is not None


def lock_slots(tx: Tx, zone_id: ZoneId) -> list[Slot]:
    """Lock and return the servers of a zone that have ports granted, by id."""
    return [
        Slot(row.id, row.name, row.granted, row.in_use, row.originations_per_second, row.paced_until)
        for row in tx.execute(SLOTS, {"zone": zone_id})
    ]


def charge(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Charge ports (`server`, `calls`, `mark`) where grants have room; return whether all were charged."""
    return tx.execute(CHARGE, list(rows)).rowcount == len(rows)


def charge_one(tx: Tx, zone_id: ZoneId, server_id: int) -> str | None:
    """Charge one port of a server of the zone if its grant has room; return its name then."""
    name = tx.execute(CHARGE_ONE, {"server": server_id, "zone": zone_id}).scalar()
    return None if name is None else str(name)


def charge_beyond(tx: Tx, server_id: int) -> str:
    """Charge one port of a server above its grant, and return its name: the zone has room, and is locked."""
    return str(tx.execute(CHARGE_BEYOND, {"server": server_id}).scalar_one())


def release(tx: Tx, calls: Mapping[int, int]) -> None:
    """Give ports back, by server, in the order of ids."""
    tx.execute(RELEASE, [{"server": server, "calls": count} for server, count in sorted(calls.items())])


def lock_zones_of(tx: Tx, server_ids: Iterable[int]) -> dict[ZoneId, int]:
    """Lock the zones of these servers, and return their ports."""
    found = tx.execute(ZONES_OF, {"servers": sorted(server_ids)})
    return {ZoneId(row.zone_id): row.ports for row in found}


def lock_zones(tx: Tx, zone_ids: Iterable[int]) -> dict[ZoneId, int]:
    """Lock zones, which are noted first where they are new, and return the ports that were split last."""
    wanted = sorted(set(zone_ids))
    if wanted:
        row = insert(tx, schema.media_zones).values([{"zone_id": number, "ports": 0} for number in wanted])
        tx.execute(row.on_conflict_do_nothing(index_elements=["zone_id"]))
    return {ZoneId(row.zone_id): row.ports for row in tx.execute(LOCK_ZONES, {"zones": wanted})}


def set_zone_ports(tx: Tx, zone_id: ZoneId, ports: int) -> None:
    """Note the ports that a zone's servers share."""
    tx.execute(update(schema.media_zones).where(MZ.zone_id == zone_id).values(ports=ports))


def lock_members(tx: Tx, zone_ids: Iterable[int]) -> list[Row]:
    """Lock and return the servers of these zones, removed ones too while they hold anything, by id."""
    return list(tx.execute(MEMBERS, {"zones": sorted(zone_ids)}).mappings())


def holding_of(row: Row) -> Holding:
    """Return a row of `lock_members` as the split sees it."""
    in_service = (
        row["enabled"]
        and not row["draining"]
        and row["retired_at"] is None
        and row["health"] == Health.CONNECTED.value
    )
    return Holding(
        row["id"],
        row["weight"],
        row["maximum_ports"],
        in_service,
        row["quota"],
        row["granted"],
        row["in_use"],
    )


def save_shares(tx: Tx, shares: Mapping[int, tuple[int, int]]) -> None:
    """Write quota and grant of servers, by id."""
    if shares:
        rows = [
            {"server": server, "new_quota": quota, "new_granted": granted}
            for server, (quota, granted) in sorted(shares.items())
        ]
        tx.execute(SET_SHARE, rows)


def servers(tx: Tx, *, server_id: int | None = None, name: str | None = None) -> list[MediaServer]:
    """Return registered servers, and removed ones while calls are up there, by name; or one of them."""
    query = _with_zone().where(or_(S.retired_at.is_(None), S.in_use > 0)).order_by(S.name)
    if server_id is not None:
        query = query.where(S.id == server_id)
    if name is not None:
        query = query.where(S.name == name)
    return [_server(row) for row in tx.execute(query).mappings()]


def secrets_of(tx: Tx, server_ids: Sequence[int]) -> dict[int, str]:
    """Return the sealed secrets of servers, by id."""
    query = select(S.id, S.secret).where(S.id.in_(server_ids))
    return {row.id: row.secret for row in tx.execute(query)}


def add(tx: Tx, values: Mapping[str, Any]) -> MediaServerId:
    """Register a server."""
    row = schema.media_servers.insert().values(**values).returning(S.id)
    return MediaServerId(tx.execute(row).scalar_one())


def change(tx: Tx, server_id: int, *, anew: bool, **values: Any) -> None:
    """Change columns of a server; `anew` when workers must connect to it anew: a new revision."""
    statement = update(schema.media_servers).where(S.id == server_id)
    tx.execute(statement.values(revision=S.revision + int(anew), **values))


def move(tx: Tx, server_ids: Sequence[int], zone_id: ZoneId) -> None:
    """Put servers into another zone, where they hold nothing yet but the ports that are in use."""
    statement = update(schema.media_servers).where(S.id.in_(server_ids))
    tx.execute(statement.values(zone_id=zone_id, quota=0, granted=0))


def set_verdict(tx: Tx, server_id: int, verdict: Verdict, at: dt.datetime | None) -> None:
    """Write what is held of a server; `at` is when its health changed, None when it did not."""
    values: dict[str, Any] = {
        "health": verdict.health.value,
        "message": verdict.message,
        "version": verdict.version,
    }
    if at is not None:
        values["health_at"] = at
    tx.execute(update(schema.media_servers).where(S.id == server_id).values(**values))


def forget_reports(tx: Tx, server_id: int) -> None:
    """Forget what workers saw of a server: its address is another now."""
    tx.execute(delete(schema.media_reports).where(R.server_id == server_id))


def is_worker(tx: Tx, worker_id: str) -> bool:
    """Return whether a worker is registered, until commit."""
    return tx.execute(locked(select(W.id).where(W.id == worker_id))).first() is not None


def add_reports(tx: Tx, worker_id: str, reports: Sequence[Report], now: dt.datetime) -> None:
    """Write what a worker sees, in place of what it saw before."""
    for report in sorted(reports, key=lambda each: each.server_id):
        values = {
            "seen_as": report.seen_as.value,
            "message": report.message,
            "version": report.version,
            "at": now,
        }
        row = insert(tx, schema.media_reports).values(
            worker_id=worker_id, server_id=report.server_id, **values
        )
        tx.execute(row.on_conflict_do_update(index_elements=["worker_id", "server_id"], set_=values))


def seen(tx: Tx, zone_ids: Iterable[int], real_now: dt.datetime | None) -> dict[int, list[Seen]]:
    """Return what the living workers see of the servers of these zones, by server.

    Alive is whose lease has not run out at `real_now` (None: whoever is registered).
    """
    query = (
        select(R.server_id, R.worker_id, R.seen_as, R.message, R.version)
        .join(schema.media_servers, S.id == R.server_id)
        .join(schema.workers, W.id == R.worker_id)
        .where(S.zone_id.in_(sorted(zone_ids)))
        .order_by(R.server_id, R.worker_id)
    )
    if real_now is not None:
        query = query.where(W.lease_until >= real_now)
    found: dict[int, list[Seen]] = {}
    for row in tx.execute(query):
        found.setdefault(row.server_id, []).append(
            Seen(row.worker_id, SeenAs(row.seen_as), row.message, row.version)
        )
    return found


def zones_of(tx: Tx, server_ids: Iterable[int] | None = None) -> set[ZoneId]:
    """Return the zones of these servers, or of all that hold anything or are registered."""
    query = select(S.zone_id).where(S.zone_id.is_not(None), MEMBER).distinct()
    if server_ids is not None:
        query = query.where(S.id.in_(sorted(server_ids)))
    return {ZoneId(number) for number in tx.execute(query).scalars() if number is not None}


def split_ports(tx: Tx) -> dict[ZoneId, int]:
    """Return the ports that the last splits divided, by zone."""
    return {ZoneId(row.zone_id): row.ports for row in tx.execute(select(MZ.zone_id, MZ.ports))}


def homeless(tx: Tx) -> list[MediaServerId]:
    """Return servers whose zone was deleted or is being deleted."""
    query = (
        select(S.id)
        .outerjoin(schema.zones, Z.id == S.zone_id)
        .where(S.retired_at.is_(None), Z.id.is_(None) | Z.retired_at.is_not(None))
        .order_by(S.id)
    )
    return [MediaServerId(number) for number in tx.execute(query).scalars()]


def default_zone(tx: Tx) -> ZoneId:
    """Return the id of the default zone."""
    return ZoneId(tx.execute(select(Z.id).where(Z.name == DEFAULT_NAME)).scalar_one())


def units_in_use(tx: Tx) -> dict[int, int]:
    """Return the open attempts and the agents' legs on every server: the truth that `in_use` caches."""
    attempts = select(A.server_id, func.count()).where(A.ended_at.is_(None), A.server_id.is_not(None))
    legs = select(G.server_id, func.count()).where(G.server_id.is_not(None))
    found: Counter[int] = Counter()
    for query in (attempts.group_by(A.server_id), legs.group_by(G.server_id)):
        for server, count in tx.execute(query):
            found[server] += int(count)
    return found


def zone_ports(tx: Tx, zone_id: ZoneId) -> int | None:
    """Lock a zone, and return the ports that are noted of it; None when none are yet."""
    ports: int | None = tx.execute(LOCK_ZONE, {"zone": zone_id}).scalar()
    return ports


def calls_in_zone(tx: Tx, zone_id: ZoneId) -> int:
    """Return the open calls of a zone, wherever they are made: attempts, and legs that are no attempts."""
    return int(tx.execute(CALLS_IN_ZONE, {"zone": zone_id}).scalar_one())


def all_shares(tx: Tx) -> list[Row]:
    """Return id, name, zone, quota, grant and use of every server ever registered, by id."""
    query = select(S.id, S.name, S.zone_id, S.quota, S.granted, S.in_use).order_by(S.id)
    return list(tx.execute(query).mappings())


def _with_zone() -> Select[Any]:
    columns = [column for column in schema.media_servers.c if column.name not in {"secret", "paced_until"}]
    return select(*columns, func.coalesce(Z.name, "").label("zone")).outerjoin(
        schema.zones, Z.id == S.zone_id
    )


def _server(row: Row) -> MediaServer:
    typed = {"driver": Driver(row["driver"]), "health": Health(row["health"])}
    return MediaServer(**{**row, **typed})
