"""Bring a database to the schema of this version; refuse one that a newer version has written.

Called at every start by `app.py`, by `outrider migrate` and by the tests.
"""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from outrider.db import dialect
from outrider.db.database import Database
from outrider.db.schema import metadata
from outrider.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Apply all missing migrations, one process at a time. StoreError when the database is newer than us."""
    database.write_now(_upgrade)


def drift(database: Database) -> list[str]:
    """Return what differs between the migrated database and `schema.py`; empty when they agree."""
    return database.read_now(_drift)


def _upgrade(tx: Connection) -> None:
    dialect.lock_migrations(tx)
    script = ScriptDirectory(str(MIGRATIONS))
    current = MigrationContext.configure(tx).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise StoreError(
            f"the database is at revision {current}, which this version does not know: "
            "it was written by a newer Outrider; start that version, or restore a backup"
        )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, "head")


def _drift(tx: Connection) -> list[str]:
    context = MigrationContext.configure(tx, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, metadata)]
