"""Contact lists, contacts, imports and do-not-contact lists.

Only `*/store.py` and the migrations use these tables, through `outrider.db.schema`.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from outrider.db.schema.base import belongs_to, key, metadata
from outrider.db.types import BigKey, Json, UtcTime

contact_lists = Table(
    "contact_lists",
    metadata,
    key(),
    belongs_to("organizations"),
    belongs_to("zones"),
    Column("name", String(80), nullable=False),
    Column("default_country", String(2), nullable=False),
    Column("duplicates_by", String(16), nullable=False, server_default="external_id"),
    Column("carrier_profile", String(80), nullable=False, server_default=""),
    Column("contacts", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)


contacts = Table(
    "contacts",
    metadata,
    key(),
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
    sqlite_autoincrement=True,
)


imports = Table(
    "imports",
    metadata,
    key(),
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
    sqlite_autoincrement=True,
)


do_not_contact_lists = Table(
    "do_not_contact_lists",
    metadata,
    key(),
    belongs_to("organizations", optional=True),
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
