"""`outrider connections`: add, list, change and remove, and what is refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from outrider.cli.connections import connections
from outrider.errors import ConflictError, NotFoundError
from support.databases import sqlite_url


def run(url: str, *arguments: str) -> str:
    done = CliRunner().invoke(connections, [*arguments, "--database", url], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_connections_are_added_listed_changed_and_removed(tmp_path: Path) -> None:
    with sqlite_url(tmp_path) as url:
        assert "the simulated carrier carries all" in run(url, "list")
        assert run(url, "add", "Carrier A", "--capacity", "30") == "created the SIP connection Carrier A\n"
        run(url, "add", "Exchange", "--kind", "h323", "--capacity", "12")
        run(url, "change", "Carrier A", "--capacity", "40", "--off")
        listed = run(url, "list").splitlines()
        assert listed[0] == "Carrier A\tSIP\t40 calls\tall zones\toff\t0 ports"
        assert listed[1] == "Exchange\tH.323\t12 stations\tall zones\ton\t0 ports"
        assert listed[2] == "telephony ports: 0 authorised, 0 usable: 0 SIP, 0 H.323"
        run(url, "remove", "Exchange")
        with pytest.raises(NotFoundError, match="there are: Carrier A"):
            run(url, "remove", "Exchange")
        with pytest.raises(ConflictError, match="choose another name"):
            run(url, "add", "Carrier A", "--capacity", "1")
