"""The real `outrider licences serve` under 50 platforms at once, killed again and again; and its commands.

What the platforms go by is summed up at every answer: it must never exceed what the files authorise.
"""

import asyncio
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from outrider.db.database import Database
from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Authorisation, LicenceSourceError, SourceFault
from outrider.supply.server.client import RemoteSettings, RemoteSource
from outrider.supply.server.usage import usage
from support.licence_servers import (
    HOST,
    RawClient,
    add_clients,
    address_of,
    counts_of,
    load,
    make_certificate,
    now,
    start_server,
)
from support.processes import Program, Programs, eventually

TOTAL = 100
PLATFORMS = 50
KILLS = 3
LEASE = 4.0
ANSWERS = 25
"""Answers that every platform must have had in the last life of the server."""


@dataclass
class Books:
    """What all platforms go by at any moment, and the most that it ever was."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    beliefs: dict[str, tuple[int, float]] = field(default_factory=dict)
    most: int = 0
    answers: int = 0
    over: list[str] = field(default_factory=list)

    def has(self, answers: int) -> bool:
        """Return whether there were so many answers."""
        return self.answers >= answers

    def note(self, name: str, count: int, until: float) -> None:
        """Note what one platform goes by from now on."""
        with self.lock:
            self.beliefs[name] = (count, until)
            present = time.monotonic()
            together = sum(units for units, ends in self.beliefs.values() if ends > present)
            self.most = max(self.most, together)
            self.answers += 1
            if together > TOTAL:
                self.over.append(f"{name} was given {count}: {together} together")


@dataclass
class Platform:
    """One platform with a bad network: it loses answers, forgets, and falls silent."""

    name: str
    token: str
    where: Callable[[], tuple[str, int]]
    books: Books
    stop: threading.Event
    chance: random.Random
    answered: int = 0

    def run(self) -> None:
        """Ask until told to stop."""
        client = RawClient(self.where(), self.name, self.token)
        while not self.stop.is_set():
            client.address = self.where()
            fate = self.chance.random()
            client.wants = (
                "all" if self.chance.random() < 0.5 else {"outbound_ports": self.chance.randint(0, 30)}
            )
            try:
                if fate < 0.1:
                    client.ask_and_hang_up()
                    continue
                if fate < 0.15:
                    client.seen = 0
                sent = time.monotonic()
                answer = client.lease()
            except OSError:
                self.stop.wait(0.05)
                continue
            self.books.note(self.name, counts_of(answer).get("outbound_ports", 0), sent + LEASE)
            self.answered += 1
            self.stop.wait(LEASE * 1.5 if fate > 0.995 else self.chance.random() * 0.05)
        client.close()


def test_fifty_platforms_never_get_more_than_there_is(
    database: Database,
    database_url: str,
    commands: Programs,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    load(database, now(), counts={"outbound_ports": TOTAL})
    tokens = add_clients(database, [f"p{number}" for number in range(PLATFORMS)], now())
    books, stop, lives = Books(), threading.Event(), []

    def start() -> Program:
        program = start_server(commands, database_url, tmp_path / "keys", "--lease", str(LEASE))
        lives.append(address_of(program))
        return program

    program = start()
    platforms = [
        Platform(name, token, lambda: lives[-1], books, stop, random.Random(name))
        for name, token in tokens.items()
    ]
    threads = [threading.Thread(target=platform.run) for platform in platforms]
    for thread in threads:
        thread.start()
    try:
        for life in range(1, KILLS + 1):
            eventually("many answers", partial(books.has, life * 300))
            program.kill()
            program = start()
        before = [platform.answered for platform in platforms]
        eventually(
            "everybody is answered again",
            lambda: all(
                platform.answered - had >= ANSWERS for platform, had in zip(platforms, before, strict=True)
            ),
        )
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert program.stop() == 0, program.complaints
    assert books.over == []
    found = database.read_now(usage, HOST, now())
    assert found.features[0].leased <= TOTAL
    assert found.features[0].peak_7_days <= TOTAL
    assert len([client for client in found.clients if client.name != "local"]) == PLATFORMS
    assert books.most > TOTAL / 2
    record_property("measured", f"{books.answers} answers, {KILLS} kills, most at once {books.most}/{TOTAL}")


def test_a_killed_server_forgets_nothing(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    load(sqlite_database, now(), counts={"outbound_ports": 60, "email": 1})
    tokens = add_clients(sqlite_database, ["first", "second"], now())
    url, folder = sqlite_database.url.render_as_string(), tmp_path / "keys"
    program = start_server(commands, url, folder)
    host, port = address_of(program)
    key = public_key(commands, folder)

    async def talk() -> None:
        nonlocal program
        async with sources(f"http://{host}:{port}", key, tokens) as found:
            first, second = found["first"], found["second"]
            answer = await first.poll()
            assert {each.kind.value: each.count for each in answer.features} == {
                "outbound_ports": 60,
                "email": 1,
            }
            program.kill()
            await expect(SourceFault.UNREACHABLE, first, "cannot be reached")
            program = start_server(commands, url, folder, port=port)
            address_of(program)
            assert ports(await second.poll()) == 0
            assert (await first.poll()).server_id == answer.server_id
            assert ports(await second.poll()) == 0
            await first.release()
            assert ports(await second.poll()) == 60
        async with sources(f"http://{host}:{port}", key, {"first": "orl_wrong"}) as found:
            await expect(SourceFault.REFUSED, found["first"], "there is no client 'first' with this token")

    asyncio.run(talk())
    assert program.stop() == 0, program.complaints


def test_tls_and_a_forged_server(sqlite_database: Database, commands: Programs, tmp_path: Path) -> None:
    load(sqlite_database, now())
    tokens = add_clients(sqlite_database, ["first"], now())
    url, folder = sqlite_database.url.render_as_string(), tmp_path / "keys"
    certificate, tls_key = make_certificate(tmp_path)
    tls = ("--tls-cert", str(certificate), "--tls-key", str(tls_key))
    _, port = address_of(start_server(commands, url, folder, *tls))
    key = public_key(commands, folder)
    _, forged_port = address_of(start_server(commands, url, tmp_path / "forged", *tls))
    address = f"https://localhost:{port}"

    async def talk() -> None:
        async with sources(address, key, tokens, ca_file=certificate) as found:
            assert ports(await found["first"].poll()) == 60
        async with sources(address, key, tokens) as found:
            await expect(SourceFault.UNREACHABLE, found["first"], "TLS certificate that is not accepted")
        async with sources(f"http://127.0.0.1:{port}", key, tokens) as found:
            await expect(SourceFault.UNREACHABLE, found["first"], "broke off")
        async with sources(f"https://localhost:{forged_port}", key, tokens, ca_file=certificate) as found:
            await expect(SourceFault.FORGED, found["first"], "is not signed with its key")

    asyncio.run(talk())


def test_what_the_command_refuses(commands: Programs, tmp_path: Path) -> None:
    folder = ("--data-folder", str(tmp_path / "data"))
    open_to_all = commands.run("licences", "serve", "--host", "0.0.0.0", "--port", "0", *folder)  # noqa: S104 - refused
    assert open_to_all.process.returncode == 2
    assert "give --tls-cert and --tls-key to listen on 0.0.0.0, or --insecure" in open_to_all.complaints
    other = tmp_path / "not-a-certificate"
    other.write_text("nothing")
    files = ("--tls-cert", str(other), "--tls-key", str(other))
    damaged = commands.run("licences", "serve", "--port", "0", *files, *folder)
    assert damaged.process.returncode == 2
    assert "not-a-certificate cannot be used" in damaged.complaints
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = commands.run("licences", "serve", "--port", str(port), *folder)
    assert second.process.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in second.complaints
    assert "Traceback" not in open_to_all.complaints + damaged.complaints + second.complaints


def public_key(commands: Programs, folder: Path) -> str:
    """Return what `outrider licences server-key` prints."""
    return commands.run("licences", "server-key", "--data-folder", str(folder)).text


@asynccontextmanager
async def sources(
    url: str, key: str, tokens: Mapping[str, str], ca_file: Path | None = None
) -> AsyncIterator[dict[str, RemoteSource]]:
    """Give a source per client, closed at the end."""
    found = {
        name: RemoteSource(RemoteSettings(url, name, token, key, ca_file=ca_file))
        for name, token in tokens.items()
    }
    yield found
    for source in found.values():
        await source.close()


async def expect(fault: SourceFault, source: RemoteSource, message: str) -> None:
    """Poll, and expect to be told of a fault."""
    with pytest.raises(LicenceSourceError, match=message) as told:
        await source.poll()
    assert told.value.fault is fault


def ports(answer: Authorisation) -> int:
    """Return the outbound ports of an answer."""
    return sum(each.count for each in answer.features if each.kind is LicenceKind.OUTBOUND_PORTS)
