"""Shows a run in the terminal: a table that is redrawn in place, or a line now and then where it cannot be.

`cli/demo.py` calls `show` about twice a second with what it read; drawing is all that happens here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from outrider.clock import stopwatch
from outrider.demo.lending import Lending
from outrider.jobs.model import ENDED
from outrider.jobs.views import JobView, TaskView
from outrider.licences.model import LicenceKind
from outrider.media.model import MediaServer
from outrider.speech.overview import KindOverview

LINE_EVERY: Final = 5.0
"""Real seconds between two lines, where nothing can be redrawn."""

COUNTED: Final = (LicenceKind.OUTBOUND_PORTS, LicenceKind.PREDICTIVE_AGENTS)
"""Licences of calls: ports, or the seats of those who talk."""

NAME: Final = 22
BAR: Final = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """A run at one moment. `accounts` are the loans by task; `ports` the pool's count.

    `servers` are the media servers, none where the simulated carrier makes the calls.
    """

    at: dt.datetime
    since: dt.datetime
    jobs: Sequence[JobView]
    accounts: dict[int, Lending]
    ports: int
    servers: Sequence[MediaServer] = ()
    speech: Sequence[KindOverview] = ()
    """Licensed speech connections by kind, where there are any."""


class Progress:
    """Draws moments to `stream`; `live` says whether it is a terminal."""

    def __init__(self, stream: TextIO, *, live: bool) -> None:
        self._stream = stream
        self._live = live
        self._drawn = 0
        self._lined: float | None = None
        self._last: Moment | None = None

    def unfinished(self) -> list[str]:
        """Return which jobs had not ended when a moment was last shown, and how far they were."""
        return [
            f"{job.campaign_name} is {job.state} with {job.targets_done:,} of {job.targets:,} contacts done"
            for job in (() if self._last is None else self._last.jobs)
            if job.state not in ENDED
        ]

    def say(self, text: str = "") -> None:
        """Write lines that stay."""
        self._stream.write(f"{text}\n")
        self._stream.flush()
        self._drawn = 0

    def show(self, moment: Moment) -> None:
        """Draw the table anew, or write a line if the last one is long enough ago."""
        self._last = moment
        if self._live:
            lines = table(moment)
            back = f"\x1b[{self._drawn}F" if self._drawn else ""
            self._stream.write(back + "".join(f"\x1b[2K{line}\n" for line in lines))
            self._stream.flush()
            self._drawn = len(lines)
            return
        now = stopwatch()
        if self._lined is None or now - self._lined >= LINE_EVERY:
            self._lined = now
            self.say(line(moment))

    def erase(self) -> None:
        """Take the table away, so that something else stands in its place."""
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._stream.flush()
            self._drawn = 0


def table(moment: Moment) -> list[str]:
    """Return the lines of the live table: one a job, and the sums of the pool."""
    columns = f"{'quota':>5} {'grant':>5} {'use':>4} {'lent':>5}"
    head = f"{'job':<{NAME}} {'state':<9}{'done':>13} {'':{BAR}} {columns}"
    lines = [f"time {clock(moment)}", head]
    for job in moment.jobs:
        task = job.tasks[0]
        share = job.targets_done / job.targets if job.targets else 0.0
        filled = "#" * round(BAR * share)
        done = f"{job.targets_done:,}/{job.targets:,}"
        lines.append(
            f"{job.campaign_name[:NAME]:<{NAME}} {_state(job, task):<9}{done:>13} {filled:.<{BAR}} "
            f"{task.quota:>5} {task.granted:>5} {task.in_use:>4} {_lent(moment, task):>5}"
        )
    tasks = _call_tasks(moment)
    quota, granted, in_use = (
        sum(getattr(task, name) for task in tasks) for name in ("quota", "granted", "in_use")
    )
    lines.append(
        f"{f'ports: {moment.ports}':<{NAME}} {'':<9}{'':>13} {'':{BAR}} {quota:>5} {granted:>5} {in_use:>4}"
    )
    lines += [
        f"{f'media server {each.name}'[:NAME]:<{NAME}} {each.standing.replace('_', ' ')[:9]:<9}{'':>13} "
        f"{'':{BAR}} {each.quota:>5} {each.granted:>5} {each.in_use:>4}"
        for each in moment.servers
    ]
    lines += [
        f"{f'{each.kind.upper()}: {each.licensed}':<{NAME}} {'':<9}{'':>13} {'':{BAR}} {'':>5} {'':>5} "
        f"{each.in_use:>4}"
        for each in moment.speech
    ]
    return lines


def line(moment: Moment) -> str:
    """Return the run in one line, for logs: contacts done, and ports or seats in use/quota of call jobs."""
    parts = []
    for job in moment.jobs:
        task = job.tasks[0]
        share = job.targets_done / job.targets if job.targets else 0.0
        units = f" {task.in_use}/{task.quota}" if task.kind in COUNTED else ""
        parts.append(f"{job.campaign_name.split()[0]} {share:.0%}{units}")
    parts += [f"{each.name} {each.in_use}/{each.quota}" for each in moment.servers]
    parts += [f"{each.kind.upper()} {each.in_use}/{each.licensed}" for each in moment.speech]
    in_use = sum(task.in_use for task in _call_tasks(moment))
    return f"{clock(moment)}  {in_use}/{moment.ports} ports in use;  " + "  ".join(parts)


def clock(moment: Moment) -> str:
    """Return the simulated time since the start, in minutes and seconds."""
    minutes, seconds = divmod(int((moment.at - moment.since).total_seconds()), 60)
    return f"{minutes:>2}:{seconds:02}"


def _state(job: JobView, task: TaskView) -> str:
    return "waiting" if job.state.value == "running" and task.waiting else job.state.value


def _lent(moment: Moment, task: TaskView) -> str:
    """Return the units that are lent (minus) or borrowed (plus) at the moment."""
    account = moment.accounts.get(task.id, Lending())
    balance = account.borrowing - account.donating
    return f"{balance:+}" if balance else ""


def _call_tasks(moment: Moment) -> list[TaskView]:
    return [task for job in moment.jobs for task in job.tasks if task.kind is LicenceKind.OUTBOUND_PORTS]
