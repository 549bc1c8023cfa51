"""Fixtures that every test folder uses: a fresh database, over each backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from support.databases import postgres_url, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a fresh, migrated database over each backend in turn."""
    with sqlite_url(tmp_path) if request.param == "sqlite" else postgres_url() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give an open Database over each backend in turn."""
    opened = Database(database_url, connections=4)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """Give an open SQLite Database, for tests in which the backend does not matter."""
    with sqlite_url(tmp_path) as url:
        opened = Database(url, connections=4)
        yield opened
        opened.close()
