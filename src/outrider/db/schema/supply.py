"""Zones, organizations, pools and their counts; licence files, what the last poll found, alarms, connections.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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
    Column("authorised", Json, nullable=False),
    Column("grace_since", UtcTime),
    Column("grace_ends_at", UtcTime),
    Column("features", Json, nullable=False),
    Column("server_id", String(200), nullable=False),
    Column("protocol_version", String(32), nullable=False),
    Column("fresh_at", UtcTime),
    Column("lease_until", UtcTime),
    Column("lost_since", UtcTime),
    Column("missed_polls", Integer, nullable=False),
    Column("fault", String(16)),
    Column("notice", Text, nullable=False),
    Column("clock_seen_at", UtcTime),
    Column("clock_offset", BigInteger, nullable=False),
    Column("events_seen", BigKey, nullable=False, server_default="0"),
    Column("poll_requested_at", UtcTime),
)


alarms = Table(
    "alarms",
    metadata,
    key(),
    Column("kind", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", UtcTime, nullable=False),
    Column("effective_at", UtcTime, nullable=False),
    Column("delivered_at", UtcTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try_at", UtcTime, index=True),
    Column("problem", Text, nullable=False, server_default=""),
    Index("ix_alarms_kind_id", "kind", "id"),
    sqlite_autoincrement=True,
)


connections = Table(
    "connections",
    metadata,
    key(),
    Column("name", String(80), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("zone_id", BigKey, ForeignKey("zones.id", ondelete="SET NULL"), index=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
