"""`outrider carrier`: the simulated carrier as a process of its own, for several workers and kill tests.

Workers are pointed at the address that `serve` prints; see `channels/simulated/server.py`.
"""

import asyncio
import datetime as dt
import json
import signal
import tomllib
from pathlib import Path

import click

from outrider.channels.simulated.behaviour import CarrierProfile, parse_profiles
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.ledger import FileLedger, used_ids
from outrider.channels.simulated.server import CarrierServer
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.errors import InvalidInputError


@click.group()
def carrier() -> None:
    """Run a simulated carrier, or ask one what it did."""


@carrier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; has no sign-in.")
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same calls.")
@click.option(
    "--profiles",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file of behaviours per list.",
)
@click.option("--speed", default=1.0, show_default=True, help="Seconds of carrier time per real second.")
@click.option("--anchor", metavar="ISO", help="Time with offset at which scaled time equals real time.")
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to append every call to; its ids stay refused.",
)
@click.option("--max-ports", type=click.IntRange(min=1), help="Refuse more calls than this at once.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Calls per second beyond which there is congestion.",
)
def serve(
    host: str,
    port: int,
    seed: int,
    profiles: Path | None,
    speed: float,
    anchor: str | None,
    ledger: Path | None,
    max_ports: int | None,
    rate: float | None,
) -> None:
    """Serve calls until SIGTERM or SIGINT; the first line printed is the address."""
    books = FileLedger(ledger) if ledger is not None else None
    simulated = SimulatedCarrier(
        _clock(speed, anchor),
        _profiles(profiles),
        seed=seed,
        max_ports=max_ports,
        originations_per_second=rate,
        ledger=books,
        used=used_ids(ledger) if ledger is not None else frozenset(),
    )
    asyncio.run(_serve(CarrierServer(simulated, host, port)))
    if books is not None:
        books.close()


@carrier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the carrier.")
@click.option("--port", type=int, required=True, help="Port of the carrier.")
def statistics(host: str, port: int) -> None:
    """Print what a running carrier did since it started, as JSON."""
    click.echo(json.dumps(asyncio.run(_statistics(host, port)), indent=2))


async def _serve(server: CarrierServer) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    click.echo(f"carrier on {server.host}:{server.port}")
    await stop.wait()
    await server.stop()


async def _statistics(host: str, port: int) -> dict[str, int]:
    """Connect as an observer, which owns no calls, and ask."""
    channel = TcpCarrier(CarrierAddress(host, port, controller="statistics"))
    await channel.open(lambda _: None)
    try:
        return await channel.statistics()
    finally:
        await channel.close()


def _clock(speed: float, anchor: str | None) -> Clock:
    """Return real time, or scaled time; InvalidInputError for an impossible speed or anchor."""
    if speed <= 0:
        raise InvalidInputError("--speed must be greater than 0", where="--speed")
    if anchor is None:
        return RealClock() if speed == 1 else ScaledClock(speed, RealClock().now())
    try:
        start = dt.datetime.fromisoformat(anchor)
    except ValueError as error:
        raise InvalidInputError(f"--anchor {anchor}: not a time in ISO 8601", where="--anchor") from error
    if start.tzinfo is None:
        raise InvalidInputError(f"--anchor {anchor}: the offset is missing, such as +00:00", where="--anchor")
    return ScaledClock(speed, start.astimezone(dt.UTC))


def _profiles(path: Path | None) -> dict[str, CarrierProfile] | None:
    """Return the profiles of a TOML file; InvalidInputError names the place of a mistake."""
    if path is None:
        return None
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: {error}", where=str(path)) from error
    return parse_profiles(document, str(path))
