"""All tables, in the order of the house: organizations, supply, people, contacts, campaigns, jobs, log.

`*/store.py` and the migrations are the only users. Rows that a crash may leave behind carry a lease.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from outrider.db.types import BigKey, Json, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key() -> Column[int]:
    return Column("id", BigKey, primary_key=True, autoincrement=True)


def _belongs_to(table: str, *, name: str = "", optional: bool = False, index: bool = False) -> Column[int]:
    return Column(
        name or f"{table.removesuffix('s')}_id",
        BigKey,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=optional,
        index=index,
    )


organizations = Table(
    "organizations",
    metadata,
    _key(),
    Column("name", String(120), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
)

zones = Table(
    "zones",
    metadata,
    _key(),
    Column("name", String(120), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
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
    _key(),
    _belongs_to("zones"),
    _belongs_to("organizations"),
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
    _key(),
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

users = Table(
    "users",
    metadata,
    _key(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    _belongs_to("organizations", optional=True),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _belongs_to("users", index=True),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    _key(),
    _belongs_to("users", index=True),
    Column("name", String(80), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    UniqueConstraint("user_id", "name"),
)

contact_lists = Table(
    "contact_lists",
    metadata,
    _key(),
    _belongs_to("organizations"),
    _belongs_to("zones"),
    Column("name", String(80), nullable=False),
    Column("default_country", String(2), nullable=False),
    Column("duplicates_by", String(16), nullable=False, server_default="external_id"),
    Column("carrier_profile", String(80), nullable=False, server_default=""),
    Column("contacts", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
)

contacts = Table(
    "contacts",
    metadata,
    _key(),
    Column("list_id", BigKey, ForeignKey("contact_lists.id", ondelete="CASCADE"), nullable=False),
    Column("duplicate_key", String(320), nullable=False),
    Column("external_id", String(200)),
    Column("phone", String(20)),
    Column("other_phones", Json),
    Column("email", String(320)),
    Column("time_zone", String(64)),
    Column("attributes", Json),
    Column("import_id", BigKey),
    UniqueConstraint("list_id", "duplicate_key"),
    Index("ix_contacts_list_id_id", "list_id", "id"),
)

imports = Table(
    "imports",
    metadata,
    _key(),
    Column("list_id", BigKey, ForeignKey("contact_lists.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("file_digest", String(64), nullable=False, server_default=""),
    Column("file_size", BigKey, nullable=False),
    Column("options", Json, nullable=False),
    Column("position", BigKey, nullable=False, server_default="0"),
    Column("rows_read", Integer, nullable=False, server_default="0"),
    Column("rows_added", Integer, nullable=False, server_default="0"),
    Column("rows_updated", Integer, nullable=False, server_default="0"),
    Column("rows_duplicate", Integer, nullable=False, server_default="0"),
    Column("rows_rejected", Integer, nullable=False, server_default="0"),
    Column("message", Text, nullable=False, server_default=""),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("owner", String(64)),
    Column("lease_until", UtcTime),
)

do_not_contact_lists = Table(
    "do_not_contact_lists",
    metadata,
    _key(),
    _belongs_to("organizations", optional=True),
    Column("name", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
)

do_not_contact_entries = Table(
    "do_not_contact_entries",
    metadata,
    Column("list_id", BigKey, ForeignKey("do_not_contact_lists.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(320), primary_key=True),
    Column("source", String(80), nullable=False, server_default=""),
    Column("added_at", UtcTime, nullable=False),
    Index("ix_do_not_contact_entries_address", "address"),
)

strategies = Table(
    "strategies",
    metadata,
    _key(),
    _belongs_to("organizations"),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    UniqueConstraint("organization_id", "name", "version"),
)

campaigns = Table(
    "campaigns",
    metadata,
    _key(),
    _belongs_to("organizations"),
    Column("name", String(80), nullable=False),
    Column("strategy_name", String(80), nullable=False),
    Column("filter", Json, nullable=False),
    Column("schedule", Json, nullable=False),
    Column("next_start_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
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

jobs = Table(
    "jobs",
    metadata,
    _key(),
    _belongs_to("organizations"),
    _belongs_to("campaigns", index=True),
    _belongs_to("strategies", name="strategy_id"),
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
)

tasks = Table(
    "tasks",
    metadata,
    _key(),
    _belongs_to("jobs", index=True),
    _belongs_to("pools", index=True),
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
    UniqueConstraint("job_id", "action", "pool_id"),
)

targets = Table(
    "targets",
    metadata,
    _key(),
    Column("job_id", BigKey, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("contact_id", BigKey, nullable=False),
    Column("state", String(8), nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("address_index", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("counters", Json),
    Column("outcome", String(20)),
    Column("finished_at", UtcTime),
    UniqueConstraint("job_id", "contact_id"),
    Index(
        "ix_targets_open",
        "task_id",
        "state",
        "next_at",
        sqlite_where=text("state <> 'done'"),
        postgresql_where=text("state <> 'done'"),
    ),
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
    Column("owner", String(80)),
    Column("claimed_at", UtcTime, nullable=False),
    Column("answered_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("outcome", String(20)),
    Column("detail", Text, nullable=False, server_default=""),
    Index(
        "ix_attempts_open",
        "task_id",
        "owner",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_attempts_target_id", "target_id"),
    sqlite_with_rowid=False,
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

recalculations = Table(
    "recalculations",
    metadata,
    _key(),
    _belongs_to("pools"),
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
    _key(),
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
