"""Claiming: a task asks for work and gets attempts whose units are charged and whose rows are written.

The fast path of licence sharing. The worker's dial loops call it, one transaction a batch; it touches the
task's row and never the pool's, except when a quiet task asks for its licences back (licensing.md 5).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from outrider.campaigns.finish import finished
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel, LimitPer, LimitScope
from outrider.db import turns
from outrider.db.database import Row, Tx
from outrider.db.types import utc_microseconds
from outrider.dialing import store
from outrider.dialing.attempt import Batch, Claim, Means, TaskPlan
from outrider.dialing.pacing import next_start, paced
from outrider.dialing.retry import Final, NextAction, Retry
from outrider.dialing.sorting import Decided, SortedOut, sort_out
from outrider.dialing.targets import Told, target_row
from outrider.ids import TaskId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import Standing
from outrider.licences.service import SharingRules
from outrider.media import placing
from outrider.media.model import Placement

REFUSED_EVERY = dt.timedelta(seconds=1)
"""A task that keeps asking in vain is noted as asking at most this often."""


UNBOUNDED = Means()

SLOWEST = 1 / 86_400
"""Attempts per second of a task for which its channel has nothing left: it looks again, far apart."""

MOST_ENDED_WAITS = 500
"""Contacts whose wait is over that one claim lets go on."""


def take_batch(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    wanted: int,
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
) -> Batch:
    """Claim up to `wanted` attempts of a task, no more than its grant, pace and due contacts allow.

    Each claim is a lease of one unit, held by `owner`. Contacts outside their window are put off to its
    opening, those on a do-not-contact list or without an address go on to what follows. `means` is what
    `owner` has to make them with.
    """
    _finish_if_due(tx, rules, plan, now)
    _ask_for_return(tx, rules, plan, now)
    _take_turn(tx, plan)
    row = store.task(tx, plan.task_id)
    if row is None or row["standing"] != Standing.ADMITTED.value:
        return Batch(bound="licence" if row and row["standing"] == Standing.WAITING.value else "paused")
    _end_waits(tx, plan, now)
    free = row["granted"] - row["in_use"]
    if free <= 0:
        return _refused(tx, row, now)
    pace = _pace(row, means)
    units, mark = paced(pace, row["pace_at"], now, min(wanted, free))
    if units <= 0:
        return _bound(tx, row, Batch(bound="pace", again_at=next_start(pace, row["pace_at"], now)))
    places = _place(tx, plan, units, now, means.without)
    if places.room <= 0:
        return _bound(tx, row, Batch(bound=places.bound, again_at=places.again_at))
    taken = store.take_targets(tx, plan.task_id, now, min(units, places.room))
    if not taken:
        places.give_back(tx, 0)
        due = store.next_due(tx, plan.task_id)
        return _bound(tx, row, Batch(bound="later" if due else "contacts", again_at=due))
    sorted_out = sort_out(tx, plan, taken, now)
    claims = places.fill(sorted_out.claims)
    places.give_back(tx, len(claims))
    _, mark = paced(pace, row["pace_at"], now, len(claims))
    bound = _bound_by(wanted, free, units, len(taken), places)
    charges = {
        "units": len(claims),
        "closed": sum(not isinstance(each.decision, Retry) for each in sorted_out.decided),
        "now": now if claims else row["last_attempt_at"],
        "mark": mark if claims else row["pace_at"],
        "bound_by": bound,
    }
    if not store.charge(tx, plan.task_id, charges):
        raise RuntimeError(f"task {plan.task_id}: its grant shrank under a locked row")
    store.add_attempts(tx, [_attempt_row(claim, owner, utc_microseconds(now)) for claim in claims])
    _put_off(tx, plan, sorted_out, now)
    if not bound or len(claims) < len(taken):
        return Batch(claims, bound, now)
    if bound == places.bound:
        return Batch(claims, bound, places.again_at)
    return Batch(claims, bound, next_start(pace, mark, now) if bound == "pace" else None)


def _pace(row: Row, means: Means) -> float | None:
    """Return the attempts per second that a task may make: its own pace, or what its channel has for it."""
    limits = [limit for limit in (row["pace"], means.per_second) if limit is not None]
    return max(SLOWEST, min(limits)) if limits else None


@dataclass(frozen=True, slots=True)
class _Places:
    """The ports of media servers that a batch may use; `places` None when calls need none of them."""

    room: int
    places: tuple[Placement, ...] | None = None
    bound: str = ""
    again_at: dt.datetime | None = None

    def fill(self, claims: list[Claim]) -> tuple[Claim, ...]:
        """Return the claims, each with its place."""
        if self.places is None:
            return tuple(claims)
        return tuple(
            replace(claim, server=place.server, server_id=place.server_id)
            for claim, place in zip(claims, self.places, strict=False)
        )

    def give_back(self, tx: Tx, used: int) -> None:
        """Give back the ports for which there was nobody to call."""
        if self.places is not None:
            placing.unplace(tx, self.places[used:])


BOUND_BY_SERVERS = {"ports": "servers", "rate": "pace", "server": "servers"}


def _place(tx: Tx, plan: TaskPlan, units: int, now: dt.datetime, without: Collection[int]) -> _Places:
    """Charge ports of the zone's media servers for a batch of calls."""
    if plan.action.channel is not Channel.CALL:
        return _Places(units)
    placed = placing.place(tx, plan.zone_id, units, now, without=without)
    if placed is None:
        return _Places(units)
    bound = BOUND_BY_SERVERS.get(placed.bound, placed.bound)
    return _Places(len(placed.placements), placed.placements, bound, placed.again_at)


