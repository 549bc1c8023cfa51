"""SQL of zones, organizations and the numbers that were configured for them (licensing.md 7).

`licences/division.py` is its user. A pool is one organization in one zone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Row, Table, case, delete, func, select, update

from outrider.completion.model import DEFAULT_CODES
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert, locked
from outrider.ids import OrganizationId, PoolId, ZoneId
from outrider.licences import store
from outrider.licences.model import LicenceKind, Standing
from outrider.licences.tree import DEFAULT_NAME, OrganizationAllocation, PoolName, Tree, ZoneAllocation

G, Z, P = schema.organizations.c, schema.zones.c, schema.pools.c
ZC, PC, N = schema.zone_counts.c, schema.pool_counts.c, schema.agent_sessions.c
J, T, X = schema.jobs.c, schema.tasks.c, schema.targets.c


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One pool with the ids and names of its zone and organization."""

    id: PoolId
    zone_id: ZoneId
    zone: str
    organization_id: OrganizationId
    organization: str
    policy: str

    @property
    def name(self) -> PoolName:
        """Return the name that the tree knows the pool by."""
        return PoolName(self.zone, self.organization)


def ensure_defaults(tx: Tx, now: dt.datetime) -> None:
    """Create the default zone, the default organization and their pool where they are missing."""
    for table in (schema.zones, schema.organizations):
        row = insert(tx, table).values(name=DEFAULT_NAME, created_at=now)
        tx.execute(row.on_conflict_do_nothing(index_elements=["name"]))
    zone = tx.execute(select(Z.id).where(Z.name == DEFAULT_NAME)).scalar_one()
    organization = tx.execute(select(G.id).where(G.name == DEFAULT_NAME)).scalar_one()
    add_pool(tx, zone, organization)
    _add_codes(tx, organization)


def _add_codes(tx: Tx, organization_id: int) -> None:
    """Give an organization the completion codes that all begin with; those it has stay as they are."""
    for plan in DEFAULT_CODES:
        row = insert(tx, schema.completion_codes).values(organization_id=organization_id, **asdict(plan))
        tx.execute(row.on_conflict_do_nothing(index_elements=["organization_id", "name"]))


def add_pool(tx: Tx, zone_id: ZoneId, organization_id: OrganizationId) -> None:
    """Put an organization into a zone, with no number of its own; nothing happens when it is there."""
    row = insert(tx, schema.pools).values(zone_id=zone_id, organization_id=organization_id)
    tx.execute(row.on_conflict_do_nothing(index_elements=["zone_id", "organization_id"]))


def pools(tx: Tx) -> list[PoolRow]:
    """Return all pools, by zone and organization."""
    query = (
        select(
            P.id, P.zone_id, Z.name.label("zone"), P.organization_id, G.name.label("organization"), P.policy
        )
        .join(schema.zones, Z.id == P.zone_id)
        .join(schema.organizations, G.id == P.organization_id)
        .where(Z.retired_at.is_(None), G.retired_at.is_(None))
        .order_by(Z.name, G.name)
    )
    return [PoolRow(**row) for row in tx.execute(query).mappings()]


def zones(tx: Tx) -> dict[str, ZoneId]:
    """Return the ids of all zones by name."""
    return {row.name: ZoneId(row.id) for row in _living(tx, schema.zones)}


def zones_of(tx: Tx, organization_id: int | None) -> dict[str, ZoneId]:
    """Return the zones that an organization is in, by name; all zones for the whole system (None)."""
    if organization_id is None:
        return zones(tx)
    return {row.zone: row.zone_id for row in pools(tx) if row.organization_id == organization_id}


def organizations(tx: Tx) -> dict[str, OrganizationId]:
    """Return the ids of all organizations by name."""
    return {row.name: OrganizationId(row.id) for row in _living(tx, schema.organizations)}


def tree(tx: Tx, auto_allocate: PoolName | None) -> Tree:
    """Return everything that was configured, as the pure rules see it."""
    zone_counts: dict[int, dict[LicenceKind, int]] = {}
    for row in tx.execute(select(ZC.zone_id, ZC.kind, ZC.configured)):
        zone_counts.setdefault(row.zone_id, {})[LicenceKind(row.kind)] = row.configured
    pool_counts: dict[int, dict[LicenceKind, int]] = {}
    for row in tx.execute(select(PC.pool_id, PC.kind, PC.configured).where(PC.configured.is_not(None))):
        pool_counts.setdefault(row.pool_id, {})[LicenceKind(row.kind)] = row.configured
    members: dict[ZoneId, list[OrganizationAllocation]] = {}
    for pool in pools(tx):
        allocation = OrganizationAllocation(pool.organization, pool_counts.get(pool.id, {}))
        members.setdefault(pool.zone_id, []).append(allocation)
    return Tree(
        tuple(
            ZoneAllocation(name, zone_counts.get(zone_id, {}), tuple(members.get(zone_id, ())))
            for name, zone_id in zones(tx).items()
        ),
        auto_allocate,
    )


def effective(tx: Tx) -> dict[PoolId, dict[LicenceKind, int]]:
    """Return the counts in force of every pool that has any."""
    counts: dict[PoolId, dict[LicenceKind, int]] = {}
    for row in tx.execute(select(PC.pool_id, PC.kind, PC.effective)):
        counts.setdefault(PoolId(row.pool_id), {})[LicenceKind(row.kind)] = row.effective
    return counts


def save_zone_counts(tx: Tx, zone_id: ZoneId, counts: Mapping[LicenceKind, int]) -> None:
    """Replace the configured numbers of a zone."""
    tx.execute(delete(schema.zone_counts).where(ZC.zone_id == zone_id))
    rows = [{"zone_id": zone_id, "kind": kind.value, "configured": units} for kind, units in counts.items()]
    if rows:
        tx.execute(schema.zone_counts.insert(), rows)


