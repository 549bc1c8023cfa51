"""Campaigns and strategies on the database: created, changed, validated, activated, deleted.

The API, the pages, the command line and the demo call it in their transactions; nothing commits here.
`organization_id` None stands for a caller who may see all organizations.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outrider.campaigns import store
from outrider.campaigns.changes import Difference, differences
from outrider.campaigns.model import Campaign, Schedule, StrategyState, StrategyVersion, schedule_document
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import document_name, parse_strategy
from outrider.contacts import service as contacts
from outrider.contacts.selection import parse_filter
from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.events import RecordChanged
from outrider.ids import ListId, ZoneId
from outrider.licences import division_store
from outrider.licences import store as licence_store

LONGEST_NAME = 80


def create_strategy(
    tx: Tx, organization_id: int, source: str, now: dt.datetime, actor: str, *, draft_name: str | None = None
) -> StrategyVersion:
    """Store a document as the next version of the strategy that it names.

    An active version must be valid: InvalidInputError lists every problem with its place. With `draft_name`
    it becomes a draft: it may have problems, is filed under that name while it has, and cannot run.
    """
    draft = draft_name is not None
    name = _name_of(source, draft_name) if draft_name is not None else parse_strategy(source).name
    version = store.newest_version(tx, organization_id, name) + 1
    state = StrategyState.DRAFT if draft else StrategyState.ACTIVE
    strategy_id = store.add_strategy(
        tx,
        {
            "organization_id": organization_id,
            "name": name,
            "version": version,
            "state": state.value,
            "source": source,
            "created_at": now,
            "created_by": actor,
        },
    )
    _log(tx, now, organization_id, "strategy", strategy_id, f"version {version} {state}", name, actor)
    return strategy(tx, strategy_id, organization_id)


def change_draft(
    tx: Tx, strategy_id: int, organization_id: int | None, source: str, now: dt.datetime, actor: str
) -> StrategyVersion:
    """Replace the text of a draft. ConflictError for an active version: those never change."""
    found = strategy(tx, strategy_id, organization_id)
    if found.state is not StrategyState.DRAFT:
        raise ConflictError(
            f"version {found.version} of {found.name!r} is active and never changes: add a new one"
        )
    if _name_of(source, found.name) != found.name:
        raise InvalidInputError(f"name: a draft of {found.name!r} keeps that name", where="name")
    store.set_strategy(tx, found.id, source=source)
    _log(tx, now, found.organization_id, "strategy", found.id, "draft changed", found.name, actor)
    return replace(found, source=source)


def activate(
    tx: Tx, strategy_id: int, organization_id: int | None, now: dt.datetime, actor: str
) -> StrategyVersion:
    """Make a draft the version that new jobs use. InvalidInputError lists what is wrong with it."""
    found = strategy(tx, strategy_id, organization_id)
    if found.state is StrategyState.ACTIVE:
        return found
    parse_strategy(found.source)
    store.set_strategy(tx, found.id, state=StrategyState.ACTIVE.value)
    _log(tx, now, found.organization_id, "strategy", found.id, "activated", found.name, actor)
    return replace(found, state=StrategyState.ACTIVE)


def delete_strategy(
    tx: Tx, strategy_id: int, organization_id: int | None, now: dt.datetime, actor: str
) -> None:
    """Delete a version that no job ever ran; ConflictError for one that is part of history."""
    found = strategy(tx, strategy_id, organization_id)
    if store.is_strategy_used(tx, found.id):
        raise ConflictError(f"version {found.version} of {found.name!r} was run by a job and is kept")
    store.delete_strategy(tx, found.id)
    _log(tx, now, found.organization_id, "strategy", found.id, "deleted", found.name, actor)


def strategy(tx: Tx, strategy_id: int, organization_id: int | None) -> StrategyVersion:
    """Return one version; NotFoundError when this caller can see none by that id."""
    found = store.strategy(tx, strategy_id, organization_id)
    if found is None:
        raise NotFoundError(f"there is no strategy version {strategy_id}")
    return found


def compare(
    tx: Tx, strategy_id: int, since: int | None, organization_id: int | None
) -> tuple[StrategyVersion | None, list[Difference]]:
    """Return the version that one is compared with, and what changed from it.

    `since` is an id; None: the version before it by the same name (None when it is the first). NotFoundError
    for a version that this caller cannot see, InvalidInputError for a draft that has problems.
    """
    found = strategy(tx, strategy_id, organization_id)
    if since is None:
        older = store.strategies(tx, found.organization_id, found.name)
        other = next((each for each in older if each.version < found.version), None)
    else:
        other = strategy(tx, since, organization_id)
    if other is None:
        return None, []
    return other, differences(parse_strategy(other.source), parse_strategy(found.source))


def strategies(tx: Tx, organization_id: int | None) -> list[StrategyVersion]:
    """Return all versions that the caller can see, by name, newest first."""
    return store.strategies(tx, organization_id)


def runnable(tx: Tx, organization_id: int, name: str) -> tuple[StrategyVersion, Strategy]:
    """Return the newest active version by that name, parsed. ConflictError when there is none."""
    version = store.active_strategy(tx, organization_id, name)
    if version is None:
        raise ConflictError(f"strategy {name!r} has no active version: activate one, drafts cannot run")
    return version, parse_strategy(version.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """What somebody wants a campaign to be; zones empty: the default zone of its lists."""

    name: str
    strategy_name: str
    list_ids: tuple[ListId, ...]
    zone_ids: tuple[ZoneId, ...] = ()
    filter: Sequence[Mapping[str, Any]] = ()
    schedule: Schedule = field(default_factory=Schedule)


def create_campaign(
    tx: Tx, organization_id: int, plan: CampaignPlan, now: dt.datetime, actor: str
) -> Campaign:
    """Create a campaign. InvalidInputError names the field at fault, ConflictError a name in use."""
    values = _checked(tx, organization_id, plan)
    if any(other.name == values["name"] for other in store.campaigns(tx, organization_id)):
        raise ConflictError(f"there is a campaign {values['name']!r} already: choose another name")
    next_start_at = _first_start(plan.schedule, now)
    campaign_id = store.add_campaign(
        tx, {**values, "organization_id": organization_id, "created_at": now, "next_start_at": next_start_at}
    )
    store.set_members(tx, campaign_id, plan.list_ids, _zones(tx, organization_id, plan))
    _log(tx, now, organization_id, "campaign", campaign_id, "created", plan.name, actor)
    return campaign(tx, campaign_id, organization_id)


def change_campaign(
    tx: Tx, campaign_id: int, organization_id: int | None, plan: CampaignPlan, now: dt.datetime, actor: str
) -> Campaign:
    """Replace a campaign's plan; jobs that are under way go on with the old one."""
    found = campaign(tx, campaign_id, organization_id)
    values = _checked(tx, found.organization_id, plan)
    others = store.campaigns(tx, found.organization_id)
    if any(other.name == values["name"] and other.id != found.id for other in others):
        raise ConflictError(f"there is a campaign {values['name']!r} already: choose another name")
    store.set_campaign(tx, found.id, **values, next_start_at=_first_start(plan.schedule, now))
    store.set_members(tx, found.id, plan.list_ids, _zones(tx, found.organization_id, plan))
    _log(tx, now, found.organization_id, "campaign", found.id, "changed", plan.name, actor)
    return campaign(tx, found.id, organization_id)


