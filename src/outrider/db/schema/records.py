"""Records and housekeeping: recalculations, events, workers, leases, secrets.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Column, Index, LargeBinary, String, Table

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import BigKey, Json, UtcTime

recalculations = Table(
    "recalculations",
    metadata,
    key(),
    belongs_to("pools"),
    Column("at", UtcTime, nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("task_id", BigKey),
    Column("cause", String(200), nullable=False),
    Column("counts", Json, nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("violations", Json),
    Index("ix_recalculations_pool_id_id", "pool_id", "id"),
)


events = Table(
    "events",
    metadata,
    key(),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("organization_id", BigKey),
    Column("job_id", BigKey),
    Column("actor", String(80), nullable=False, server_default=""),
    Column("data", Json, nullable=False),
    Index("ix_events_organization_id_id", "organization_id", "id"),
)


workers = Table(
    "workers",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("slot", String(300), nullable=False, index=True),
    Column("started_at", UtcTime, nullable=False),
    Column("lease_until", UtcTime, nullable=False),
)


leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("until", UtcTime, nullable=False),
)


secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
