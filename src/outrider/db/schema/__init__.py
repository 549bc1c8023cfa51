"""All tables, by area. `*/store.py` and the migrations are the only users.

Rows that a crash may leave behind carry an owner, whose lease another process can see run out. Ids that
leave a row (events, logs, addresses of pages) are never given out again: `sqlite_autoincrement`.
"""

from outrider.db.schema.agents import (
    abandonment,
    agent_commands,
    agent_legs,
    agent_samples,
    agent_sessions,
    agent_skills,
    agent_transitions,
    agents,
    callbacks,
    completion_codes,
    pacers,
    skills,
)
from outrider.db.schema.base import metadata
from outrider.db.schema.campaigns import campaign_lists, campaign_zones, campaigns, strategies
from outrider.db.schema.channel_reports import channel_reports
from outrider.db.schema.contacts import (
    contact_lists,
    contacts,
    do_not_contact_entries,
    do_not_contact_lists,
    imports,
)
from outrider.db.schema.jobs import (
    attempts,
    disposition_counts,
    jobs,
    outcome_counts,
    samples,
    targets,
    tasks,
)
from outrider.db.schema.licence_server import (
    licence_client_limits,
    licence_clients,
    licence_denials,
    licence_leases,
    licence_peaks,
    licence_server_state,
    licence_withdrawals,
)
from outrider.db.schema.media import media_reports, media_servers, media_zones
from outrider.db.schema.people import api_tokens, sessions, users
from outrider.db.schema.records import events, leases, recalculations, secrets, workers
from outrider.db.schema.speech import speech_servers, speech_units
from outrider.db.schema.supply import (
    alarms,
    connections,
    licence_files,
    organizations,
    pool_counts,
    pools,
    supply_state,
    zone_counts,
    zones,
)
from outrider.db.schema.texts import text_messages, text_news, text_parts

__all__ = [
    "abandonment",
    "agent_commands",
    "agent_legs",
    "agent_samples",
    "agent_sessions",
    "agent_skills",
    "agent_transitions",
    "agents",
    "alarms",
    "api_tokens",
    "attempts",
    "callbacks",
    "campaign_lists",
    "campaign_zones",
    "campaigns",
    "channel_reports",
    "completion_codes",
    "connections",
    "contact_lists",
    "contacts",
    "disposition_counts",
    "do_not_contact_entries",
    "do_not_contact_lists",
    "events",
    "imports",
    "jobs",
    "leases",
    "licence_client_limits",
    "licence_clients",
    "licence_denials",
    "licence_files",
    "licence_leases",
    "licence_peaks",
    "licence_server_state",
    "licence_withdrawals",
    "media_reports",
    "media_servers",
    "media_zones",
    "metadata",
    "organizations",
    "outcome_counts",
    "pacers",
    "pool_counts",
    "pools",
    "recalculations",
    "samples",
    "secrets",
    "sessions",
    "skills",
    "speech_servers",
    "speech_units",
    "strategies",
    "supply_state",
    "targets",
    "tasks",
    "text_messages",
    "text_news",
    "text_parts",
    "users",
    "workers",
    "zone_counts",
    "zones",
]
