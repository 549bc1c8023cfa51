"""`outrider serve` as its users meet it: the first start, the second, the end, and starts that must fail."""

import datetime as dt
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from outrider.db.database import Database
from support.databases import postgres_url, sqlite_url
from support.live_runs import LISTENING, ONE_TIME, signed_in
from support.processes import Program, Programs, eventually

STOPPED_WITHIN = 10.0


def start(commands: Programs) -> tuple[Program, str]:
    """Start a server on any port; return it and its address."""
    program = commands.start("serve", "--port", "0")
    return program, program.wait_for(LISTENING)[1]


@contextmanager
def following(client: httpx.Client) -> Iterator[Iterator[str]]:
    """Give the lines of the event stream, from its beginning."""
    with client.stream("GET", "/api/events", params={"after": 0}) as response:
        assert response.status_code == 200
        yield response.iter_lines()


def test_first_start_and_second(commands: Programs, tmp_path: Path) -> None:
    program, address = start(commands)
    password = program.wait_for(ONE_TIME)[1]
    assert (tmp_path / "data" / "outrider.db").is_file()
    assert httpx.get(f"{address}/readyz").json() == {"status": "ready"}
    assert httpx.get(f"{address}/api/jobs").status_code == 401
    with signed_in(address, password) as client:
        assert client.get("/api/campaigns").json() == []
        created = client.post("/api/zones", json={"name": "north"})
        assert created.status_code == 201
        with following(client) as lines:
            assert next(lines).startswith("retry:")
            eventually("the new zone is told", lambda: '"north"' in next(lines))
            assert program.stop(STOPPED_WITHIN) == 0, program.complaints
    assert "Traceback" not in program.complaints
    again, address = start(commands)
    assert "password" not in again.text
    with httpx.Client(base_url=address) as client:
        answer = client.post("/api/session", json={"name": "admin", "password": password})
        assert answer.status_code == 401
    assert again.stop(STOPPED_WITHIN) == 0, again.complaints


def test_worker_alone_ends_cleanly(commands: Programs) -> None:
    worker = commands.start("worker")
    worker.wait_for("Outrider is working")
    assert worker.stop(STOPPED_WITHIN) == 0, worker.complaints
    assert "Traceback" not in worker.complaints


def refusal(commands: Programs, *arguments: str, **settings: object) -> str:
    """Start a server that must not start; return the one line with which it says why."""
    program = commands.run("serve", *arguments, **settings)
    assert program.process.returncode in (1, 2)
    assert "Outrider is at" not in program.text
    assert "Traceback" not in program.complaints
    lines = [line for line in program.complaints.splitlines() if '"level": "info"' not in line]
    assert len(lines) == 1, program.complaints
    return lines[0]


def test_port_in_use(commands: Programs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in refusal(commands, "--port", str(port))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("worker__lease", "soon", "worker.lease"),
        ("clock__speed", "-1", "clock.speed"),
        ("server__port", "70000", "server.port"),
        ("carrier__address", "nowhere", "carrier.address"),
        ("database", "mysql://localhost/x", "mysql"),
        ("database", "not a database", "not a database"),
        ("licences__file", "/nowhere/licence.jws", "licences"),
        ("carrier__profiles", "/nowhere/profiles.toml", "/nowhere/profiles.toml"),
    ],
)
def test_bad_settings(commands: Programs, name: str, value: str, shown: str) -> None:
    assert shown in refusal(commands, **{"server__port": "0", name: value})


def test_unreachable_postgresql(commands: Programs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://outrider:secret-word@127.0.0.1:{port}/outrider"
    line = refusal(commands, "--port", "0", database=url)
    assert str(port) in line
    assert "secret-word" not in line


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_newer_database(commands: Programs, tmp_path: Path, backend: str) -> None:
    with sqlite_url(tmp_path) if backend == "sqlite" else postgres_url() as url:
        database = Database(url)
        database.write_now(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
        database.close()
        assert "newer Outrider" in refusal(commands, "--port", "0", database=url)


def test_data_folder_that_cannot_be_written(commands: Programs, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert str(file) in refusal(commands, "--port", "0", data_folder=file / "below")


def test_times_are_aware(commands: Programs) -> None:
    """A clock anchor without an offset would be another time on every machine."""
    naive = dt.datetime(2026, 3, 4, 12, 0).isoformat()  # noqa: DTZ001 - the point of the test
    assert "clock.anchor" in refusal(commands, "--port", "0", clock__speed=2, clock__anchor=naive)
