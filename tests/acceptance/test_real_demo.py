"""`make demo REAL=1` on its smallest scale: real Asterisk and SIPp, and every count agrees on both sides."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tools.testbed.bed import Bed

from support.testbed.fixtures import testbed

__all__ = ["testbed"]

LONGEST = 300


@pytest.fixture(scope="module")
def report(testbed: Bed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run it once; its report, when it succeeded."""
    assert testbed.folder.exists()
    path: Path = tmp_path_factory.mktemp("real") / "report.json"
    command = (sys.executable, "-m", "tools.real_demo", "--contacts", "20", "--port", "0", "--json", path)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_every_count_agrees_with_those_outside(report: dict[str, Any]) -> None:
    counted = {each["what"]: (each["theirs"], each["ours"]) for each in report["counted_outside"]}
    assert all(theirs == ours for theirs, ours in counted.values()), counted
    assert counted["calls that came to SIPp"][0] == sum(
        job["attempts"] for job in report["jobs"] if job["kind"] == "outbound_ports"
    )
    assert counted["SIPp pressed 1"][0] > 0
    assert counted["SIPp: machine"][0] > 0
    assert counted["texts that arrived, by receipt"][0] > 0
    assert report["mail"]["delivered"] == report["mail"]["server_accepted"] > 0


def test_both_servers_worked_within_their_parts(report: dict[str, Any]) -> None:
    assert {each["name"]: each["quota"] for each in report["servers"]} == {"north": 16, "south": 8}
    assert all(each["calls"] > 0 and each["most_above"] <= 0 for each in report["servers"])
    assert report["pool"]["most_held"] == 24
    assert report["drifts"] == []
    assert report["problems"] == []
