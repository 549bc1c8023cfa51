"""Strategies by version, campaigns, and the lists and zones they run over.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import BigKey, Json, UtcTime

strategies = Table(
    "strategies",
    metadata,
    key(),
    belongs_to("organizations"),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    UniqueConstraint("organization_id", "name", "version"),
    sqlite_autoincrement=True,
)


campaigns = Table(
    "campaigns",
    metadata,
    key(),
    belongs_to("organizations"),
    Column("name", String(80), nullable=False),
    Column("strategy_name", String(80), nullable=False),
    Column("filter", Json, nullable=False),
    Column("schedule", Json, nullable=False),
    Column("next_start_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)


campaign_lists = Table(
    "campaign_lists",
    metadata,
    Column("campaign_id", BigKey, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("list_id", BigKey, ForeignKey("contact_lists.id", ondelete="CASCADE"), primary_key=True),
)


campaign_zones = Table(
    "campaign_zones",
    metadata,
    Column("campaign_id", BigKey, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("zone_id", BigKey, ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
)
