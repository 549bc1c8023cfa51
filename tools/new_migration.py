"""Write a new migration from the difference between the migrations so far and `db/schema.py`.

For developers: `.venv/bin/python tools/new_migration.py 0002 "what it does"`; then read and correct the file.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from outrider.db.database import Database, Tx
from outrider.db.migrate import MIGRATIONS, upgrade


def main(revision: str, message: str) -> None:
    """Autogenerate `revision` against a fresh SQLite database that has all earlier ones."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'migration.db'}")
        upgrade(database)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))

        def write(tx: Tx) -> None:
            config.attributes["connection"] = tx
            command.revision(config, message=message, rev_id=revision, autogenerate=True)

        database.read_now(write)
        database.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
