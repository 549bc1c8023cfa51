"""Gives acceptance tests a starter of commands that cleans up after itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import Programs, programs


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Programs]:
    """Give a starter of `outrider` commands with a data folder of their own."""
    with programs(tmp_path / "programs", data_folder=tmp_path / "data", log_format="json") as started:
        yield started
