"""Claiming: a task asks for work and gets attempts whose units are charged and whose rows are written.

The fast path of licence sharing. The worker's dial loops call it, one transaction a batch; it touches the
task's row and never the pool's, except when a quiet task asks for its licences back (licensing.md 5).
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence

from outrider.campaigns.hours import ContactHours
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.store import contact_of
from outrider.db.database import Row, Tx
from outrider.db.types import utc_microseconds
from outrider.dialing import store
from outrider.dialing.attempt import Batch, Claim, TaskPlan
from outrider.dialing.pacing import next_start, paced
from outrider.dialing.retry import Decision, Final, Retry, skip
from outrider.dialing.targets import counters_of, target_row
from outrider.ids import TargetId, TaskId, new_attempt_ids
from outrider.jobs import store as jobs
from outrider.licences import service as licences
from outrider.licences.model import Standing
from outrider.licences.service import SharingRules

REFUSED_EVERY = dt.timedelta(seconds=1)
"""A task that keeps asking in vain is noted as asking at most this often."""


def take_batch(
    tx: Tx, rules: SharingRules, plan: TaskPlan, wanted: int, owner: str, now: dt.datetime
) -> Batch:
    """Claim up to `wanted` attempts of a task, no more than its grant, pace and due contacts allow.

    Each claim is a lease of one unit, held by `owner`. Contacts outside their window are put off to its
    opening, those on a do-not-contact list or without an address go on to what follows.
    """
    _ask_for_return(tx, rules, plan, now)
    row = store.task(tx, plan.task_id)
    if row is None or row["standing"] != Standing.ADMITTED.value:
        return Batch(bound="licence" if row and row["standing"] == Standing.WAITING.value else "paused")
    free = row["granted"] - row["in_use"]
    if free <= 0:
        return _refused(tx, row, now)
    units, mark = paced(row["pace"], row["pace_at"], now, min(wanted, free))
    if units <= 0:
        return _bound(tx, row, Batch(bound="pace", again_at=next_start(row["pace"], row["pace_at"], now)))
    taken = store.take_targets(tx, plan.task_id, now, units)
    if not taken:
        due = store.next_due(tx, plan.task_id)
        return _bound(tx, row, Batch(bound="later" if due else "contacts", again_at=due))
    sorted_out = _sort_out(tx, plan, taken, now)
    _, mark = paced(row["pace"], row["pace_at"], now, len(sorted_out.claims))
    bound = _bound_by(wanted, free, units, len(taken))
    charged = store.charge(
        tx,
        plan.task_id,
        {
            "units": len(sorted_out.claims),
            "closed": sorted_out.left,
            "now": now if sorted_out.claims else row["last_attempt_at"],
            "mark": mark if sorted_out.claims else row["pace_at"],
            "bound_by": bound,
        },
    )
    if not charged:
        raise RuntimeError(f"task {plan.task_id}: its grant shrank under a locked row")
    claimed_at = utc_microseconds(now)
    store.add_attempts(tx, [_attempt_row(claim, owner, claimed_at) for claim in sorted_out.claims])
    _put_off(tx, plan, sorted_out, now)
    again_at = None
    if not bound or len(sorted_out.claims) < len(taken):
        again_at = now
    elif bound == "pace":
        again_at = next_start(row["pace"], mark, now)
    return Batch(tuple(sorted_out.claims), bound, again_at)


def _bound_by(wanted: int, free: int, units: int, taken: int) -> str:
    """Name what kept a batch from its `wanted` size, "" when nothing did; `units` are what pace allowed."""
    if taken == wanted:
        return ""
    if taken < units:
        return "contacts"
    return "pace" if units < free else "ports"


def note_unreachable(tx: Tx, task_id: TaskId) -> None:
    """Note that a task has nothing to claim with: its carrier or mail server cannot be reached."""
    row = store.task(tx, task_id)
    if row is not None:
        _bound(tx, row, Batch(bound="channel"))


@dataclasses.dataclass(slots=True)
class _SortedOut:
    """What became of the targets of one batch."""

    claims: list[Claim] = dataclasses.field(default_factory=list)
    later: list[tuple[Row, dt.datetime]] = dataclasses.field(default_factory=list)
    decided: list[tuple[Row, Decision]] = dataclasses.field(default_factory=list)

    @property
    def left(self) -> int:
        """Count the targets that left the task without an attempt."""
        return sum(not isinstance(decision, Retry) for _, decision in self.decided)


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


def _sort_out(tx: Tx, plan: TaskPlan, taken: Sequence[Row], now: dt.datetime) -> _SortedOut:
    is_call = plan.action.channel is Channel.CALL
    found = store.contacts(tx, [row["contact_id"] for row in taken], attributes=not is_call)
    contacts = {number: contact_of(row) for number, row in found.items()}
    names = plan.action.addresses
    reachable = {number: contact.addresses(names) for number, contact in contacts.items()}
    blocked = do_not_contact.blocked(
        tx, plan.organization_id, [address for each in reachable.values() for address in each]
    )
    hours = ContactHours(plan.action.window)
    sorted_out = _SortedOut()
    ids = new_attempt_ids(now, len(taken))
    for row, attempt_id in zip(taken, ids, strict=True):
        counters = counters_of(row["counters"], row["attempts"] - 1)
        contact = contacts.get(row["contact_id"])
        addresses = reachable.get(row["contact_id"], ())
        index = _first_allowed(addresses, row["address_index"], blocked)
        if contact is None or index is None:
            last = Outcome.DO_NOT_CONTACT if blocked.intersection(addresses) else None
            decision = skip(plan.strategy, plan.action.name, counters, now, last)
            sorted_out.decided.append((row, decision))
            continue
        kept = found[contact.id]
        number = addresses[index] if is_call else contact.phone
        opening = hours.next_open(contact.time_zone, number, kept["default_country"], now)
        if opening > now:
            sorted_out.later.append((row, opening))
        else:
            claim = Claim(
                attempt_id=attempt_id,
                plan=plan,
                target_id=TargetId(row["id"]),
                contact=contact,
                address=addresses[index],
                address_index=index,
                addresses=len(addresses),
                counters=counters.with_attempt(),
                profile=kept["carrier_profile"],
            )
            sorted_out.claims.append(claim)
    return sorted_out


def _first_allowed(addresses: Sequence[str], index: int, blocked: set[str]) -> int | None:
    """Return the first address from `index` (or the last, if there are fewer now) that may be contacted."""
    start = min(index, len(addresses) - 1)
    if not blocked:
        return None if start < 0 else start
    return next((n for n in range(max(0, start), len(addresses)) if addresses[n] not in blocked), None)


def _attempt_row(claim: Claim, owner: str, claimed_at: int | None) -> tuple[object, ...]:
    """Return the values of `store.ATTEMPT_COLUMNS`, as the database stores them."""
    return (
        claim.attempt_id,
        claim.plan.task_id,
        claim.target_id,
        claim.contact.id,
        claim.number,
        claim.address,
        owner,
        claimed_at,
    )


def _put_off(tx: Tx, plan: TaskPlan, sorted_out: _SortedOut, now: dt.datetime) -> None:
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
            "new_outcome": None,
            "new_finished_at": None,
        }
        for row, opening in sorted_out.later
    ]
    finals: Counter[Outcome] = Counter()
    for row, decision in sorted_out.decided:
        rows.append(target_row(plan, row["id"], decision, now, row["attempts"] - 1))
        if isinstance(decision, Final):
            finals[decision.outcome] += 1
    store.set_targets(tx, rows)
    for name, count in _moved(sorted_out.decided).items():
        jobs.add_contacts_left(tx, plan.task_of[name], count)
    if finals:
        counts: dict[tuple[int, str], tuple[int, int]] = {
            (plan.task_id, outcome.value): (0, count) for outcome, count in finals.items()
        }
        jobs.add_outcomes(tx, counts)
        jobs.count_finals(tx, plan.job_id, finals.total(), 0)


def _moved(decided: Sequence[tuple[Row, Decision]]) -> Counter[str]:
    return Counter(decision.name for _, decision in decided if not isinstance(decision, Retry | Final))
