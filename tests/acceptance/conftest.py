"""Shows what acceptance tests measured in pytest's summary, and gives them a starter of commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import Programs, programs

MEASURED = "measured"


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Programs]:
    """Give a starter of `outrider` commands with a data folder of their own."""
    with programs(tmp_path / "programs", data_folder=tmp_path / "data", log_format="json") as started:
        yield started


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
