"""`outrider carrier`: the real process serves, keeps its books, stops on SIGTERM and names bad input."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from outrider.channels.base import DuplicateCallError
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.ledger import read_ledger
from outrider.cli.carrier import carrier
from outrider.clock import RealClock
from outrider.errors import InvalidInputError
from support.voice import PATIENCE, Recorder, a_call

MAIN = "from outrider.cli.carrier import carrier; carrier()"
PROFILES = """
[profiles.default]
setup = 1
outcomes = { busy = 1.0 }

[profiles.slow]
setup = 80000
"""


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], CarrierAddress]]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        host, _, port = process.stdout.readline().removeprefix("carrier on ").strip().rpartition(":")
        yield process, CarrierAddress(host, int(port), timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()


def test_it_serves_keeps_books_and_stops_cleanly(tmp_path: Path) -> None:
    profiles, ledger = tmp_path / "profiles.toml", tmp_path / "ledger.jsonl"
    profiles.write_text(PROFILES, encoding="utf-8")
    arguments = ["--profiles", str(profiles), "--ledger", str(ledger), "--speed", "100", "--seed", "4"]

    async def calls(address: CarrierAddress) -> None:
        client = TcpCarrier(address)
        heard = Recorder(RealClock())
        await client.open(heard)
        await client.originate(a_call("1", ""))
        await heard.until(lambda: heard.ended("1") is not None)
        await client.originate(a_call("2", "slow"))
        await client.close()

    with serving(*arguments) as (process, address):
        asyncio.run(calls(address))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    entries = [(entry["what"], entry["id"], entry.get("cause")) for entry in read_ledger(ledger)]
    assert entries == [
        ("made", "1", None),
        ("over", "1", "busy"),
        ("made", "2", None),
        ("over", "2", "failed"),
    ]

    async def again(address: CarrierAddress) -> None:
        client = TcpCarrier(address)
        await client.open(lambda _: None)
        with pytest.raises(DuplicateCallError):
            await client.originate(a_call("2", "slow"))
        await client.close()

    with serving(*arguments) as (_, address):
        asyncio.run(again(address))


def test_calls_outlive_a_controller_and_even_the_ids_a_killed_carrier(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"

    async def originate(address: CarrierAddress, name: str) -> int:
        client = TcpCarrier(address)
        await client.open(lambda _: None)
        await client.originate(a_call(name))
        up = len((await client.living()).calls)
        await client.close()
        return up

    with serving("--ledger", str(ledger)) as (process, address):
        assert asyncio.run(originate(address, "1")) == 1
        assert asyncio.run(originate(address, "2")) == 2
        process.kill()
    with serving("--ledger", str(ledger)) as (_, address), pytest.raises(DuplicateCallError):
        asyncio.run(originate(address, "1"))


def test_statistics_are_printed() -> None:
    with serving() as (_, address):
        result = CliRunner().invoke(carrier, ["statistics", "--port", str(address.port)])
    assert result.exit_code == 0
    assert json.loads(result.output)["originated"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "0"], "--speed"),
        (["--anchor", "yesterday"], "ISO 8601"),
        (["--anchor", "2026-01-01T00:00:00"], "offset"),
    ],
)
def test_bad_options_are_named(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(carrier, ["serve", *arguments])
    assert isinstance(result.exception, InvalidInputError)
    assert words in result.exception.message


@pytest.mark.parametrize("content", [b"profiles = [", b"\xff\xfe", b"[profiles.a]\nx = 1\n"])
def test_a_broken_profile_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_bytes(content)
    result = CliRunner().invoke(carrier, ["serve", "--profiles", str(path)])
    assert isinstance(result.exception, InvalidInputError)
    assert str(path) in result.exception.message
