"""The live board's data, read once for all who look at it, and its parts as HTML for pages and streams.

`pages/board.py` serves them. A look at the database is shared by all streams of an organization, so that a
hundred open boards cost as much as one.
"""

import asyncio
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outrider.campaigns import service as campaigns
from outrider.campaigns.model import Campaign, StrategyState
from outrider.clock import stopwatch
from outrider.contacts import service as contacts
from outrider.db import log
from outrider.db.database import Tx
from outrider.jobs.board import board
from outrider.jobs.model import ENDED, JobState
from outrider.jobs.views import Board, JobView, PoolView, TaskView
from outrider.licences.model import UNSHARED_KINDS, LicenceKind, Standing, TaskKind
from outrider.licences.service import SharingRules
from outrider.people.model import Caller, Role
from outrider.supply import service as supply
from outrider.supply.model import Supply
from outrider.web.access import EdgeServices
from outrider.web.pages import templates
from outrider.web.pages.console import tone_of
from outrider.web.sse import Message

SPACING = 0.4
"""Real seconds between two looks at the database at least."""
POLL = 1.0
"""Real seconds after which a look is taken without news: units in use move without events."""

BOUNDS: Mapping[str, str] = {
    "": "Calling",
    "ports": "All ports in use",
    "contacts": "No contact due now",
    "later": "Next contact is due later (hours or retry delay)",
    "pace": "Held back by its pace",
    "licence": "Waits for licences",
    "channel": "Its carrier or mail server cannot be reached",
    "paused": "Not running",
    "servers": "No media server has a free port",
}
"""Why no more contacts are being reached, by what the worker noted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a newcomer on the way to the first job."""

    title: str
    text: str
    address: str
    button: str
    done: bool
    by: str = "administrator"
    """Who can do it: a role, or "system" for administrators of the whole system."""

    def open_to(self, caller: Caller) -> bool:
        """Return whether the caller can do it."""
        return caller.is_system_administrator if self.by == "system" else caller.role.includes(Role(self.by))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a board shows. `startable` are the campaigns that have no unfinished job."""

    board: Board
    supply: Supply
    startable: tuple[Campaign, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One job's part of a pool, in units: `used` from `start` on, then `idle` ones granted and not used."""

    job_id: int
    name: str
    start: int
    used: int
    idle: int
    quota: int


@dataclass(frozen=True, slots=True)
class Meter:
    """A pool of outbound ports as a bar; `size` is its length, beyond the count when that was cut."""

    pool: PoolView
    count: int
    in_use: int
    idle: int
    free: int
    size: int
    segments: tuple[Segment, ...]


def read_snapshot(tx: Tx, rules: SharingRules, organization_id: int | None, now: dt.datetime) -> Snapshot:
    """Return what a caller of that organization (None: of the whole system) sees."""
    found = board(tx, rules, organization_id, now)
    known = campaigns.campaigns(tx, organization_id)
    busy = {job.campaign_id for job in found.jobs if job.state not in ENDED}
    licensed = supply.current(tx)
    return Snapshot(
        board=found,
        supply=licensed,
        startable=tuple(each for each in known if each.id not in busy),
        steps=() if found.jobs else _steps(tx, licensed, organization_id, known),
    )


def _steps(
    tx: Tx, licensed: Supply, organization_id: int | None, known: Sequence[Campaign]
) -> tuple[Step, ...]:
    filled = any(each.contacts for each in contacts.lists(tx, organization_id=organization_id))
    ready = any(each.state is StrategyState.ACTIVE for each in campaigns.strategies(tx, organization_id))
    return (
        Step(
            "Load a licence",
            "It says how many ports may be used at once.",
            "/licences",
            "Load a licence file",
            supply.is_licensed(licensed),
            "system",
        ),
        Step(
            "Import contacts",
            "Make a list and load a CSV file.",
            "/contacts",
            "Import contacts",
            filled,
            "supervisor",
        ),
        Step(
            "Write a strategy",
            "What is tried, how often and when. There are templates to begin with.",
            "/strategies/new",
            "New strategy",
            ready,
        ),
        Step(
            "Create a campaign",
            "A strategy for some lists of contacts.",
            "/campaigns/new",
            "New campaign",
            bool(known),
        ),
        Step(
            "Start it",
            "It gets its share of the ports at once.",
            "/campaigns",
            "Choose a campaign",
            done=False,
            by="supervisor",
        ),
    )


def meters(found: Board) -> list[Meter]:
    """Return a bar for every pool that has outbound ports, or tasks that want some."""
    bars = []
    for pool in found.pools:
        tasks = [
            (job, task)
            for job in found.jobs
            for task in job.tasks
            if task.pool_id == pool.id and task.kind is LicenceKind.OUTBOUND_PORTS
        ]
        living = [(job, task) for job, task in tasks if task.standing is not Standing.OUT or task.in_use]
        ports = next((each for each in pool.kinds if each.kind is LicenceKind.OUTBOUND_PORTS), None)
        if ports is None and not living:
            continue
        segments = _segments(living)
        in_use = sum(each.used for each in segments)
        idle = sum(each.idle for each in segments)
        count = 0 if ports is None else ports.count
        bars.append(
            Meter(
                pool=pool,
                count=count,
                in_use=in_use,
                idle=idle,
                free=max(0, count - in_use - idle),
                size=max(1, count, in_use + idle),
                segments=segments,
            )
        )
    # Pools in which nothing happens would only hide the others.
    return [bar for bar in bars if bar.segments] or bars[:1]


