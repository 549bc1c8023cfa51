"""Jobs, their tasks, targets and attempts, and what is counted of them.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import BigKey, Json, UtcTime

jobs = Table(
    "jobs",
    metadata,
    key(),
    belongs_to("organizations"),
    belongs_to("campaigns", index=True),
    belongs_to("strategies", name="strategy_id"),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("end_reason", String(80), nullable=False, server_default=""),
    Column("snoozed_until", UtcTime),
    Column("stop_at", UtcTime),
    Column("loaded_through", BigKey, nullable=False, server_default="0"),
    Column("loaded", Boolean, nullable=False, server_default=text("false")),
    Column("targets", Integer, nullable=False, server_default="0"),
    Column("targets_done", Integer, nullable=False, server_default="0"),
    Column("goal_count", Integer, nullable=False, server_default="0"),
    Index("ix_jobs_state", "state"),
    Index(
        "uq_jobs_unfinished",
        "campaign_id",
        unique=True,
        sqlite_where=text("state NOT IN ('stopped', 'finished')"),
        postgresql_where=text("state NOT IN ('stopped', 'finished')"),
    ),
    sqlite_autoincrement=True,
)


tasks = Table(
    "tasks",
    metadata,
    key(),
    belongs_to("jobs", index=True),
    belongs_to("pools", index=True),
    Column("action", String(80), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("allocation", String(16), nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("pace", Float),
    Column("standing", String(16), nullable=False, server_default="out"),
    Column("started", BigKey, nullable=False, server_default="0"),
    Column("quota", Integer, nullable=False, server_default="0"),
    Column("granted", Integer, nullable=False, server_default="0"),
    Column("in_use", Integer, nullable=False, server_default="0"),
    Column("contacts_left", Integer, nullable=False, server_default="0"),
    Column("admitted_at", UtcTime),
    Column("last_attempt_at", UtcTime),
    Column("raised_until", UtcTime),
    Column("pace_at", UtcTime),
    Column("bound", String(32), nullable=False, server_default=""),
    Column("asking", Integer, nullable=False, server_default="0"),
    UniqueConstraint("job_id", "action", "pool_id"),
    sqlite_autoincrement=True,
)


targets = Table(
    "targets",
    metadata,
    key(),
    Column("job_id", BigKey, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("contact_id", BigKey, nullable=False),
    Column("state", String(8), nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("address_index", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("counters", Json),
    Column("outcome", String(20)),
    Column("disposition", String(40)),
    Column("awaiting", String(32)),
    Column("finished_at", UtcTime),
    UniqueConstraint("job_id", "contact_id"),
    Index(
        "ix_targets_due",
        "task_id",
        "next_at",
        "id",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(
        "ix_targets_awaiting",
        "task_id",
        "next_at",
        sqlite_where=text("awaiting IS NOT NULL"),
        postgresql_where=text("awaiting IS NOT NULL"),
    ),
    Index(
        "ix_targets_claimed",
        "id",
        sqlite_where=text("state = 'claimed'"),
        postgresql_where=text("state = 'claimed'"),
    ),
    sqlite_autoincrement=True,
)


attempts = Table(
    "attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("target_id", BigKey, nullable=False),
    Column("contact_id", BigKey, nullable=False),
    Column("number", Integer, nullable=False),
    Column("address", String(320), nullable=False),
    Column("server_id", BigKey),
    Column("owner", String(80)),
    Column("claimed_at", UtcTime, nullable=False),
    Column("answered_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("outcome", String(20)),
    Column("disposition", String(40)),
    Column("detail", Text, nullable=False, server_default=""),
    Column("session_id", BigKey),
    Column("preview", Boolean, nullable=False, server_default=text("false")),
    Column("agent_id", BigKey),
    Column("joined_at", UtcTime),
    Column("wrapped_up_at", UtcTime),
    Column("note", Text, nullable=False, server_default=""),
    Index(
        "ix_attempts_open",
        "task_id",
        "owner",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_attempts_target_id", "target_id"),
    Index("ix_attempts_contact_id", "contact_id", "claimed_at"),
    Index("ix_attempts_address", "address", "claimed_at"),
    Index(
        "ix_attempts_agent_id",
        "agent_id",
        "claimed_at",
        sqlite_where=text("agent_id IS NOT NULL"),
        postgresql_where=text("agent_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)


disposition_counts = Table(
    "disposition_counts",
    metadata,
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("disposition", String(40), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("final", Integer, nullable=False),
)


outcome_counts = Table(
    "outcome_counts",
    metadata,
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("outcome", String(20), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("final", Integer, nullable=False),
)


samples = Table(
    "samples",
    metadata,
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("quota", Integer, nullable=False),
    Column("granted", Integer, nullable=False),
    Column("in_use", Integer, nullable=False),
)
