"""A contact in hand as JSON, and back: what a session's row keeps of it through a restart. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from outrider.agents.model import Consult, Engagement, LegId
from outrider.campaigns.strategy_agents import AgentMode
from outrider.ids import AttemptId, TaskId


def write_engagement(engagement: Engagement) -> dict[str, Any]:
    """Return a contact in hand as JSON data; times are ISO 8601 with offset."""
    consult = engagement.consult
    return {
        "attempt_id": engagement.attempt_id,
        "task_id": engagement.task_id,
        "mode": engagement.mode.value,
        "card": dict(engagement.card),
        "customer_up": engagement.customer_up,
        "answered_at": _text(engagement.answered_at),
        "ended_at": _text(engagement.ended_at),
        "consult": None
        if consult is None
        else {
            "leg": consult.leg,
            "address": consult.address,
            "joined": consult.joined,
            "conference": consult.conference,
        },
        "callback_id": engagement.callback_id,
        "wrap_up_extensions": engagement.wrap_up_extensions,
    }


def read_engagement(data: Mapping[str, Any]) -> Engagement:
    """Return the contact in hand that `write_engagement` wrote."""
    consult = data["consult"]
    return Engagement(
        attempt_id=AttemptId(data["attempt_id"]),
        task_id=TaskId(data["task_id"]),
        mode=AgentMode(data["mode"]),
        card=data["card"],
        customer_up=data["customer_up"],
        answered_at=_time(data["answered_at"]),
        ended_at=_time(data["ended_at"]),
        consult=None
        if consult is None
        else Consult(
            LegId(AttemptId(consult["leg"])), consult["address"], consult["joined"], consult["conference"]
        ),
        callback_id=data["callback_id"],
        wrap_up_extensions=data["wrap_up_extensions"],
    )


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