def _bound_by(wanted: int, free: int, units: int, taken: int, places: _Places) -> str:
    """Name what kept a batch from its `wanted` size, "" when nothing did; `units` are what pace allowed."""
    if taken == wanted:
        return ""
    if taken < min(units, places.room):
        return "contacts"
    if places.room < units:
        return places.bound
    return "pace" if units < free else "ports"


def note_unreachable(tx: Tx, task_id: TaskId) -> None:
    """Note that a task has nothing to claim with: its carrier or mail server cannot be reached."""
    row = store.task(tx, task_id)
    if row is not None:
        _bound(tx, row, Batch(bound="channel"))


def _ask_for_return(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> None:
    """Do the `return` trigger when the task was quiet and has somebody to call (before any row is locked)."""
    quiet_since = now - dt.timedelta(seconds=rules.idle_after)
    if store.may_return(tx, plan.task_id, quiet_since) and store.has_due(tx, plan.task_id, now):
        licences.return_if_quiet(tx, rules, plan.pool_id, plan.task_id, now)
        store.note(tx, plan.task_id, last_attempt_at=now)


def _refused(tx: Tx, row: Row, now: dt.datetime) -> Batch:
    """Note that the task asks in vain: an attempt that is refused is an attempt (licensing.md 9)."""
    asked = row["last_attempt_at"]
    stale = asked is None or now - asked >= REFUSED_EVERY
    if stale and store.has_due(tx, row["id"], now):
        store.note(tx, row["id"], last_attempt_at=now, bound="ports")
    return Batch(bound="ports")


def _bound(tx: Tx, row: Row, batch: Batch) -> Batch:
    if row["bound"] != batch.bound:
        store.note(tx, row["id"], bound=batch.bound)
    return batch


def _attempt_row(claim: Claim, owner: str, claimed_at: int | None) -> tuple[object, ...]:
    """Return the values of `store.ATTEMPT_COLUMNS`, as the database stores them."""
    return (
        claim.attempt_id,
        claim.plan.task_id,
        claim.target_id,
        claim.contact.id,
        claim.number,
        claim.address,
        claim.server_id,
        owner,
        claimed_at,
    )


def _finish_if_due(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> None:
    """Finish the job when contacts that ended without an attempt have met its goal or a finish criterion.

    Ending a job needs its pools, which claims do not lock: so the next claim does it, before it locks a row.
    """
    strategy = plan.strategy
    if strategy.goal is None and not strategy.finish.outcomes and not strategy.finish.dispositions:
        return
    ended = job_store.outcomes(tx, [plan.job_id]).get(plan.job_id, {})
    chosen: dict[str, tuple[int, int]] = {}
    if strategy.finish.dispositions:
        chosen = job_store.dispositions(tx, [plan.job_id]).get(plan.job_id, {})
    outcomes = {Outcome(name): finals for name, (_, finals) in ended.items()}
    dispositions = {name: finals for name, (_, finals) in chosen.items()}
    if finished(strategy, outcomes, dispositions, now, now) is not None:
        licence_store.lock_pools(tx, job_store.pool_ids(tx, plan.job_id))
        jobs.count_finals(tx, rules, plan.job_id, strategy, 0, 0, now)


def _end_waits(tx: Tx, plan: TaskPlan, now: dt.datetime) -> None:
    """Let contacts go on whose messages no news came of in time: that takes no licence and no pace."""
    action = plan.action
    waits = (action.sms is not None and action.sms.receipt_wait is not None) or (
        action.email is not None and action.email.bounce_wait is not None
    )
    taken = store.take_ended_waits(tx, plan.task_id, now, MOST_ENDED_WAITS) if waits else []
    if taken:
        sorted_out = sort_out(tx, plan, taken, now)
        closed = sum(not isinstance(each.decision, Retry) for each in sorted_out.decided)
        store.release(tx, plan.task_id, 0, -closed)
        _put_off(tx, plan, sorted_out, now)


def _take_turn(tx: Tx, plan: TaskPlan) -> None:
    """Let no two claims count towards the same limits without seeing each other's attempts.

    A contact is in one job of a campaign at a time, so its own limits in that campaign need no turn.
    """
    shared = (
        limit.per is LimitPer.ADDRESS or limit.campaigns is LimitScope.ORGANIZATION
        for limit in plan.strategy.limits(plan.action)
    )
    if any(shared):
        turns.take(tx, f"limits of organization {plan.organization_id}")


def _put_off(tx: Tx, plan: TaskPlan, sorted_out: SortedOut, now: dt.datetime) -> None:
    """Write what became of the targets that are not attempted now, and count those that ended."""
    rows = [
        {
            "target": row["id"],
            "new_state": "due",
            "new_task": plan.task_id,
            "new_next_at": opening,
            "new_index": row["address_index"],
            "new_attempts": row["attempts"] - 1,
            "new_counters": row["counters"],
            "new_outcome": row["outcome"],
            "new_disposition": row["disposition"],
            "new_awaiting": None,
            "new_finished_at": None,
        }
        for row, opening in sorted_out.later
    ]
    moved: Counter[str] = Counter()
    for each in sorted_out.decided:
        told = Told(each.outcome, each.row["disposition"], each.row["attempts"] - 1)
        rows.append(target_row(plan, each.row["id"], each.decision, now, told))
        if isinstance(each.decision, NextAction):
            moved[each.decision.name] += 1
    store.set_targets(tx, rows)
    for name, count in moved.items():
        job_store.add_contacts_left(tx, plan.task_of[name], count)
    _count(tx, plan, sorted_out.decided)


def _count(tx: Tx, plan: TaskPlan, decided: Sequence[Decided]) -> None:
    """Count the contacts that ended, and the messages whose outcome is another one now."""
    outcomes: dict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    dispositions: dict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(outcome: Outcome, attempts: int, finals: int) -> None:
        before = outcomes[plan.task_id, outcome.value]
        outcomes[plan.task_id, outcome.value] = (before[0] + attempts, before[1] + finals)

    finals: Counter[Outcome] = Counter()
    for each in decided:
        if each.corrected and each.outcome is not None:
            store.set_outcome(tx, each.row["awaiting"], each.outcome.value)
            add(Outcome(each.row["outcome"]), -1, 0)
            add(each.outcome, 1, 0)
        if isinstance(each.decision, Final):
            finals[each.decision.outcome] += 1
            add(each.decision.outcome, 0, 1)
            if each.row["disposition"] is not None:
                _, ended = dispositions[plan.task_id, each.row["disposition"]]
                dispositions[plan.task_id, each.row["disposition"]] = (0, ended + 1)
    job_store.add_outcomes(tx, outcomes)
    job_store.add_dispositions(tx, dispositions)
    if finals:
        goal = plan.strategy.goal
        job_store.count_finals(tx, plan.job_id, finals.total(), 0 if goal is None else finals[goal.outcome])
