"""What each worker sees of its ways out: carrier, mail server, message centres, media and speech servers.

Only `channel_reports/store.py` and the migrations use the table, through `outrider.db.schema`. A row goes
with its worker.
"""

from sqlalchemy import Column, ForeignKey, String, Table, Text

from outrider.db.schema.base import metadata
from outrider.db.types import UtcTime

channel_reports = Table(
    "channel_reports",
    metadata,
    Column("worker_id", String(80), ForeignKey("workers.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", String(160), primary_key=True),
    Column("sight", String(16), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("at", UtcTime, nullable=False),
)
