"""Parts of every claim: pace, places, the batch of due targets, and what becomes of those that wait.

`claims.py` charges licence units with it, `agent_claims.py` claims for agents, who are their own units.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
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
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules
from outrider.media import placing, unplaced
from outrider.media.model import Placement

UNBOUNDED = Means()

SLOWEST = 1 / 86_400
"""Attempts per second of a task for which its channel has nothing left: it looks again, far apart."""

FOR_A_BRIDGE = 1
"""Ports that calls for agents leave free: an answered call needs one more while it is joined to an agent."""

BOUND_BY_SERVERS = {"ports": "servers", "rate": "pace", "server": "servers"}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: up to `wanted` attempts for `owner`, of which `free` units allow so many.

    `for_agents`: agents are the units, so none is charged. Then calls go to `server_id`, if it is given,
    for the session, which looks at them first (`preview`).
    """

    wanted: int
    free: int
    owner: str
    now: dt.datetime
    means: Means = UNBOUNDED
    for_agents: bool = False
    server_id: int | None = None
    session_id: int | None = None
    preview: bool = False


def claim_due(tx: Tx, plan: TaskPlan, row: Row, ask: Ask) -> Batch:
    """Claim the due contacts of an admitted task, whose `row` is locked, as pace and places allow."""
    now = ask.now
    pace = _pace(row, ask.means)
    units, mark = paced(pace, row["pace_at"], now, min(ask.wanted, ask.free))
    if units <= 0:
        return bound(tx, row, Batch(bound="pace", again_at=next_start(pace, row["pace_at"], now)))
    places = place(tx, plan, units, ask)
    if places.room <= 0:
        return bound(tx, row, Batch(bound=places.bound, again_at=places.again_at))
    taken = store.take_targets(tx, plan.task_id, now, min(units, places.room))
    if not taken:
        places.give_back(tx, 0)
        due = store.next_due(tx, plan.task_id)
        return bound(tx, row, Batch(bound="later" if due else "contacts", again_at=due))
    sorted_out = sort_out(tx, plan, taken, now, guaranteed=ask.session_id is not None)
    claims = places.fill(_for_session(sorted_out.claims, ask))
    places.give_back(tx, len(claims))
    _, mark = paced(pace, row["pace_at"], now, len(claims))
    what = _bound_by(ask.wanted, ask.free, units, len(taken), places)
    charges = {
        "units": 0 if ask.for_agents else len(claims),
        "closed": sum(not isinstance(each.decision, Retry) for each in sorted_out.decided),
        "now": now if claims else row["last_attempt_at"],
        "mark": mark if claims else row["pace_at"],
        "bound_by": what,
    }
    if not store.charge(tx, plan.task_id, charges, guarded=not ask.for_agents):
        raise RuntimeError(f"task {plan.task_id}: its grant shrank under a locked row")
    add_attempts(tx, claims, ask.owner, now)
    put_off(tx, plan, sorted_out, now)
    if not what or len(claims) < len(taken):
        return Batch(claims, what, now)
    if what == places.bound:
        return Batch(claims, what, places.again_at)
    return Batch(claims, what, next_start(pace, mark, now) if what == "pace" else None)


def bound(tx: Tx, row: Row, batch: Batch) -> Batch:
    """Note what bound a claim that got nothing."""
    if row["bound"] != batch.bound:
        store.note(tx, row["id"], bound=batch.bound)
    return batch


def add_attempts(tx: Tx, claims: Sequence[Claim], owner: str, now: dt.datetime) -> None:
    """Write the rows of attempts about to be made."""
    at = utc_microseconds(now)
    plain = [_row(claim, owner, at) for claim in claims if claim.session_id is None and not claim.preview]
    store.add_attempts(tx, plain)
    of_sessions = [
        (*_row(claim, owner, at), claim.session_id, claim.preview)
        for claim in claims
        if claim.session_id is not None or claim.preview
    ]
    store.add_attempts(tx, of_sessions, of_sessions=True)


def finish_if_due(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> None:
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


def take_turn(tx: Tx, plan: TaskPlan) -> None:
    """Let no two claims count towards the same limits without seeing each other's attempts.

    A contact is in one job of a campaign at a time, so its own limits in that campaign need no turn.
    """
    shared = (
        limit.per is LimitPer.ADDRESS or limit.campaigns is LimitScope.ORGANIZATION
        for limit in plan.strategy.limits(plan.action)
    )
    if any(shared):
        turns.take(tx, f"limits of organization {plan.organization_id}")


def put_off(tx: Tx, plan: TaskPlan, sorted_out: SortedOut, now: dt.datetime) -> None:
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


def _pace(row: Row, means: Means) -> float | None:
    """Return the attempts per second that a task may make: its own pace, or what its channel has for it."""
    limits = [limit for limit in (row["pace"], means.per_second) if limit is not None]
    return max(SLOWEST, min(limits)) if limits else None


@dataclass(frozen=True, slots=True)
class Places:
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


def place(tx: Tx, plan: TaskPlan, units: int, ask: Ask) -> Places:
    """Charge ports of the zone's media servers for a batch of calls, or see how many the zone has free."""
    if plan.action.channel is not Channel.CALL:
        return Places(units)
    spare = FOR_A_BRIDGE if ask.for_agents else 0
    placed = placing.place(
        tx, plan.zone_id, units, ask.now, without=ask.means.without, only=ask.server_id, spare=spare
    )
    if placed is None and ask.for_agents:
        free = unplaced.free_ports(tx, plan.zone_id) - FOR_A_BRIDGE
        return Places(min(units, max(0, free)), None, "servers")
    if placed is None:
        return Places(units)
    what = BOUND_BY_SERVERS.get(placed.bound, placed.bound)
    return Places(len(placed.placements), placed.placements, what, placed.again_at)


def _for_session(claims: list[Claim], ask: Ask) -> list[Claim]:
    if ask.session_id is None and not ask.preview:
        return claims
    return [replace(claim, session_id=ask.session_id, preview=ask.preview) for claim in claims]


def _bound_by(wanted: int, free: int, units: int, taken: int, places: Places) -> str:
    """Name what kept a batch from its `wanted` size, "" when nothing did; `units` are what pace allowed."""
    if taken == wanted:
        return ""
    if taken < min(units, places.room):
        return "contacts"
    if places.room < units:
        return places.bound
    return "pace" if units < free else "ports"


def _row(claim: Claim, owner: str, claimed_at: int | None) -> tuple[object, ...]:
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
