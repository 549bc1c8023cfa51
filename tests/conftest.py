"""Fixtures that every test folder uses: a fresh database, over each backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from support.databases import postgres_url, sqlite_url

MEASURED = "measured"
"""Name of the properties that the summary prints: figures that a requirement asks to be shown."""


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every property named "measured", of this process and of pytest-xdist's workers."""
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call"
        for name, value in report.user_properties
        if name == MEASURED
    ]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join(lines) + "\n")
