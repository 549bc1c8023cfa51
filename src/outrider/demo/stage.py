"""Runs a prepared program with a demo beside it, until the report is out or somebody stops it.

`cli/demo.py` and the demo over real servers (tools) call `perform`; what is shown is theirs.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from outrider.clock import stopwatch
from outrider.demo import report
from outrider.demo.figures import RunFigures
from outrider.demo.findings import findings
from outrider.demo.progress import Progress
from outrider.errors import OutriderError

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a demo ends: real seconds from `began` after which it has failed, and what then happens.

    The report goes to `json_file` too if there is one; with `hold` the console stays at `address`, and
    `to_try` says what can be tried there.
    """

    began: float
    limit: float
    address: str
    json_file: Path | None = None
    hold: bool = False
    to_try: str = ""


def stopped_by_signals() -> asyncio.Event:
    """Return an event of the running loop that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def perform(
    serve: Callable[[asyncio.Event], Awaitable[None]],
    play: Coroutine[Any, Any, RunFigures],
    stop: asyncio.Event,
    ending: Ending,
    progress: Progress,
) -> int:
    """Serve until `play` has its figures or `stop` is set; report, and return the exit status.

    OutriderError when it takes longer than it may, or what `play` raises.
    """
    serving = asyncio.ensure_future(serve(stop))
    playing = asyncio.ensure_future(play)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        left = ending.limit - (stopwatch() - ending.began)
        await asyncio.wait({serving, playing, stopping}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        progress.erase()
        status = _conclude(playing, ending, progress, stopped=stop.is_set())
        if ending.hold and not stop.is_set():
            progress.say(f"\nThe console stays at {ending.address} until Ctrl-C")
            if ending.to_try:
                progress.say(ending.to_try)
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        playing.cancel()
        await asyncio.gather(playing, stopping, return_exceptions=True)
        await serving
    return status


def _conclude(
    playing: "asyncio.Future[RunFigures]", ending: Ending, progress: Progress, *, stopped: bool
) -> int:
    """Print the report, or why there is none; return the exit status."""
    if not playing.done():
        if stopped:
            progress.say("\nStopped before its end, without a report")
            return INTERRUPTED
        reasons = "; ".join(progress.unfinished()) or "the imports had not ended"
        raise OutriderError(f"the demo was not over after {ending.limit:.0f} s: {reasons}")
    run = playing.result()
    problems = findings(run)
    progress.say(report.text(run))
    if ending.json_file is not None:
        document = json.dumps(report.data(run, problems), indent=2, default=str)
        try:
            ending.json_file.write_text(document, encoding="utf-8")
        except OSError as error:
            problems.append(f"--json: {ending.json_file} cannot be written: {error.strerror}")
    for problem in problems:
        sys.stderr.write(f"outrider demo: {problem}\n")
    return 1 if problems else 0
