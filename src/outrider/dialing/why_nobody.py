"""Why is nobody being called? Sentences for a task and for one contact, from facts that were read. Pure.

`contact_why.py` and `agents/pacing_view.py` collect the facts; the API and the pages show the sentences.
"""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass

BOUNDS = {
    "": "nothing holds it back",
    "ports": "all its ports are in use",
    "contacts": "no contact is due",
    "later": "the next contact is due later: hours, limits or a retry pause",
    "pace": "it goes as fast as its pace allows",
    "licence": "it waits for licences",
    "channel": "its carrier or mail server cannot be reached",
    "paused": "it does not run",
    "servers": "no media server has a free port",
}
"""What a claim noted last, by `tasks.bound`."""

JOB_STATES = {
    "ready": "the job has not been started",
    "paused": "the job is paused",
    "snoozed": "the job is snoozed",
    "stopped": "the job was stopped",
    "finished": "the job is finished",
}


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a task is bound by, as its row says: what the last claim noted, and the next due time."""

    job_state: str
    waits: bool
    granted: int
    bound: str
    due: dt.datetime | None = None
    licence: str = ""
    """Why it has the quota it has, in a sentence (licences/explaining)."""


def bound_of(facts: TaskFacts) -> str:
    """Return the word for what binds a task now: a job's state, "licence", or what the last claim noted."""
    if facts.job_state in JOB_STATES:
        return facts.job_state
    if facts.waits or not facts.granted:
        return "licence"
    return facts.bound


def task_sentence(facts: TaskFacts, decisions: Sequence[tuple[str, str]] = ()) -> str:
    """Return why a task calls nobody (more). `decisions` are pacing's sentences by media server.

    They count only where the job runs with licences: else pacing is not asked.
    """
    if facts.job_state in JOB_STATES:
        return _sentence(JOB_STATES[facts.job_state])
    if facts.waits or not facts.granted:
        why = f": {facts.licence.strip().rstrip('.')}" if facts.licence else ""
        return _sentence(f"it waits for licences{why}")
    if decisions:
        return " ".join(_sentence(f"on {server}: {text}" if server else text) for server, text in decisions)
    text = BOUNDS.get(facts.bound, facts.bound)
    if facts.bound == "later" and facts.due is not None:
        text = f"the next contact is due at {moment(facts.due)}: hours, limits or a retry pause"
    return _sentence(text)


class ContactState(enum.StrEnum):
    """Where a contact of a job stands, and what keeps it from being called now."""

    DUE = "due"
    IN_HAND = "in_hand"
    """It is being called, or an agent looks at its card."""
    COMPLETION_CODE = "completion_code"
    RECEIPT = "receipt"
    """News of a message is awaited."""
    CALLBACK = "callback"
    DONE = "done"
    DELETED = "deleted"
    DO_NOT_CONTACT = "do_not_contact"
    NO_ADDRESS = "no_address"
    CONDITION = "condition"
    """The action's condition does not hold for it."""
    HOURS = "hours"
    LIMIT = "limit"
    LOCKOUT = "lockout"
    """It was abandoned: no call without an agent for sure."""
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """Why a contact is not called. `until` is when that ends, None: not by itself, or at once.

    `detail` names the outcome, the limit or whose callback it is; `address` where it would be called.
    """

    state: ContactState
    until: dt.datetime | None = None
    detail: str = ""
    address: str = ""


Hold = tuple[ContactState, dt.datetime, str]
"""Something that ends by itself: what it is, when, and a detail."""


def latest(holds: Sequence[Hold], now: dt.datetime) -> Hold | None:
    """Return the hold that ends last, None when none holds any more; of equals the first.

    All must have ended before a contact is called: the last one is the answer to when.
    """
    waiting = [each for each in holds if each[1] > now]
    return max(waiting, key=lambda each: each[1]) if waiting else None


def contact_sentence(facts: ContactFacts) -> str:
    """Return where a contact stands, in one sentence."""
    until = "" if facts.until is None else moment(facts.until)
    detail = facts.detail
    return _sentence(
        {
            ContactState.DUE: f"it is due now{_at(facts.address)} and is called as soon as the task may call",
            ContactState.IN_HAND: detail or "it is being called",
            ContactState.COMPLETION_CODE: f"the call is over; its completion code is awaited until {until}",
            ContactState.RECEIPT: f"a message was sent; news of it is awaited until {until}",
            ContactState.CALLBACK: f"a callback is promised{f' ({detail})' if detail else ''} for {until}",
            ContactState.DONE: f"it is done: {detail or 'no outcome'}",
            ContactState.DELETED: "the contact was deleted: it is passed over",
            ContactState.DO_NOT_CONTACT: "its number is on a do-not-contact list",
            ContactState.NO_ADDRESS: "it has no address for this action",
            ContactState.CONDITION: "the condition of this action does not hold for it: it is passed over",
            ContactState.HOURS: f"its calling hours are closed until {until}",
            ContactState.LIMIT: f"a limit holds it until {until}: {detail}",
            ContactState.LOCKOUT: f"its last call was abandoned: it is not called before {until}",
            ContactState.RETRY: f"it was {detail or 'tried'} and is tried again at {until}",
        }[facts.state]
    )


def moment(at: dt.datetime) -> str:
    """Return a time as sentences say it, in UTC to the minute."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _at(address: str) -> str:
    return f" at {address}" if address else ""


def _sentence(text: str) -> str:
    plain = text.strip().rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."
