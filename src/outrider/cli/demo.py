"""`outrider demo`: competing call jobs, mails and agents over real files, on the production program.

One process: web server, worker, monitor and imports as `outrider serve` runs them, on a scaled clock, with
the simulated carrier inside and a local mail server beside them. Ends by itself, with a report.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.clock import RealClock, stopwatch
from outrider.observe import set_up_logging

if TYPE_CHECKING:
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
    """Run competing jobs, mails and agents over real contact files, and report. Takes under 3 minutes."""
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
    from outrider.demo import running, scenario, staff, stage, system  # noqa: PLC0415 - as above
    from outrider.demo.contact_files import write_files  # noqa: PLC0415 - as above
    from outrider.demo.mail_sink import MailSink, SinkSettings  # noqa: PLC0415 - as above
    from outrider.prepared import prepare  # noqa: PLC0415 - as above

    stop = stage.stopped_by_signals()
    sink = MailSink(SinkSettings(behaviour=scenario.behaviour_of))
    await sink.start()
    now = RealClock().now()
    settings = system.settings_for(
        folder, now, speed=plan.speed, seed=plan.seed, port=system.free_port(port), mail=sink.port
    )
    prepared = prepare(settings)
    parts = system.System(prepared.database, prepared.clock, prepared.rules, settings.data_folder)
    _introduce(settings.public_url, await system.add_user(parts), plan, progress)
    hired, one_time = await staff.hire(parts, settings.public_url, speed=plan.speed, seed=plan.seed)
    to_try = _desktop(settings.public_url, staff.NAMES[0], one_time, plan.speed)
    write = partial(write_files, folder / "files", plan.seed, plan.rows)
    limit = LONGEST * max(1.0, SPEED / plan.speed) * max(1.0, plan.rows / ROWS)
    try:
        return await stage.perform(
            lambda stop: app.serve(prepared, lambda _: None, stop),
            running.play(parts, scenario.SIMULATED, sink, plan, write, progress, hired),
            stop,
            stage.Ending(plan.began, limit, settings.public_url, json_file, hold, to_try),
            progress,
        )
    finally:
        await sink.stop()
        prepared.database.close()


def _desktop(address: str, name: str, one_time: str, speed: float) -> str:
    """Return how to be an agent oneself, once the simulated ones have left."""
    return (
        f"Be an agent:  {address}/desktop (in another browser)\n"
        f"Sign in as:   {name}   one-time password: {one_time}\n"
        "Log in there, and start 'Renewals by agents' on the board: you are given its contacts. Time still\n"
        f"runs {speed:g} times as fast: what takes a minute is over in {60 / speed:.1f} s."
    )


def _introduce(address: str, password: str, plan: "Plan", progress: "Progress") -> None:
    progress.say(f"Live board:  {address}/")
    progress.say(f"Sign in as:  demo   password: {password}")
    progress.say(
        f"Change a priority or a maximum on the board and see the shares move. Time runs {plan.speed:g} times"
        " as fast;\nthe demo ends by itself with a report (Ctrl-C ends it now).\n"
    )
    progress.say(f"Importing three files of {plan.rows:,} rows")
