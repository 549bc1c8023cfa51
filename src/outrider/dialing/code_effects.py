"""What a completion code makes of its contact: done, called again, called back, or never again.

`wrap_ups.py` asks it. A rule that the strategy has for the code by name comes before the code's own effect.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.completion import store as codes
from outrider.completion.model import Effect
from outrider.contacts.store import contact_of
from outrider.db.database import Row, Tx
from outrider.dialing import plans, store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.retry import Decision, Final, again, asked_again, decide
from outrider.dialing.targets import counters_of


@dataclass(frozen=True, slots=True)
class Code:
    """A completion code with its effect; `retry_after` is seconds."""

    name: str
    effect: Effect = Effect.DONE
    retry_after: float = 0.0


class Known:
    """What decisions about a batch of attempts look at, each read once: plans, codes, contacts."""

    def __init__(self, tx: Tx, rows: Iterable[Row]) -> None:
        """Read the contacts of these attempts (rows of `agent_store.lock_awaited`)."""
        self._tx = tx
        ids = sorted({row["contact_id"] for row in rows})
        self._contacts = store.contacts(tx, ids, attributes=False) if ids else {}
        self._plans: dict[int, TaskPlan] = {}
        self._codes: dict[tuple[int, str], Code] = {}

    def plan(self, row: Row) -> TaskPlan:
        """Return the plan of an attempt's task."""
        task_id = row["task_id"]
        if task_id not in self._plans:
            task = store.task_row(self._tx, task_id)
            if task is None:
                raise RuntimeError(f"task {task_id}: it is gone, but its attempts are not")
            self._plans[task_id] = plans.plan_of(self._tx, task)
        return self._plans[task_id]

    def code(self, plan: TaskPlan, name: str | None) -> Code | None:
        """Return the organization's code of that name; one that is not known (any more) is simply done."""
        if name is None:
            return None
        key = (plan.organization_id, name)
        if key not in self._codes:
            found = codes.find(self._tx, plan.organization_id, name)
            made = Code(name) if found is None else Code(name, found.effect, found.retry_after or 0.0)
            self._codes[key] = made
        return self._codes[key]

    def addresses(self, plan: TaskPlan, contact_id: int) -> int:
        """Return how many addresses a contact has for the action; none if it was deleted."""
        row = self._contacts.get(contact_id)
        return 0 if row is None else len(contact_of(row).addresses(plan.action.addresses))


def decision(
    known: Known, plan: TaskPlan, row: Row, code: Code | None, promised: dt.datetime | None, now: dt.datetime
) -> Decision:
    """Return what follows a contact that an agent said `code` of (None: nothing, so the outcome decides).

    `row` is its attempt with its target. A contact with a callback is left alone until that expires, at
    `promised`: then it is anybody's again, so that no promise is lost.
    """
    action, counters = plan.action, counters_of(row["counters"], row["attempts"])
    # The agent has talked with the person, whatever broke the call off then.
    outcome = Outcome(row["outcome"]) if code is None else Outcome.ANSWERED
    index = int(row["address_index"])
    if promised is not None:
        return again(counters, Effect.CALLBACK if code is None else code.name, promised, index)
    effect = None if code is None or code.name in action.dispositions else code.effect
    if code is not None and effect is Effect.DO_NOT_CONTACT:
        return Final(outcome)
    if code is not None and effect is Effect.RETRY:
        at = now + dt.timedelta(seconds=code.retry_after)
        return asked_again(plan.strategy, action.name, counters, outcome, code.name, at, index)
    return decide(
        plan.strategy,
        action.name,
        counters,
        outcome,
        now,
        index,
        known.addresses(plan, row["contact_id"]),
        disposition=None if code is None else code.name,
        awaited=True,
    )
