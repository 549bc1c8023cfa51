"""Takes a running program through the demo: imports, jobs, progress until all have ended, figures.

`cli/demo.py` starts the program and calls `play` beside it. Nothing is driven by hand: imports, dialing,
donation and the ends of jobs are the program's own doing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from outrider.clock import stopwatch
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.model import Import
from outrider.db.database import Tx
from outrider.demo import collecting, scenario, system
from outrider.demo.contact_files import ContactFile, write_files
from outrider.demo.figures import ImportFigures, RunFigures
from outrider.demo.lending import lending
from outrider.demo.mail_sink import MailSink
from outrider.demo.progress import Moment, Progress
from outrider.demo.system import System
from outrider.errors import OutriderError
from outrider.ids import JobId
from outrider.jobs import board
from outrider.jobs.model import ENDED

LOOK_EVERY: Final = 0.5
"""Real seconds between two looks at the system."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for: rows per file, seed and speed; `began` is the stopwatch's reading at the start."""

    rows: int
    seed: int
    speed: float
    began: float


async def play(
    parts: System, sink: MailSink, plan: Plan, files_folder: Path, progress: Progress
) -> RunFigures:
    """Import the files, run the jobs to their ends, and return the figures. OutriderError when that fails."""
    files = await asyncio.to_thread(write_files, files_folder, plan.seed, plan.rows)
    imported = await _import(parts, files, progress)
    setup_seconds = stopwatch() - plan.began
    job_ids = await system.start_jobs(parts)
    await _run_to_the_end(parts, job_ids, progress)
    about = {
        "seed": plan.seed,
        "speed": plan.speed,
        "real_seconds": stopwatch() - plan.began,
        "setup_seconds": setup_seconds,
    }
    return await parts.database.read(collecting.run_figures, parts, job_ids, imported, sink, about)


async def _import(parts: System, files: Sequence[ContactFile], progress: Progress) -> list[ImportFigures]:
    ids = await system.queue_imports(parts, files)
    figures = []
    for import_id, file in zip(ids, files, strict=True):
        ended = await _import_ended(parts, import_id)
        if ended.message:
            raise OutriderError(f"the import of {file.path.name} is {ended.state}: {ended.message}")
        figures.append(
            await parts.database.read(collecting.import_figures, parts.data_folder, import_id, file)
        )
        progress.say(
            f"  {file.path.name}: {ended.rows_read:,} rows, {ended.rows_added:,} contacts added, "
            f"{ended.rows_duplicate:,} duplicates, {ended.rows_rejected:,} rejected"
        )
    return figures


async def _import_ended(parts: System, import_id: int) -> Import:
    while True:
        found = await parts.database.read(imports.get_import, organization_id=None, import_id=import_id)
        if not found.active:
            return found
        await asyncio.sleep(LOOK_EVERY / 5)


async def _run_to_the_end(parts: System, job_ids: Sequence[JobId], progress: Progress) -> None:
    while True:
        moment = await parts.database.read(_moment, parts, job_ids)
        progress.show(moment)
        if all(job.state in ENDED and job.tasks[0].in_use == 0 for job in moment.jobs):
            return
        await asyncio.sleep(LOOK_EVERY)


def _moment(tx: Tx, parts: System, job_ids: Sequence[JobId]) -> Moment:
    now = parts.clock.now()
    views = tuple(board.job(tx, parts.rules, job_id, None, now) for job_id in job_ids)
    history = collecting.recalculations(tx, views[0].tasks[0].pool_id)
    return Moment(
        at=max((view.ended_at for view in views if view.ended_at is not None), default=now)
        if all(view.state in ENDED for view in views)
        else now,
        since=min(view.started_at or now for view in views),
        jobs=views,
        accounts={int(task): account for task, account in lending(history, now).items()},
        ports=scenario.PORTS,
    )
