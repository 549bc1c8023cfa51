"""The console over an empty and over a furnished system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from outrider.licences import division_store
from support.furnished import ROUTERS, Furnished, furnished_system, with_rules
from support.web import Site, open_site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    """Give an empty system with one administrator, `root`."""
    with open_site(sqlite_database, tmp_path, ROUTERS, change=with_rules) as opened:
        opened.user("root")
        opened.database.write_now(division_store.ensure_defaults, opened.clock.now())
        yield opened


@pytest.fixture
def furnished(site: Site) -> Furnished:
    """Give the furnished system of `site`."""
    return furnished_system(site)
