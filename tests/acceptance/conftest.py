"""Gives acceptance tests a starter of commands that cleans up after itself, and the real test bed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import Programs, programs
from support.testbed.fixtures import asterisk, asterisk_pair, public_network, testbed

__all__ = ["asterisk", "asterisk_pair", "commands", "public_network", "testbed"]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Programs]:
    """Give a starter of `outrider` commands with a data folder of their own."""
    with programs(tmp_path / "programs", data_folder=tmp_path / "data", log_format="json") as started:
        yield started
