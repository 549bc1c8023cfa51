"""Short messages that were submitted, the message centres' ids of their parts, and receipts for them.

Only `texting/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from outrider.db.schema.base import key, metadata
from outrider.db.types import BigKey, UtcTime

text_messages = Table(
    "text_messages",
    metadata,
    Column("attempt_id", String(32), primary_key=True),
    Column("organization_id", BigKey, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("job_id", BigKey, nullable=False),
    Column("address", String(32), nullable=False),
    Column("sender", String(32), nullable=False, server_default=""),
    Column("language", String(8), nullable=False, server_default="en"),
    Column("reference", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("segments", Integer, nullable=False, server_default="0"),
    Column("submitted_at", UtcTime, nullable=False),
    Index("ix_text_messages_address", "address", "submitted_at"),
)


text_parts = Table(
    "text_parts",
    metadata,
    Column("connection", String(80), primary_key=True),
    Column("remote_id", String(80), primary_key=True),
    Column(
        "attempt_id",
        String(32),
        ForeignKey("text_messages.attempt_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("state", String(16), nullable=False),
    Column("detail", String(200), nullable=False, server_default=""),
)


text_news = Table(
    "text_news",
    metadata,
    key(),
    Column("kind", String(8), nullable=False),
    Column("connection", String(80), nullable=False),
    Column("remote_id", String(80), nullable=False, server_default=""),
    Column("at", UtcTime, nullable=False),
    Column("address", String(32), nullable=False),
    Column("recipient", String(32), nullable=False, server_default=""),
    Column("state", String(16), nullable=False, server_default=""),
    Column("reference", Integer),
    Column("text", Text, nullable=False, server_default=""),
    Column("meaning", String(16), nullable=False, server_default=""),
    Index("ix_text_news_remote_id", "remote_id"),
)
