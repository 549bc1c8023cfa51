"""The licence server: its clients, what they lease, peaks of use, denials, and files given up.

Only `supply/server/*store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from outrider.db.schema.base import key, metadata
from outrider.db.types import BigKey, UtcTime

licence_server_state = Table(
    "licence_server_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("latest_at", UtcTime, nullable=False),
    Column("newest_issue_at", UtcTime),
)


licence_clients = Table(
    "licence_clients",
    metadata,
    key(),
    Column("name", String(80), nullable=False, unique=True),
    Column("about", String(200), nullable=False, server_default=""),
    Column("token_hash", String(64)),
    Column("installation", String(80), nullable=False, server_default=""),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("renewed_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("retired_at", UtcTime),
    sqlite_autoincrement=True,
)


licence_client_limits = Table(
    "licence_client_limits",
    metadata,
    Column("client_id", BigKey, ForeignKey("licence_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("minimum", Integer, nullable=False, server_default="0"),
    Column("maximum", Integer),
)


licence_leases = Table(
    "licence_leases",
    metadata,
    Column("client_id", BigKey, ForeignKey("licence_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("wanted", Integer),
    Column("count", Integer, nullable=False),
    Column("granted_at", UtcTime, nullable=False),
    Column("believed", Integer, nullable=False),
    Column("believed_until", UtcTime),
)


licence_peaks = Table(
    "licence_peaks",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("leased", Integer, nullable=False),
    Column("total", Integer, nullable=False),
)


licence_denials = Table(
    "licence_denials",
    metadata,
    key(),
    Column(
        "client_id", BigKey, ForeignKey("licence_clients.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("kind", String(32), nullable=False),
    Column("asked", Integer),
    Column("got", Integer, nullable=False),
    Column("is_true", Boolean, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False, index=True),
    Column("is_open", Boolean, nullable=False),
    Index("ix_licence_denials_is_open", "is_open"),
)


licence_withdrawals = Table(
    "licence_withdrawals",
    metadata,
    Column("file_id", String(80), primary_key=True),
    Column("effective_at", UtcTime, nullable=False),
    Column("replaced_by", String(80), nullable=False, server_default=""),
    Column("new_host_id", String(80), nullable=False, server_default=""),
    Column("issued_at", UtcTime, nullable=False),
)
