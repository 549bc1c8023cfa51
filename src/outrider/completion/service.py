"""Completion codes inside a transaction: listed, made, changed, retired. Supervisors look after them.

Called by `completion/api.py` and the page. A new organization has `DEFAULT_CODES` from its first moment.
"""

import datetime as dt
from dataclasses import replace

from outrider.completion import store
from outrider.completion.model import MOST_CODES, CodePlan, CompletionCode, checked
from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, NotFoundError
from outrider.events import RecordChanged
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller, Role


def codes(tx: Tx, organization_id: int | None) -> list[CompletionCode]:
    """Return the codes in use that the caller can see, in their order."""
    return store.codes(tx, organization_id)


def code(tx: Tx, code_id: int, organization_id: int | None) -> CompletionCode:
    """Return one code; NotFoundError when this caller can see none by that id, or it is retired."""
    found = store.codes(tx, organization_id, code_id=code_id)
    if not found:
        raise NotFoundError(f"there is no completion code {code_id}")
    return found[0]


def create(
    tx: Tx, now: dt.datetime, caller: Caller, plan: CodePlan, *, organization_id: int | None = None
) -> CompletionCode:
    """Make a code; a retired one of that name comes back, as planned.

    InvalidInputError names the field; ConflictError when name or shortcut is in use.
    """
    caller.require(Role.SUPERVISOR)
    plan = checked(plan)
    owner = owner_of_new(tx, caller.organization_id, organization_id)
    known = store.codes(tx, owner)
    if any(each.name == plan.name for each in known):
        raise ConflictError(f"there is a completion code {plan.name!r} already; choose another name")
    if len(known) >= MOST_CODES:
        raise ConflictError(f"an organization can have {MOST_CODES} completion codes; retire some first")
    _check_shortcut(known, plan)
    if not plan.position:
        plan = replace(plan, position=max((each.position for each in known), default=0) + 10)
    number = store.put(tx, owner, _values(plan))
    made = code(tx, number, None)
    _record(tx, now, caller, made, "created")
    return made


def change(tx: Tx, now: dt.datetime, caller: Caller, code_id: int, plan: CodePlan) -> CompletionCode:
    """Let a code be as planned, but for its name. Contacts that are settled stay as they are.

    NotFoundError when not visible; InvalidInputError and ConflictError as for `create`.
    """
    caller.require(Role.SUPERVISOR)
    known = code(tx, code_id, caller.organization_id)
    plan = checked(replace(plan, name=known.name))
    _check_shortcut([each for each in store.codes(tx, known.organization_id) if each.id != known.id], plan)
    store.set_code(tx, known.id, _values(plan))
    _record(tx, now, caller, known, "changed")
    return code(tx, code_id, None)


def retire(tx: Tx, now: dt.datetime, caller: Caller, code_id: int) -> None:
    """Take a code out of use: agents can choose it no more, the history keeps it."""
    caller.require(Role.SUPERVISOR)
    known = code(tx, code_id, caller.organization_id)
    store.retire(tx, known.id, now)
    _record(tx, now, caller, known, "removed")


def _check_shortcut(others: list[CompletionCode], plan: CodePlan) -> None:
    taken = next((each for each in others if plan.shortcut and each.shortcut == plan.shortcut), None)
    if taken is not None:
        raise ConflictError(
            f"shortcut: {plan.shortcut} is that of {taken.name}; choose another key", where="shortcut"
        )


def _values(plan: CodePlan) -> dict[str, object]:
    return {
        "name": plan.name,
        "label": plan.label,
        "effect": plan.effect.value,
        "retry_after": plan.retry_after,
        "shortcut": plan.shortcut,
        "position": plan.position,
    }


def _record(tx: Tx, now: dt.datetime, caller: Caller, what: CompletionCode, change: str) -> None:
    event = RecordChanged(
        organization_id=what.organization_id,
        actor=caller.name,
        record="completion code",
        record_id=what.id,
        change=change,
        name=what.name,
    )
    log.append(tx, now, event)
