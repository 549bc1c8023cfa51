"""A session as JSON: what a desktop is shown of its whole state, when it connects or asks. Pure.

The floor's edge writes it for the Agent Web API (`Desk.snapshot`); supervisors' pages may use it too.
"""

import datetime as dt
from collections.abc import Mapping

from outrider.agents.model import Engagement, Session
from outrider.agents.roster import FloorTask
from outrider.ids import TaskId


def write_session(session: Session, tasks: Mapping[TaskId, FloorTask]) -> dict[str, object]:
    """Return a session as JSON data; times are ISO 8601 with offset. `tasks` are those the floor knows."""
    seat = None if session.task_id is None else tasks.get(session.task_id)
    contact = session.engagement
    return {
        "session_id": session.id,
        "agent_id": session.agent_id,
        "name": session.name,
        "address": session.address,
        "skills": dict(session.skills),
        "state": session.state.value,
        "reason": session.reason,
        "since": session.since.isoformat(),
        "deadline": _text(session.deadline),
        "then": None if session.then is None else session.then.value,
        "then_reason": session.then_reason,
        "attachment": session.attachment.value,
        "pending_why": session.pending_why,
        "next_task_id": session.next_task,
        "job": None if seat is None else write_task(seat),
        "nail_up": session.nail_up.value,
        "connected": session.connected,
        "contact": None if contact is None else _contact(contact, tasks.get(contact.task_id)),
    }


def write_task(task: FloorTask) -> dict[str, object]:
    """Return the job that an agent has a seat of, as the notification of the seat tells it."""
    return {
        "task_id": task.task_id,
        "job_id": task.job_id,
        "campaign": task.campaign,
        "action": task.action,
        "mode": task.settings.mode.value,
        "licence": task.settings.mode.licence.value,
    }


def _contact(contact: Engagement, task: FloorTask | None) -> dict[str, object]:
    settings = None if task is None else task.settings
    consult = contact.consult
    return {
        "attempt_id": contact.attempt_id,
        "task_id": contact.task_id,
        "mode": contact.mode.value,
        "card": dict(contact.card),
        "customer_up": contact.customer_up,
        "answered_at": _text(contact.answered_at),
        "ended_at": _text(contact.ended_at),
        "consult": None
        if consult is None
        else {"address": consult.address, "joined": consult.joined, "conference": consult.conference},
        "callback_id": contact.callback_id,
        "may_skip": settings is not None and settings.may_skip,
        "auto_dial": settings is not None and settings.auto_dial,
        "wrap_up_extensions": contact.wrap_up_extensions,
        "wrap_up_extensions_allowed": 0 if settings is None else settings.wrap_up_extensions,
        "default_code": None if settings is None else settings.default_code,
    }


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()