def delete_campaign(
    tx: Tx, campaign_id: int, organization_id: int | None, now: dt.datetime, actor: str
) -> None:
    """Delete a campaign and the records of its jobs.

    ConflictError while one of them has not ended, or still has calls up: the units that these use are counted
    in its tasks, and would be granted to others too early (licensing.md 2.1).
    """
    found = campaign(tx, campaign_id, organization_id)
    store.lock_campaign(tx, found.id)
    licence_store.lock_pools(tx, store.pools_of_tasks(tx, found.id))
    if store.unfinished_jobs(tx, found.id):
        raise ConflictError(f"campaign {found.name!r} has a job that has not ended: stop it first")
    in_use = store.units_in_use(tx, found.id)
    if in_use:
        raise ConflictError(
            f"campaign {found.name!r} has {in_use} attempts under way: delete it when they have ended"
        )
    store.delete_campaign(tx, found.id)
    _log(tx, now, found.organization_id, "campaign", found.id, "deleted", found.name, actor)


def campaign(tx: Tx, campaign_id: int, organization_id: int | None) -> Campaign:
    """Return one campaign; NotFoundError when this caller can see none by that id."""
    found = store.campaigns(tx, organization_id, campaign_id)
    if not found:
        raise NotFoundError(f"there is no campaign {campaign_id}")
    return found[0]


