"""Agents with skills, their sessions, legs and every change of state; completion codes and callbacks.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
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

skills = Table(
    "skills",
    metadata,
    key(),
    belongs_to("organizations"),
    Column("name", String(80), nullable=False),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)


agents = Table(
    "agents",
    metadata,
    key(),
    belongs_to("organizations"),
    belongs_to("zones"),
    Column("user_id", BigKey, ForeignKey("users.id", ondelete="SET NULL"), unique=True),
    Column("name", String(80), nullable=False),
    Column("display_name", String(120), nullable=False),
    Column("address", String(200), nullable=False),
    Column("preferred_campaigns", Json, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)


agent_skills = Table(
    "agent_skills",
    metadata,
    Column("agent_id", BigKey, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("skill_id", BigKey, ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True),
    Column("proficiency", Integer, nullable=False),
)


agent_sessions = Table(
    "agent_sessions",
    metadata,
    key(),
    Column("agent_id", BigKey, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True),
    belongs_to("pools", index=True),
    Column("api", Boolean, nullable=False),
    Column("address", String(200), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("reason", String(80), nullable=False, server_default=""),
    Column("since", UtcTime, nullable=False),
    Column("attachment", String(16), nullable=False, server_default="free"),
    Column("task_id", BigKey),
    Column("next_task", BigKey),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    Column("pending_why", String(200), nullable=False, server_default=""),
    Column("nail_up", String(16), nullable=False, server_default="none"),
    Column("leg", String(32)),
    Column("server_id", BigKey),
    Column("engagement", Json),
    Column("deadline", UtcTime),
    Column("wanted", Json),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("end_reason", String(80), nullable=False, server_default=""),
    Index(
        "uq_agent_sessions_open",
        "agent_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_agent_sessions_task_id", "task_id"),
    sqlite_autoincrement=True,
)
"""A session's row is the lease of its seat while `task_id` is set, and of its API licence while open.

`pinned`: a supervisor put the agent where it is; dealing leaves it there.
"""


agent_legs = Table(
    "agent_legs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("session_id", BigKey, nullable=False, index=True),
    Column("purpose", String(16), nullable=False),
    Column("address", String(200), nullable=False, server_default=""),
    Column("server_id", BigKey),
    Column("zone_id", BigKey, nullable=False),
    Column("owner", String(80), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)
"""Calls that are no attempts and ports while two legs are being bridged: a row while its port is charged.

`purpose` is agent, consult or bridge (licensing.md 6).
"""


agent_transitions = Table(
    "agent_transitions",
    metadata,
    key(),
    Column("session_id", BigKey, nullable=False),
    Column("agent_id", BigKey, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("reason", String(80), nullable=False, server_default=""),
    Column("task_id", BigKey),
    Column("attempt_id", String(32)),
    Index("ix_agent_transitions_agent_id_at", "agent_id", "at"),
    Index("ix_agent_transitions_session_id", "session_id", "id"),
)


agent_commands = Table(
    "agent_commands",
    metadata,
    Column("session_id", BigKey, ForeignKey("agent_sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("command_id", String(64), primary_key=True),
    Column("command", String(40), nullable=False),
    Column("answered_at", UtcTime, nullable=False),
)
"""Commands with effects in the world that were done, by the ids that desktops gave them: none is done twice.

Kept while the session is open.
"""


completion_codes = Table(
    "completion_codes",
    metadata,
    key(),
    belongs_to("organizations"),
    Column("name", String(40), nullable=False),
    Column("label", String(80), nullable=False),
    Column("effect", String(16), nullable=False),
    Column("retry_after", Float),
    Column("shortcut", String(1), nullable=False, server_default=""),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("retired_at", UtcTime),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)


callbacks = Table(
    "callbacks",
    metadata,
    key(),
    belongs_to("organizations"),
    Column("campaign_id", BigKey, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("contact_id", BigKey, nullable=False),
    Column("target_id", BigKey),
    Column("attempt_id", String(32)),
    Column("address", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("agent_id", BigKey, ForeignKey("agents.id", ondelete="SET NULL")),
    Column("due_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("time_zone", String(64), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_by", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("given_attempt", String(32)),
    Column("retry_at", UtcTime),
    Column("closed_why", String(200), nullable=False, server_default=""),
    Index("ix_callbacks_due", "campaign_id", "state", "due_at"),
    Index("ix_callbacks_contact", "campaign_id", "contact_id"),
    Index("ix_callbacks_agent_id", "agent_id"),
    Index(
        "ix_callbacks_given_attempt",
        "given_attempt",
        sqlite_where=text("given_attempt IS NOT NULL"),
        postgresql_where=text("given_attempt IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
"""Promises to call again. `attempt_id` is the attempt on which it was promised, `given_attempt` the card or
call by which an agent is keeping it, while it is `queued`. After one that kept nothing it is not given before
`retry_at`. It is open while `closed_at` is null, whatever becomes of agents, jobs and processes.
"""


abandonment = Table(
    "abandonment",
    metadata,
    Column("campaign_id", BigKey, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("live", Integer, nullable=False, server_default="0"),
    Column("abandoned", Integer, nullable=False, server_default="0"),
    Column("machines", Integer, nullable=False, server_default="0"),
)
"""Answered calls of agent campaigns by day: what the abandonment budget of 30 days is counted from."""


pacers = Table(
    "pacers",
    metadata,
    Column("campaign_id", BigKey, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("learned", Json, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
)
"""What pacing has learned of a campaign, so that a restart does not begin anew."""


agent_samples = Table(
    "agent_samples",
    metadata,
    Column("task_id", BigKey, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("busy", Integer, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("live", Integer, nullable=False),
    Column("abandoned", Integer, nullable=False),
)
"""What a task's agents did every few seconds, for charts and the busy share.

`live` and `abandoned` are what its campaign had counted that day (UTC) until then.
"""
