"""How fast a licence server renews leases: the real process, over HTTP on loopback (`make bench`).

The load comes from another process with kept connections, one per client. The bare figure is uvicorn
answering as many bytes with no work at all, measured in the same run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from outrider.db.database import Database
from support.databases import postgres_url, sqlite_url
from support.licence_servers import RawClient, add_clients, address_of, load, now, start_server
from support.processes import eventually, programs

CLIENTS = 50
REQUESTS = 200
"""Renewals per client and round."""
ROUNDS = 5
ANSWER = 900
"""Bytes of an answer about three features, for the bare server."""
TARGET = 2000

BARE = """
import socket, uvicorn
async def app(scope, receive, send):
    await receive()
    head = [(b"content-length", b"%d"), (b"content-type", b"application/jose")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"x" * %d})
listening = socket.create_server(("127.0.0.1", 0), backlog=256)
listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(listening.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
uvicorn.Server(config).run([listening])
"""

Figure = tuple[str, str, str]


def rates(address: tuple[str, int], clients: Sequence[str], seen: int, pid: int) -> tuple[float, float]:
    """Return answers per second, and per second of the server's own processor time: medians of ROUNDS."""
    found = []
    process = psutil.Process(pid)
    for _ in range(ROUNDS):
        before = process.cpu_times()
        arguments = [*map(str, address), str(REQUESTS), str(seen), *clients]
        output = subprocess.run(
            [sys.executable, "-m", "support.licence_load", *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ,
        ).stdout
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        found.append((float(output), len(clients) * REQUESTS / used))
        seen += REQUESTS
    return statistics.median(rate for rate, _ in found), statistics.median(rate for _, rate in found)


@contextmanager
def bare_server() -> Iterator[tuple[tuple[str, int], int]]:
    """Run uvicorn with an application that does nothing; give its address and process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", BARE % (ANSWER, ANSWER)], stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None:
            raise AssertionError("the bare server says nothing")
        yield ("127.0.0.1", int(process.stdout.readline())), process.pid
    finally:
        process.kill()
        process.wait()


def server_rates(url: str, folder: Path) -> tuple[float, float]:
    """Return the renewals per second of the real command over a database."""
    database = Database(url)
    load(database, now(), counts={"outbound_ports": 6000, "telephony_ports": 8000, "email": 1})
    tokens = add_clients(database, [f"platform-{number}" for number in range(CLIENTS)], now())
    database.close()
    with programs(folder / "programs") as commands:
        program = start_server(commands, url, folder / "keys")
        address = address_of(program)
        for _ in range(2):
            for name, token in tokens.items():
                client = RawClient(address, name, token)
                eventually(f"{name} is answered", client.lease)
                client.close()
        return rates(address, [f"{name}={token}" for name, token in tokens.items()], 2, program.process.pid)


def figures() -> list[Figure]:
    """Measure renewals per second over both databases, beside a server that does nothing."""
    with bare_server() as (address, pid):
        bare, bare_own = rates(address, ["bare=x"] * CLIENTS, 0, pid)
    shown = f"{bare:,.0f}/s, {bare_own:,.0f} per CPU s"
    found = [("uvicorn answering the same bytes, no work", shown, "for comparison")]
    with tempfile.TemporaryDirectory() as folder:
        with sqlite_url(Path(folder)) as url:
            lite = server_rates(url, Path(folder) / "sqlite")
        with postgres_url() as url:
            post = server_rates(url, Path(folder) / "postgresql")
    for name, (rate, own) in (("SQLite", lite), ("PostgreSQL", post)):
        shown = f"{rate:,.0f}/s, {own:,.0f} per CPU s"
        found.append((f"renewals, {CLIENTS} clients, {name}", shown, f">= {TARGET:,}/s"))
        found.append((f"renewals against no work, {name}", f"{rate / bare:.2f}", "for comparison"))
    return found


if __name__ == "__main__":
    for figure in figures():
        print(*figure, sep="   ")  # noqa: T201 - a measurement by hand
