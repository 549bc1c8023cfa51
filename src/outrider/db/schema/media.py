"""Media servers, what workers see of them, and the ports of each zone that were split over its servers.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from outrider.db.schema.base import key, metadata
from outrider.db.types import BigKey, UtcTime

media_servers = Table(
    "media_servers",
    metadata,
    key(),
    Column("name", String(120), nullable=False),
    Column("zone_id", BigKey, ForeignKey("zones.id", ondelete="SET NULL"), index=True),
    Column("driver", String(16), nullable=False),
    Column("url", String(300), nullable=False),
    Column("username", String(120), nullable=False),
    Column("secret", Text, nullable=False),
    Column("app", String(80), nullable=False),
    Column("trunk", String(300), nullable=False),
    Column("caller_id", String(40), nullable=False, server_default=""),
    Column("maximum_ports", Integer, nullable=False),
    Column("weight", Integer, nullable=False, server_default="1"),
    Column("originations_per_second", Float),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("draining", Boolean, nullable=False, server_default=text("false")),
    Column("health", String(16), nullable=False, server_default="new"),
    Column("health_at", UtcTime),
    Column("message", Text, nullable=False, server_default=""),
    Column("version", String(80), nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("quota", Integer, nullable=False, server_default="0"),
    Column("granted", Integer, nullable=False, server_default="0"),
    Column("in_use", Integer, nullable=False, server_default="0"),
    Column("paced_until", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    Index(
        "uq_media_servers_living_name",
        "name",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)


media_reports = Table(
    "media_reports",
    metadata,
    Column("worker_id", String(80), ForeignKey("workers.id", ondelete="CASCADE"), primary_key=True),
    Column("server_id", BigKey, ForeignKey("media_servers.id", ondelete="CASCADE"), primary_key=True),
    Column("seen_as", String(16), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("version", String(80), nullable=False, server_default=""),
    Column("at", UtcTime, nullable=False),
    Index("ix_media_reports_server_id", "server_id"),
)


media_zones = Table(
    "media_zones",
    metadata,
    Column("zone_id", BigKey, ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    Column("ports", Integer, nullable=False, server_default="0"),
)
"""The ports that the last split of a zone divided; its row is locked before those of the zone's servers."""
