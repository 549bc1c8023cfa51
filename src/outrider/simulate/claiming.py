"""Claims on the memory database: the same order of checks as `dialing/claiming.py`, in one transaction each.

Admission, grant, pace (`dialing/pacing`), ports, calling hours (`campaigns/hours`), then due contacts. The
dialer calls them.
"""

import datetime as dt
import heapq
from dataclasses import dataclass

from outrider.agents.model import SessionId
from outrider.contacts.model import Contact
from outrider.dialing.attempt import Claim
from outrider.dialing.pacing import next_start, paced
from outrider.dialing.retry import Counters
from outrider.ids import AttemptId, TargetId
from outrider.licences.model import Standing
from outrider.simulate.memory import Memory
from outrider.simulate.rows import CLAIMED, AttemptRow, ServerRow, TargetRow, TaskRow

FOR_A_BRIDGE = 1
"""Ports that calls for agents leave free, to join an answered call."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How many attempts of a task are wanted, by whom, on which servers, and whether an agent looks first."""

    wanted: int
    owner: str
    now: dt.datetime
    server: str | None = None
    away: frozenset[str] = frozenset()
    session_id: SessionId | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What was claimed; `bound` says what limited it ("" nothing), `again_at` (us) when to ask again."""

    claims: tuple[Claim, ...] = ()
    bound: str = ""
    again_at: int | None = None


def take(memory: Memory, task: TaskRow, ask: Ask) -> Taken:
    """Claim up to `wanted` due contacts of a task, as admission, grant, pace, ports and hours allow."""
    taken = _take(memory, task, ask)
    task.bound = taken.bound
    return taken


def _take(memory: Memory, task: TaskRow, ask: Ask) -> Taken:
    if task.standing is not Standing.ADMITTED:
        return Taken(bound="licences" if task.standing is Standing.WAITING else "paused")
    wanted = ask.wanted
    if not task.is_for_agents:
        wanted = min(wanted, task.granted - task.in_use)
        if wanted <= 0:
            return _refused(memory, task)
    pace = task.plan.action.pacing
    mark = task.pace_at if isinstance(task.pace_at, dt.datetime) else None
    allowed, _ = paced(pace, mark, ask.now, wanted)
    if allowed <= 0:
        again = _us_until(memory, next_start(pace, mark, ask.now), ask.now)
        return Taken(bound="pace", again_at=again)
    server = _server(memory, ask)
    if server is None:
        return Taken(bound="servers")
    room = server.free - (FOR_A_BRIDGE if task.is_for_agents else 0)
    if room <= 0:
        return Taken(bound="ports")
    opening = task.hours.next_open(memory.time_zone, None, "", ask.now)
    if opening > ask.now:
        return Taken(bound="window", again_at=_us_until(memory, opening, ask.now))
    targets = _due(memory, task, min(allowed, room))
    if not targets:
        again_at = next_due(task)
        return Taken(bound="contacts" if again_at is None else "later", again_at=again_at)
    claims = tuple(_claim(memory, task, target, server, ask) for target in targets)
    if pace is not None:
        _, task.pace_at = paced(pace, mark, ask.now, len(claims))
    _charge(memory, task, server, len(claims))
    short = len(claims) < ask.wanted
    return Taken(claims, _what_bound(ask.wanted, wanted, allowed, room) if short else "")


def take_this(memory: Memory, task: TaskRow, target: TargetRow, ask: Ask) -> Claim | None:
    """Claim one contact for the agent who wishes to call it (again); None when that cannot be now."""
    server = _server(memory, ask)
    free = target.state != CLAIMED and task.standing is Standing.ADMITTED
    if not free or server is None or server.free <= FOR_A_BRIDGE:
        return None
    if target.state == "done":
        memory.tasks[target.task_id].contacts_left += 1
    if target.awaiting is not None:
        memory.awaiting.pop(target.awaiting, None)
        target.awaiting = None
    claim = _claim(memory, task, target, server, ask)
    _charge(memory, task, server, 1)
    return claim


def start_preview(memory: Memory, attempt_id: AttemptId) -> bool:
    """Let an accepted card become a call; False when it was given back or started before."""
    row = memory.attempts.get(attempt_id)
    if row is None or not row.preview:
        return False
    row.preview = False
    return True


def next_due(task: TaskRow) -> int | None:
    """Return when the next contact of a task is due (us), None when it has none."""
    times = [task.due[0][0]] if task.due else []
    return min([*times, task.fresh_from] if task.fresh else times, default=None)


def _us_until(memory: Memory, at: dt.datetime, now: dt.datetime) -> int:
    """Return a moment of the clock on the wall, which shows `now`, as a time of the agenda."""
    return memory.agenda.us + (at - now) // dt.timedelta(microseconds=1)


def _refused(memory: Memory, task: TaskRow) -> Taken:
    """Note that a task asks in vain: a refused attempt is an attempt (licensing.md 9)."""
    due = next_due(task)
    if due is None or due > memory.agenda.us:
        return Taken(bound="contacts" if due is None else "later", again_at=due)
    task.last_attempt_at = memory.now()
    return Taken(bound="licences")


def _server(memory: Memory, ask: Ask) -> ServerRow | None:
    if ask.server is None:
        return memory.server_with_most_room(ask.away)
    return None if ask.server in ask.away else memory.servers.get(ask.server)


def _due(memory: Memory, task: TaskRow, count: int) -> list[TargetRow]:
    """Take due contacts: those never called first, whose turn came longest ago, then retries."""
    now = memory.agenda.us
    found: list[TargetRow] = []
    if task.fresh and task.fresh_from <= now:
        fresh = min(count, task.fresh)
        task.fresh -= fresh
        found += [_new_target(memory, task) for _ in range(fresh)]
    while len(found) < count and task.due and task.due[0][0] <= now:
        target = heapq.heappop(task.due)[2]
        if target.state == "due" and target.task_id == task.plan.task_id and target.awaiting is None:
            found.append(target)
    return found


def _new_target(memory: Memory, task: TaskRow) -> TargetRow:
    """Make the next contact of the list: it has a number, and lives in the scenario's time zone."""
    job = memory.jobs[task.plan.job_id]
    job.made += 1
    number = int(task.plan.job_id) * 1_000_000_000 + job.made
    phone = f"+1{number}"
    contact = Contact(id=number, list_id=int(task.plan.job_id), phone=phone, time_zone=memory.time_zone)
    return TargetRow(number, contact, task.plan.task_id, memory.agenda.us)


def _claim(memory: Memory, task: TaskRow, target: TargetRow, server: ServerRow, ask: Ask) -> Claim:
    counters = target.counters
    if target.task_id != task.plan.task_id or target.state == "done":
        counters = Counters(counters.attempts)
        target.task_id = task.plan.task_id
    target.state = CLAIMED
    claim = Claim(
        memory.new_id(),
        task.plan,
        TargetId(target.id),
        target.contact,
        target.contact.phone or "",
        target.address_index,
        1,
        counters.with_attempt(),
        profile=task.profile,
        server=server.name,
        session_id=ask.session_id,
        preview=ask.preview,
    )
    target.counters = claim.counters
    memory.attempts[claim.attempt_id] = AttemptRow(claim, target, ask.owner, ask.preview)
    return claim


def _charge(memory: Memory, task: TaskRow, server: ServerRow, count: int) -> None:
    server.in_use += count
    task.last_attempt_at = memory.now()
    if not task.is_for_agents:
        task.in_use += count


def _what_bound(asked: int, granted: int, allowed: int, room: int) -> str:
    if granted < asked:
        return "licences"
    if allowed < granted:
        return "pace"
    return "ports" if room < allowed else "contacts"
