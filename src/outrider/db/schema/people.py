"""Users, their sessions and API tokens.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Boolean, Column, String, Table, Text, UniqueConstraint, text

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import UtcTime

users = Table(
    "users",
    metadata,
    key(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    belongs_to("organizations", optional=True),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    sqlite_autoincrement=True,
)


sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    belongs_to("users", index=True),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)


api_tokens = Table(
    "api_tokens",
    metadata,
    key(),
    belongs_to("users", index=True),
    Column("name", String(80), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    UniqueConstraint("user_id", "name"),
)
