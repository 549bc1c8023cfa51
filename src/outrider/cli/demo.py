"""`outrider demo`: three competing call jobs and a mail job over real files, on the production program.

One process: web server, worker, monitor and imports as `outrider serve` runs them, on a scaled clock, with
the simulated carrier inside and a local mail server beside them. Ends by itself, with a report.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.clock import RealClock, stopwatch
from outrider.errors import OutriderError
from outrider.observe import set_up_logging

if TYPE_CHECKING:
    from outrider.demo.figures import RunFigures
    from outrider.demo.progress import Progress
    from outrider.demo.running import Plan

SPEED = 36.0
ROWS = 2_000
LONGEST = 170.0
"""Real seconds after which a run of ROWS at SPEED has failed; slower and longer ones get more."""

MOST_ROWS = 5_000
"""More could not be called while the simulated day's calling hours last."""

LARGEST_SPEED = 100.0
"""Beyond it, the simulated day would pass faster than one machine can dial."""

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything that is written; emptied first if it is of a demo. Default: a temporary one.",
)
@click.option(
    "--speed",
    type=click.FloatRange(2, LARGEST_SPEED),
    default=SPEED,
    show_default=True,
    help="How many times as fast as real time.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other files, other answers.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8088,
    show_default=True,
    help="Port of the console; any free one when it is in use, or 0.",
)
@click.option(
    "--rows", type=click.IntRange(300, MOST_ROWS), default=ROWS, show_default=True, help="Rows of each file."
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Report as JSON.")
@click.option("--keep", is_flag=True, help="Keep the temporary folder.")
@click.option("--hold", is_flag=True, help="Go on serving after the report, until Ctrl-C.")
def demo(
    *,
    folder: Path | None,
    speed: float,
    seed: int,
    port: int,
    rows: int,
    json_file: Path | None,
    keep: bool,
    hold: bool,
) -> None:
    """Run three competing jobs and a mail job over real contact files, and report. Takes under 3 minutes."""
    from outrider.demo import folder as folders  # noqa: PLC0415 - loads much, which other commands never need
    from outrider.demo.progress import Progress  # noqa: PLC0415 - as above
    from outrider.demo.running import Plan  # noqa: PLC0415 - as above

    set_up_logging("console", "warning")
    if folder is None:
        chosen = folders.temporary_folder()
    else:
        chosen = folder
        folders.claim(chosen)
    progress = Progress(sys.stdout, live=sys.stdout.isatty())
    plan = Plan(rows, seed, speed, stopwatch())
    try:
        status = asyncio.run(_demo(chosen, plan, port, json_file, progress, hold=hold))
    finally:
        if folder is None and not keep:
            folders.remove(chosen)
        else:
            progress.say(f"Everything that was written is in {chosen}")
    sys.exit(status)


async def _demo(
    folder: Path, plan: "Plan", port: int, json_file: Path | None, progress: "Progress", *, hold: bool
) -> int:
    """Run the program with the demo beside it, and return the exit status."""
    from outrider import app  # noqa: PLC0415 - as above
    from outrider.demo import running, scenario, system  # noqa: PLC0415 - as above
    from outrider.demo.mail_sink import MailSink, SinkSettings  # noqa: PLC0415 - as above
    from outrider.prepared import prepare  # noqa: PLC0415 - as above

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sink = MailSink(SinkSettings(behaviour=scenario.behaviour_of))
    await sink.start()
    now = RealClock().now()
    settings = system.settings_for(
        folder, now, speed=plan.speed, seed=plan.seed, port=system.free_port(port), mail=sink.port
    )
    prepared = prepare(settings)
    parts = system.System(prepared.database, prepared.clock, prepared.rules, settings.data_folder)
    _introduce(settings.public_url, await system.add_user(parts), plan, progress)
    serving = asyncio.ensure_future(app.serve(prepared, lambda _: None, stop))
    playing = asyncio.ensure_future(running.play(parts, sink, plan, folder / "files", progress))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        limit = LONGEST * max(1.0, SPEED / plan.speed) * max(1.0, plan.rows / ROWS)
        left = limit - (stopwatch() - plan.began)
        await asyncio.wait({serving, playing, stopping}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        progress.erase()
        status = _conclude(playing, limit, json_file, progress, stopped=stop.is_set())
        if hold and not stop.is_set():
            progress.say(f"\nThe console stays at {settings.public_url} until Ctrl-C")
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        playing.cancel()
        await asyncio.gather(playing, stopping, return_exceptions=True)
        await serving
        await sink.stop()
        prepared.database.close()
    return status


def _introduce(address: str, password: str, plan: "Plan", progress: "Progress") -> None:
    progress.say(f"Live board:  {address}/")
    progress.say(f"Sign in as:  demo   password: {password}")
    progress.say(
        f"Change a priority or a maximum on the board and see the shares move. Time runs {plan.speed:g} times"
        " as fast;\nthe demo ends by itself with a report (Ctrl-C ends it now).\n"
    )
    progress.say(f"Importing three files of {plan.rows:,} rows")


def _conclude(
    playing: "asyncio.Future[RunFigures]",
    limit: float,
    json_file: Path | None,
    progress: "Progress",
    *,
    stopped: bool,
) -> int:
    """Print the report, or why there is none; return the exit status."""
    from outrider.demo import findings, report  # noqa: PLC0415 - as above

    if not playing.done():
        if stopped:
            progress.say("\nStopped before its end, without a report")
            return INTERRUPTED
        reasons = "; ".join(progress.unfinished()) or "the imports had not ended"
        raise OutriderError(f"the demo was not over after {limit:.0f} s: {reasons}")
    run = playing.result()
    problems = findings.findings(run)
    progress.say(report.text(run))
    if json_file is not None:
        document = json.dumps(report.data(run, problems), indent=2, default=str)
        try:
            json_file.write_text(document, encoding="utf-8")
        except OSError as error:
            problems.append(f"--json: {json_file} cannot be written: {error.strerror}")
    for problem in problems:
        click.echo(f"outrider demo: {problem}", err=True)
    return 1 if problems else 0
