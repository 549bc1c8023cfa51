"""All tables, by area. `*/store.py` and the migrations are the only users.

Rows that a crash may leave behind carry an owner, whose lease another process can see run out. Ids that
leave a row (events, logs, addresses of pages) are never given out again: `sqlite_autoincrement`.
"""

from outrider.db.schema.base import metadata
from outrider.db.schema.campaigns import campaign_lists, campaign_zones, campaigns, strategies
from outrider.db.schema.contacts import (
    contact_lists,
    contacts,
    do_not_contact_entries,
    do_not_contact_lists,
    imports,
)
from outrider.db.schema.jobs import attempts, jobs, outcome_counts, samples, targets, tasks
from outrider.db.schema.people import api_tokens, sessions, users
from outrider.db.schema.records import events, leases, recalculations, secrets, workers
from outrider.db.schema.supply import (
    licence_files,
    organizations,
    pool_counts,
    pools,
    supply_state,
    zone_counts,
    zones,
)

__all__ = [
    "api_tokens",
    "attempts",
    "campaign_lists",
    "campaign_zones",
    "campaigns",
    "contact_lists",
    "contacts",
    "do_not_contact_entries",
    "do_not_contact_lists",
    "events",
    "imports",
    "jobs",
    "leases",
    "licence_files",
    "metadata",
    "organizations",
    "outcome_counts",
    "pool_counts",
    "pools",
    "recalculations",
    "samples",
    "secrets",
    "sessions",
    "strategies",
    "supply_state",
    "targets",
    "tasks",
    "users",
    "workers",
    "zone_counts",
    "zones",
]
