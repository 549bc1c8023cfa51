"""`outrider sms`: count segments, try connections to message centres, run a simulated centre.

Thin edges over `channels/sms/`; connections are the `[[sms.connections]]` tables of the settings file.
"""

import asyncio
import json
import signal
from pathlib import Path

import click

from outrider.adapters import sms_connections
from outrider.channels.sms.check import Finding, Level, check
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.segments import MOST_PARTS, ReferenceSize, count
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.errors import ChannelError, InvalidInputError, NotFoundError
from outrider.settings import load_settings


@click.group()
def sms() -> None:
    """Text messages: segments, connections to message centres, a simulated centre."""


@sms.command()
@click.argument("text")
@click.option("--wide", is_flag=True, help="Parts are tied by a 16-bit reference, one unit less in each.")
@click.option("--json", "as_json", is_flag=True, help="Print the same facts as JSON.")
def segments(text: str, wide: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Say how many messages TEXT becomes, before it is sent."""
    found = count(text, ReferenceSize.BITS_16 if wide else ReferenceSize.BITS_8)
    if as_json:
        facts = {
            "alphabet": found.alphabet.value,
            "segments": found.segments,
            "characters": found.characters,
            "units": found.units,
            "left_in_last": found.left_in_last,
            "outside_gsm": found.outside_gsm,
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    noun = "segment" if found.segments == 1 else "segments"
    click.echo(
        f"{found.segments} {noun}, {found.characters} characters, {found.left_in_last} left in the last"
    )
    if found.outside_gsm:
        click.echo(f"sent as UCS-2, because GSM 7-bit has no {' '.join(found.outside_gsm)}")
    if found.segments > MOST_PARTS:
        raise InvalidInputError(f"text: at most {MOST_PARTS} segments are possible", where="text")


@sms.command("check")
@click.argument("name", required=False)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with [[sms.connections]]; default: the environment.",
)
def check_(name: str | None, settings_file: Path | None) -> None:
    """Try the connection NAME, or all: connect, bind, ask, unbind. Nothing is sent."""
    connections = sms_connections(load_settings(settings_file))
    wanted = [settings for settings in connections if name is None or settings.name == name]
    if not wanted:
        known = ", ".join(settings.name for settings in connections) or "none"
        raise NotFoundError(f"sms.connections: there is no connection {name or ''!r}; there is {known}")
    findings = asyncio.run(_check(wanted))
    for finding in findings:
        click.echo(f"{finding.connection}: {finding.level.value}: {finding.sentence}")
    if any(finding.level is Level.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


@sms.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--system-id", default="test", show_default=True, help="Account that may bind.")
@click.option("--password", default="test", show_default=True, help="Its password.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Messages per second, then throttled."
)
@click.option(
    "--receipt-delay", type=click.FloatRange(min=0), default=0.05, show_default=True, help="Seconds."
)
def simulate(
    host: str, port: int, system_id: str, password: str, rate: float | None, receipt_delay: float
) -> None:
    """Serve a simulated message centre until SIGTERM or SIGINT.

    The first line printed is its address, the last its counts as JSON. The last digit of a number decides:
    9 undeliverable, 8 expired, 7 refused, 6 drops the link once, 5 texts STOP back; others are delivered.
    """
    behaviour = CentreBehaviour(accounts={system_id: password}, rate=rate, receipt_delay=receipt_delay)
    asyncio.run(_simulate(SimulatedCentre(behaviour, keep=0), host, port))


async def _check(wanted: list[SmppSettings]) -> list[Finding]:
    """Try connections side by side; findings in configured order."""
    found = await asyncio.gather(*(check(settings) for settings in wanted))
    return [finding for findings in found for finding in findings]


async def _simulate(centre: SimulatedCentre, host: str, port: int) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await centre.start(host, port)
    except OSError as error:
        raise ChannelError(f"{host}:{port} cannot be listened on: {error.strerror or error}") from error
    click.echo(f"message centre on {centre.host}:{centre.port}")
    await stop.wait()
    await centre.stop()
    click.echo(json.dumps(dict(sorted(centre.ledger.counts.items()))))
