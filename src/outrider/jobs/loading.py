"""Makes a job's contacts its targets, a page at a time, while it is already dialing.

The worker's monitor calls it until a job is loaded. Every page is one transaction that also moves the
mark in the job's row, so a kill loses nothing and repeats nothing.
"""

import datetime as dt
from collections import Counter
from typing import Any

from outrider.campaigns import service as campaigns
from outrider.campaigns.hours import ContactHours
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.contacts.selection import matches, parse_filter
from outrider.contacts.store import contact_of
from outrider.db import log
from outrider.db.database import Tx
from outrider.events import JobLoaded
from outrider.ids import JobId, ListId
from outrider.jobs import service, store
from outrider.jobs.model import JobState
from outrider.licences import division_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules

PAGE = 2_000


def load_targets(tx: Tx, rules: SharingRules, job_id: JobId, now: dt.datetime, limit: int = PAGE) -> bool:
    """Turn up to `limit` more contacts into targets; return whether the job is fully loaded.

    A contact is skipped when the campaign's filter leaves it out, or its list's zone has no task. Those whose
    calling window is closed are due when it opens. Two that load the same job take turns.
    """
    licence_store.lock_pools(tx, store.pool_ids(tx, job_id))
    store.lock_job(tx, job_id)
    job = service.job(tx, job_id, None)
    if job.state is not JobState.RUNNING or job.loaded:
        return job.loaded
    campaign = campaigns.campaign(tx, job.campaign_id, None)
    strategy = parse_strategy(campaigns.strategy(tx, job.strategy_id, None).source)
    after = store.loaded_through(tx, job_id)
    page = store.contact_page(tx, [ListId(each) for each in campaign.list_ids], after, limit)
    conditions = parse_filter(campaign.filter)
    entry = _entry_tasks(tx, job_id, strategy)
    hours = ContactHours(strategy.hours(strategy.actions[0]))
    rows: list[dict[str, Any]] = []
    for row in page:
        contact = contact_of(row)
        task_id = entry.get(row["zone_id"])
        if task_id is None or not matches(contact, conditions):
            continue
        rows.append(
            {
                "job_id": job_id,
                "task_id": task_id,
                "contact_id": contact.id,
                "state": "due",
                "next_at": hours.next_open(contact.time_zone, contact.phone, row["default_country"], now),
            }
        )
    added = store.add_targets(tx, rows)
    entered = Counter(row["task_id"] for row in rows if row["contact_id"] in added)
    for number, count in sorted(entered.items()):
        store.add_contacts_left(tx, number, count)
    loaded = len(page) < limit
    through = page[-1]["id"] if page else after
    store.add_loaded(tx, job_id, len(added), through, loaded=loaded)
    if loaded or job.targets == 0:
        event = JobLoaded(
            organization_id=job.organization_id,
            job_id=job_id,
            targets=job.targets + len(added),
            complete=loaded,
        )
        log.append(tx, now, event)
    if loaded:
        service.count_finals(tx, rules, job_id, strategy, 0, 0, now)
    return loaded


def _entry_tasks(tx: Tx, job_id: JobId, strategy: Strategy) -> dict[int, int]:
    """Return the task of the first action, by zone."""
    first = strategy.actions[0].name
    zones = {row.id: row.zone_id for row in division_store.pools(tx)}
    return {
        zones[task.pool_id]: task.id
        for task in store.tasks(tx, None, job_ids=[job_id])
        if task.action == first and task.pool_id in zones
    }