def campaigns(tx: Tx, organization_id: int | None) -> list[Campaign]:
    """Return all campaigns that the caller can see, by name."""
    return store.campaigns(tx, organization_id)


def due_campaigns(tx: Tx, now: dt.datetime) -> list[Campaign]:
    """Return the campaigns of all organizations whose next start has come."""
    return store.campaigns(tx, None, due=now)


def schedule_next(tx: Tx, found: Campaign, now: dt.datetime) -> None:
    """Move a campaign's next start to the first one after `now`."""
    store.set_campaign(tx, found.id, next_start_at=found.schedule.next_start(now))


def _first_start(schedule: Schedule, now: dt.datetime) -> dt.datetime | None:
    return schedule.next_start(now)


def _checked(tx: Tx, organization_id: int, plan: CampaignPlan) -> dict[str, Any]:
    name = " ".join(plan.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInputError(f"name: 1 to {LONGEST_NAME} characters", where="name")
    if not plan.list_ids:
        raise InvalidInputError("list_ids: name at least one contact list", where="list_ids")
    for list_id in plan.list_ids:
        contacts.get_list(tx, organization_id=organization_id, list_id=list_id)
    parse_filter(list(plan.filter))
    if store.newest_version(tx, organization_id, plan.strategy_name) == 0:
        raise InvalidInputError(
            f"strategy_name: there is no strategy {plan.strategy_name!r}", where="strategy_name"
        )
    return {
        "name": name,
        "strategy_name": plan.strategy_name,
        "filter": list(plan.filter),
        "schedule": schedule_document(plan.schedule),
    }


def _zones(tx: Tx, organization_id: int, plan: CampaignPlan) -> tuple[ZoneId, ...]:
    """Return the zones that the campaign runs in: those asked for, else those of its lists."""
    there = set(division_store.zones_of(tx, organization_id).values())
    lists = [
        contacts.get_list(tx, organization_id=organization_id, list_id=list_id) for list_id in plan.list_ids
    ]
    wanted = plan.zone_ids or tuple(sorted({ZoneId(each.zone_id) for each in lists}))
    for zone_id in wanted:
        if zone_id not in there:
            raise InvalidInputError(
                f"zone_ids: the organization has no licences in zone {zone_id}: add it to that zone first",
                where="zone_ids",
            )
    return wanted


def _name_of(source: str, otherwise: str) -> str:
    """Return the name that a draft gives itself, or `otherwise` while it has none that can be read."""
    try:
        return document_name(source)
    except InvalidInputError:
        name = " ".join(otherwise.split())
        if not 0 < len(name) <= LONGEST_NAME:
            raise InvalidInputError(f"name: 1 to {LONGEST_NAME} characters", where="name") from None
        return name


def _log(
    tx: Tx,
    now: dt.datetime,
    organization_id: int,
    record: str,
    record_id: int,
    change: str,
    name: str,
    actor: str,
) -> None:
    event = RecordChanged(
        organization_id=organization_id,
        record=record,
        record_id=record_id,
        change=change,
        name=name,
        actor=actor,
    )
    log.append(tx, now, event)
