"""Speech servers with their share of the licensed connections, and the connections that calls have now.

Only `speech/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from outrider.db.schema.base import key, metadata
from outrider.db.types import BigKey, Json, UtcTime

speech_servers = Table(
    "speech_servers",
    metadata,
    key(),
    Column("name", String(80), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("engine", String(24), nullable=False),
    Column("options", Json, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("weight", Integer, nullable=False, server_default="1"),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("quota", Integer, nullable=False, server_default="0"),
    Column("granted", Integer, nullable=False, server_default="0"),
    Column("in_use", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)


speech_units = Table(
    "speech_units",
    metadata,
    Column("attempt_id", String(32), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("server_id", BigKey, ForeignKey("speech_servers.id"), nullable=False),
    Column("task_id", BigKey, nullable=False),
    Column("taken_at", UtcTime, nullable=False),
    Index("ix_speech_units_server_id", "server_id"),
    Index("ix_speech_units_task_id", "task_id"),
)