def _segments(living: Sequence[tuple[JobView, TaskView]]) -> tuple[Segment, ...]:
    of_job: dict[int, tuple[str, list[TaskView]]] = {}
    for job, task in sorted(living, key=lambda pair: pair[1].id):
        of_job.setdefault(job.id, (job.campaign_name, []))[1].append(task)
    segments = []
    start = 0
    for job_id, (name, tasks) in sorted(of_job.items()):
        used = sum(task.in_use for task in tasks)
        idle = sum(max(0, task.granted - task.in_use) for task in tasks)
        quota = sum(task.quota for task in tasks)
        segments.append(Segment(job_id, name, start, used, idle, quota))
        start += used + idle
    return tuple(segments)


def bound_text(job: JobView, task: TaskView) -> str:
    """Return why no more of a task's contacts are being reached, in a few words. For templates."""
    return bound_words(job.state, task.kind, task.bound, waits=task.waiting, drains=task.draining > 0)


def bound_words(state: JobState, kind: TaskKind, bound: str, *, waits: bool, drains: bool) -> str:
    """Return in words what holds a task back: its job's state, its standing, or what the worker noted."""
    if state is not JobState.RUNNING:
        return {"paused": "Paused", "snoozed": "Snoozed", "ready": "Not started"}.get(state, "Ended")
    if waits:
        return "Waits for its minimum"
    if drains:
        return "Drains first"
    if bound == "ports" and kind in UNSHARED_KINDS:
        return "As fast as it may"
    return BOUNDS.get(bound, bound)


templates.globals["bound_text"] = bound_text


Known = dict[str, tuple[object, str]]
"""Parts that were made before, by name: what they were made of, and their HTML."""


def parts(snapshot: Snapshot, caller: Caller, csrf_token: str, known: Known | None = None) -> dict[str, str]:
    """Return the parts of the board as HTML, by the id of their element, in order.

    A part of `known` whose data is the same is taken from there; `known` is brought up to date.
    """
    cache: Known = {} if known is None else known
    shared = {"caller": caller, "csrf_token": csrf_token, "path": "/"}

    def made(name: str, template: str, data: object, **context: object) -> None:
        if name not in cache or cache[name][0] != data:
            html = templates.get_template(template).render(**shared, **context).strip()
            cache[name] = (data, html)
        found[name] = cache[name][1]

    found: dict[str, str] = {}
    made(
        "supply-banner",
        "board_banner.html",
        snapshot.supply,
        supply=snapshot.supply,
        supply_tone=tone_of(snapshot.supply),
    )
    bars = meters(snapshot.board)
    for bar in bars:
        several = len(bars) > 1
        made(f"pool-{bar.pool.id}", "board_pool.html", (bar, several), bar=bar, several=several)
    for job in in_order(snapshot.board):
        made(f"job-{job.id}", "board_job.html", job, job=job)
    start = (snapshot.startable, snapshot.steps)
    made("board-start", "board_start.html", start, startable=snapshot.startable, steps=snapshot.steps)
    return found


def in_order(found: Board) -> list[JobView]:
    """Return the jobs as the page shows them: those that live, oldest first, then the ended, newest first."""
    return sorted(found.jobs, key=lambda job: (job.state in ENDED, -job.id if job.state in ENDED else job.id))


def units(found: Board) -> dict[str, list[object]]:
    """Return name, quota, granted and units in use of outbound ports by job, for the chart."""
    shown: dict[str, list[object]] = {}
    for job in found.jobs:
        tasks = [task for task in job.tasks if task.kind is LicenceKind.OUTBOUND_PORTS]
        if tasks and (job.state not in ENDED or any(task.in_use for task in tasks)):
            shown[str(job.id)] = [
                job.campaign_name,
                sum(task.quota for task in tasks),
                sum(task.granted for task in tasks),
                sum(task.in_use for task in tasks),
            ]
    return shown


@dataclass
class Feed:
    """The newest snapshot of one organization's board, read at most every SPACING for all streams."""

    organization_id: int | None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: Snapshot | None = None
    read_at: float = 0.0

    async def look(self, edge: EdgeServices, rules: SharingRules) -> Snapshot:
        """Return a snapshot that is fresh enough; waits out SPACING when there is news to be read."""
        async with self.lock:
            if self.newest is not None:
                age = stopwatch() - self.read_at
                if age < POLL:
                    if await edge.database.read(log.latest_id) == self.newest.board.event_id:
                        return self.newest
                    await asyncio.sleep(max(0.0, SPACING - age))
            self.read_at = stopwatch()
            self.newest = await edge.database.read(
                read_snapshot, rules, self.organization_id, edge.clock.now()
            )
            return self.newest


@dataclass
class Viewing:
    """One open stream: remembers what its browser shows, and tells only what has changed since."""

    caller: Caller
    csrf_token: str
    shown: dict[str, str] = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    seen: Snapshot | None = None

    def news(self, snapshot: Snapshot, number: int) -> Message | None:
        """Return the message that makes the browser show `snapshot`; None when it does already."""
        if snapshot is self.seen:
            return None
        self.seen = snapshot
        present = parts(snapshot, self.caller, self.csrf_token, self.known)
        changed = {name: html for name, html in present.items() if self.shown.get(name) != html}
        gone = [name for name in self.shown if name not in present]
        for name in gone:
            del self.known[name]
        self.shown = present
        # Units are sent even when nothing changed: the chart goes on with time.
        data = {
            "at": snapshot.board.at.timestamp(),
            "parts": changed,
            "gone": gone,
            "order": list(present),
            "units": units(snapshot.board),
        }
        return Message(number, "board", json.dumps(data))
