"""Takes a running program through the demo: imports, jobs, progress until all have ended, figures.

`cli/demo.py` starts the program and calls `play` beside it. Nothing is driven by hand: imports, dialing,
donation and the ends of jobs are the program's own doing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final

from outrider.clock import stopwatch
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.model import Import
from outrider.db.database import Tx
from outrider.demo import collecting, collecting_agents, system
from outrider.demo.contact_files import ContactFile
from outrider.demo.figures import ImportFigures, RunFigures
from outrider.demo.lending import lending
from outrider.demo.mail_sink import MailSink
from outrider.demo.progress import Moment, Progress
from outrider.demo.scenario import Scenario
from outrider.demo.series import Sample
from outrider.demo.staff import Staff
from outrider.demo.system import System
from outrider.errors import OutriderError
from outrider.ids import JobId
from outrider.jobs import board
from outrider.jobs.model import ENDED
from outrider.media import service as media
from outrider.speech.overview import overview

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
    parts: System,
    shown: Scenario,
    sink: MailSink,
    plan: Plan,
    write_files: Callable[[], Sequence[ContactFile]],
    progress: Progress,
    staff: Staff | None = None,
) -> RunFigures:
    """Import the files, run the jobs to their ends, and return the figures. OutriderError when that fails.

    `write_files` writes one file for each list of the scenario, in their order. `staff` is at work until all
    jobs have ended.
    """
    files = await asyncio.to_thread(write_files)
    imported = await _import(parts, shown, files, progress)
    setup_seconds = stopwatch() - plan.began
    async with nullcontext() if staff is None else staff.at_work():
        job_ids = await system.start_jobs(parts, shown.campaigns)
        samples = await _run_to_the_end(parts, shown, job_ids, progress)
    about = {
        "seed": plan.seed,
        "speed": plan.speed,
        "real_seconds": stopwatch() - plan.began,
        "setup_seconds": setup_seconds,
    }
    run = await parts.database.read(
        collecting.run_figures, parts, shown.ports, job_ids, imported, sink, samples, about
    )
    if staff is None:
        return run
    told = staff.counts["calls"]
    agents = await parts.database.read(collecting_agents.agent_figures, parts, run, staff.size, told)
    return replace(run, agents=agents)


async def _import(
    parts: System, shown: Scenario, files: Sequence[ContactFile], progress: Progress
) -> list[ImportFigures]:
    ids = await system.queue_imports(parts, shown.lists, files)
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


async def _run_to_the_end(
    parts: System, shown: Scenario, job_ids: Sequence[JobId], progress: Progress
) -> dict[str, list[Sample]]:
    """Show the run until all jobs have ended; return the samples of media servers and speech."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    while True:
        moment = await parts.database.read(_moment, parts, shown, job_ids)
        progress.show(moment)
        now = parts.clock.now()
        for each in moment.servers:
            samples[each.name].append(Sample(now, each.quota, each.granted, each.in_use))
        for kind in moment.speech:
            samples[kind.kind].append(Sample(now, kind.licensed, kind.licensed, kind.in_use))
        if all(job.state in ENDED and job.tasks[0].in_use == 0 for job in moment.jobs):
            return samples
        await asyncio.sleep(LOOK_EVERY)


def _moment(tx: Tx, parts: System, shown: Scenario, job_ids: Sequence[JobId]) -> Moment:
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
        ports=shown.ports,
        servers=media.servers(tx),
        speech=[each for each in overview(tx).kinds if each.licensed],
    )