def save_pool_counts(tx: Tx, pool_id: PoolId, counts: Mapping[LicenceKind, int]) -> None:
    """Replace the configured numbers of a pool; what is in force stays until the division is applied."""
    for kind in LicenceKind:
        row = insert(tx, schema.pool_counts).values(
            pool_id=pool_id, kind=kind.value, configured=counts.get(kind), effective=0
        )
        tx.execute(
            row.on_conflict_do_update(
                index_elements=["pool_id", "kind"], set_={"configured": row.excluded.configured}
            )
        )


def add_zone(tx: Tx, name: str, now: dt.datetime) -> ZoneId:
    """Create a zone."""
    row = schema.zones.insert().values(name=name, created_at=now).returning(Z.id)
    return ZoneId(tx.execute(row).scalar_one())


def add_organization(tx: Tx, name: str, now: dt.datetime) -> OrganizationId:
    """Create an organization."""
    row = schema.organizations.insert().values(name=name, created_at=now).returning(G.id)
    made = OrganizationId(tx.execute(row).scalar_one())
    _add_codes(tx, made)
    return made


def retire_zone(tx: Tx, zone_id: ZoneId, now: dt.datetime) -> list[PoolId]:
    """Take a zone out of use, its name free again; return its pools, whose tasks start nothing more.

    Its contact lists and agents move to the default zone: contacts and people do not vanish with a zone.
    """
    pool_ids = _retire(tx, schema.zones, zone_id, now)
    _move_to_default(tx, [zone_id])
    return pool_ids


def retire_organization(tx: Tx, organization_id: OrganizationId, now: dt.datetime) -> list[PoolId]:
    """Take an organization out of use, its name free again; return its pools, which now drain."""
    return _retire(tx, schema.organizations, organization_id, now)


def _retire(tx: Tx, table: Table, record_id: int, now: dt.datetime) -> list[PoolId]:
    name = tx.execute(select(table.c.name).where(table.c.id == record_id)).scalar_one()
    retired = update(table).where(table.c.id == record_id)
    tx.execute(retired.values(retired_at=now, name=f"{name} (deleted, {record_id})"))
    column = P.zone_id if table is schema.zones else P.organization_id
    pool_ids = [PoolId(number) for number in tx.execute(select(P.id).where(column == record_id)).scalars()]
    out = update(schema.tasks).where(T.pool_id.in_(pool_ids)).values(standing=Standing.OUT.value)
    tx.execute(out)
    tx.execute(update(schema.pool_counts).where(PC.pool_id.in_(pool_ids)).values(effective=0))
    return pool_ids


def purge_retired(tx: Tx) -> int:
    """Delete retired zones and organizations where no call is up and no agent logged in; return how many.

    Jobs that go on elsewhere forget the targets that they had there, so that they can still finish.
    """
    purged = 0
    for table, column in ((schema.zones, P.zone_id), (schema.organizations, P.organization_id)):
        retired = select(table.c.id).where(table.c.retired_at.is_not(None))
        pool_ids = tx.execute(select(P.id).where(column.in_(retired))).scalars().all()
        store.lock_pools(tx, [PoolId(number) for number in pool_ids])
        busy = (
            select(T.id)
            .join(schema.pools, P.id == T.pool_id)
            .where(column == table.c.id, T.in_use > 0)
            .exists()
        )
        staffed = (
            select(N.id)
            .join(schema.pools, P.id == N.pool_id)
            .where(column == table.c.id, N.ended_at.is_(None))
            .exists()
        )
        # The lock waits for whoever just adds a row that refers to one of these, and lets nobody else add.
        doomed = tx.execute(locked(retired.where(~busy, ~staffed).order_by(table.c.id))).scalars().all()
        if doomed:
            if table is schema.zones:
                _move_to_default(tx, doomed)
            _forget_targets(tx, column.in_(doomed))
            purged += tx.execute(delete(table).where(table.c.id.in_(doomed))).rowcount
    return purged


def _move_to_default(tx: Tx, zone_ids: Sequence[int]) -> None:
    """Put the contact lists and the agents of these zones into the default zone."""
    default = select(Z.id).where(Z.name == DEFAULT_NAME).scalar_subquery()
    for table in (schema.contact_lists, schema.agents):
        tx.execute(update(table).where(table.c.zone_id.in_(zone_ids)).values(zone_id=default))


def _forget_targets(tx: Tx, doomed: ColumnElement[bool]) -> None:
    """Take the targets in doomed pools, which are locked, out of the counters of jobs that have not ended."""
    there = select(T.job_id).join(schema.pools, P.id == T.pool_id).where(doomed)
    jobs = select(J.id).where(J.ended_at.is_(None), J.id.in_(there)).order_by(J.id)
    job_ids = tx.execute(locked(jobs)).scalars().all()
    vanishing = (
        select(T.job_id, func.count(), func.sum(case((X.state == "done", 1), else_=0)))
        .join(schema.targets, X.task_id == T.id)
        .join(schema.pools, P.id == T.pool_id)
        .where(doomed, T.job_id.in_(job_ids))
        .group_by(T.job_id)
    )
    for job_id, targets, done in tx.execute(vanishing).all():
        fewer = {"targets": J.targets - targets, "targets_done": J.targets_done - int(done)}
        tx.execute(update(schema.jobs).where(J.id == job_id).values(fewer))


def _living(tx: Tx, table: Table) -> Sequence[Row[int, str]]:
    query = select(table.c.id, table.c.name).where(table.c.retired_at.is_(None)).order_by(table.c.name)
    return tx.execute(query).all()
