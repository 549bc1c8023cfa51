"""Zones, organizations, pools and their counts; licence files and what the last poll found.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import BigKey, Json, UtcTime

organizations = Table(
    "organizations",
    metadata,
    key(),
    Column("name", String(120), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    sqlite_autoincrement=True,
)


zones = Table(
    "zones",
    metadata,
    key(),
    Column("name", String(120), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    sqlite_autoincrement=True,
)


zone_counts = Table(
    "zone_counts",
    metadata,
    Column("zone_id", BigKey, ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("configured", Integer, nullable=False),
)


pools = Table(
    "pools",
    metadata,
    key(),
    belongs_to("zones"),
    belongs_to("organizations"),
    Column("policy", String(16), nullable=False, server_default="weighted"),
    UniqueConstraint("zone_id", "organization_id"),
)


pool_counts = Table(
    "pool_counts",
    metadata,
    Column("pool_id", BigKey, ForeignKey("pools.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("configured", Integer, nullable=True),
    Column("effective", Integer, nullable=False, server_default="0"),
)


licence_files = Table(
    "licence_files",
    metadata,
    key(),
    Column("file_id", String(80), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("loaded_at", UtcTime, nullable=False),
)


supply_state = Table(
    "supply_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("version", String(32), nullable=False),
    Column("customer", String(200), nullable=False),
    Column("counts", Json, nullable=False),
    Column("last_poll_at", UtcTime),
    Column("last_success_at", UtcTime),
    Column("last_changed_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("message", Text, nullable=False, server_default=""),
)
