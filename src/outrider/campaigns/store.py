"""SQL of campaigns and of the versions of their strategies; every query is limited to an organization.

Only `campaigns/service.py` and `jobs/service.py` use it. `organization_id` None: all organizations.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import RowMapping

from outrider.campaigns.model import Campaign, StrategyState, StrategyVersion, read_schedule
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import locked
from outrider.ids import CampaignId, ListId, PoolId, StrategyId, ZoneId

S, C, J, T = schema.strategies.c, schema.campaigns.c, schema.jobs.c, schema.tasks.c
CL, CZ = schema.campaign_lists, schema.campaign_zones


def add_strategy(tx: Tx, values: dict[str, Any]) -> StrategyId:
    """Insert one version and return its id."""
    return StrategyId(tx.execute(schema.strategies.insert().values(**values).returning(S.id)).scalar_one())


def set_strategy(tx: Tx, strategy_id: StrategyId, **values: object) -> None:
    """Change columns of one version."""
    tx.execute(update(schema.strategies).where(S.id == strategy_id).values(**values))


def delete_strategy(tx: Tx, strategy_id: StrategyId) -> None:
    """Delete one version."""
    tx.execute(delete(schema.strategies).where(S.id == strategy_id))


def strategy(tx: Tx, strategy_id: int, organization_id: int | None) -> StrategyVersion | None:
    """Return one version, None when this organization has none by that id."""
    query = select(schema.strategies).where(S.id == strategy_id)
    if organization_id is not None:
        query = query.where(S.organization_id == organization_id)
    row = tx.execute(query).mappings().first()
    return None if row is None else _strategy(row)


def strategies(tx: Tx, organization_id: int | None, name: str | None = None) -> list[StrategyVersion]:
    """Return all versions, by name, newest first."""
    query = select(schema.strategies).order_by(S.organization_id, S.name, S.version.desc())
    if organization_id is not None:
        query = query.where(S.organization_id == organization_id)
    if name is not None:
        query = query.where(S.name == name)
    return [_strategy(row) for row in tx.execute(query).mappings()]


def active_strategy(tx: Tx, organization_id: int, name: str) -> StrategyVersion | None:
    """Return the newest active version by that name, None when there is none."""
    query = (
        select(schema.strategies)
        .where(S.organization_id == organization_id, S.name == name, S.state == StrategyState.ACTIVE.value)
        .order_by(S.version.desc())
        .limit(1)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else _strategy(row)


def newest_version(tx: Tx, organization_id: int, name: str) -> int:
    """Return the highest version number by that name, 0 when there is none."""
    query = select(func.max(S.version)).where(S.organization_id == organization_id, S.name == name)
    return int(tx.execute(query).scalar() or 0)


def is_strategy_used(tx: Tx, strategy_id: StrategyId) -> bool:
    """Return whether any job, ended or not, ran this version."""
    query = select(schema.jobs.c.id).where(schema.jobs.c.strategy_id == strategy_id).limit(1)
    return tx.execute(query).first() is not None


def add_campaign(tx: Tx, values: dict[str, Any]) -> CampaignId:
    """Insert a campaign and return its id."""
    return CampaignId(tx.execute(schema.campaigns.insert().values(**values).returning(C.id)).scalar_one())


def set_campaign(tx: Tx, campaign_id: CampaignId, **values: object) -> None:
    """Change columns of a campaign."""
    tx.execute(update(schema.campaigns).where(C.id == campaign_id).values(**values))


def set_members(
    tx: Tx, campaign_id: CampaignId, list_ids: Iterable[ListId], zone_ids: Iterable[ZoneId]
) -> None:
    """Replace the lists and zones of a campaign."""
    tx.execute(delete(CL).where(CL.c.campaign_id == campaign_id))
    tx.execute(delete(CZ).where(CZ.c.campaign_id == campaign_id))
    lists = [{"campaign_id": campaign_id, "list_id": list_id} for list_id in list_ids]
    zones = [{"campaign_id": campaign_id, "zone_id": zone_id} for zone_id in zone_ids]
    if lists:
        tx.execute(CL.insert(), lists)
    if zones:
        tx.execute(CZ.insert(), zones)


def delete_campaign(tx: Tx, campaign_id: CampaignId) -> None:
    """Delete a campaign with its ended jobs."""
    tx.execute(delete(schema.campaigns).where(C.id == campaign_id))


def campaigns(
    tx: Tx, organization_id: int | None, campaign_id: int | None = None, due: dt.datetime | None = None
) -> list[Campaign]:
    """Return campaigns by name: all, the one by id, or those whose next start is due."""
    query = select(schema.campaigns).order_by(C.organization_id, C.name)
    if organization_id is not None:
        query = query.where(C.organization_id == organization_id)
    if campaign_id is not None:
        query = query.where(C.id == campaign_id)
    if due is not None:
        query = query.where(C.next_start_at <= due)
    rows = tx.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    lists = _members(tx, CL.c.campaign_id, CL.c.list_id, ids)
    zones = _members(tx, CZ.c.campaign_id, CZ.c.zone_id, ids)
    return [
        Campaign(
            id=row["id"],
            organization_id=row["organization_id"],
            name=row["name"],
            strategy_name=row["strategy_name"],
            list_ids=tuple(ListId(number) for number in lists.get(row["id"], ())),
            zone_ids=tuple(ZoneId(number) for number in zones.get(row["id"], ())),
            filter=row["filter"],
            schedule=read_schedule(row["schedule"]),
            next_start_at=row["next_start_at"],
            created_at=row["created_at"],
        )
        for row in rows
    ]


def unfinished_jobs(tx: Tx, campaign_id: CampaignId) -> int:
    """Return how many jobs of a campaign have not ended."""
    query = select(func.count()).where(J.campaign_id == campaign_id, J.ended_at.is_(None))
    return int(tx.execute(query).scalar_one())


def lock_campaign(tx: Tx, campaign_id: CampaignId) -> None:
    """Lock a campaign until commit: no job of it can be created meanwhile."""
    tx.execute(locked(select(C.id).where(C.id == campaign_id))).all()


def pools_of_tasks(tx: Tx, campaign_id: CampaignId) -> list[PoolId]:
    """Return the pools in which the jobs of a campaign, ended or not, have tasks, in order."""
    query = select(T.pool_id).join(schema.jobs, J.id == T.job_id).where(J.campaign_id == campaign_id)
    return [PoolId(number) for number in tx.execute(query.distinct().order_by(T.pool_id)).scalars()]


def units_in_use(tx: Tx, campaign_id: CampaignId) -> int:
    """Return how many units the tasks of a campaign's jobs, ended or not, have in use."""
    query = select(func.sum(T.in_use)).join(schema.jobs, J.id == T.job_id).where(J.campaign_id == campaign_id)
    return int(tx.execute(query).scalar() or 0)


def _members(tx: Tx, key: Any, value: Any, ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for owner, member in tx.execute(select(key, value).where(key.in_(ids)).order_by(value)):
        found.setdefault(owner, []).append(member)
    return found


def _strategy(row: RowMapping) -> StrategyVersion:
    return StrategyVersion(
        id=row["id"],
        organization_id=row["organization_id"],
        name=row["name"],
        version=row["version"],
        state=StrategyState(row["state"]),
        source=row["source"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
