"""Sessions in the database: opened at login, closed at logout, written behind the floor, read at a start.

The floor's edge and the Agent Web API call it. An API session takes an `agent_web_api` licence from login to
logout (licensing.md 6).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agents import charging, sessions_store, store
from outrider.agents import engagement_document as documents
from outrider.agents.charging import LEFT_OVER
from outrider.agents.model import Agent, AgentId, AgentState, Attachment, LegId, NailUp, Session, SessionId
from outrider.db.database import Row, Tx
from outrider.errors import ConflictError, LicenceShortageError, NotAllowedError
from outrider.ids import AttemptId, OrganizationId, PoolId, TaskId, ZoneId
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an agent's state, for the audit."""

    session_id: SessionId
    agent_id: AgentId
    at: dt.datetime
    before: AgentState
    after: AgentState
    reason: str = ""
    task_id: TaskId | None = None
    attempt_id: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A session as the database has it, with the zone that its legs' ports are of."""

    session: Session
    zone_id: ZoneId


def open_session(tx: Tx, agent: Agent, now: dt.datetime, *, api: bool, address: str | None = None) -> Kept:
    """Log an agent in, not ready. `address` is where its phone is today.

    NotAllowedError for an account that is switched off, ConflictError when it is logged in already,
    LicenceShortageError when no `agent_web_api` licence is left.
    """
    if not agent.enabled:
        raise NotAllowedError(f"agent {agent.name} is switched off: ask a supervisor")
    pool_id = sessions_store.pool_of(tx, agent.organization_id, agent.zone_id)
    if pool_id is None:
        raise ConflictError(f"agent {agent.name}: its zone was deleted; give it another one")
    licence_store.lock_pool(tx, pool_id)
    for row in sessions_store.open_sessions(tx, agent_id=agent.id):
        if row["state"] != AgentState.LOGGED_OUT.value:
            raise ConflictError(f"agent {agent.name} is logged in already: log out there first")
        charging.close(tx, row, now, LEFT_OVER)
    if api:
        _take_api_licence(tx, pool_id)
    number = sessions_store.add_session(
        tx,
        {
            "agent_id": agent.id,
            "pool_id": pool_id,
            "api": api,
            "state": AgentState.NOT_READY.value,
            "reason": "logged in",
            "since": now,
            "started_at": now,
            "address": address or agent.address,
        },
    )
    session_id = SessionId(number)
    _note(tx, session_id, agent.id, now, AgentState.LOGGED_OUT, AgentState.NOT_READY, "logged in")
    return kept(tx, session_id)


def close_session(tx: Tx, rules: SharingRules, session_id: SessionId, now: dt.datetime, reason: str) -> bool:
    """Log a session out: its seat and API licence go back. False when it was over already."""
    pool_id = sessions_store.pool_of_session(tx, session_id)
    if pool_id is None:
        return False
    licence_store.lock_pool(tx, pool_id)
    row = sessions_store.lock_session(tx, session_id)
    if row is None:
        return False
    charging.close(tx, row, now, reason)
    before = AgentState(row["state"])
    if before is not AgentState.LOGGED_OUT:
        # The floor, which writes down every change, did not see this one.
        _note(tx, session_id, AgentId(row["agent_id"]), now, before, AgentState.LOGGED_OUT, reason)
    licences.settle_pool(tx, rules, pool_id, now)
    return True


def kept(tx: Tx, session_id: SessionId) -> Kept:
    """Return one open session."""
    rows = sessions_store.open_sessions(tx, session_id=session_id)
    return _kept(rows[0], store.skills_by_agent(tx, [rows[0]["agent_id"]]))


def open_sessions(tx: Tx) -> list[Kept]:
    """Return every session that is open: what the floor begins with after a restart.

    Those that had logged out, but were not closed before the end, are not among them: dealing closes them.
    """
    every = sessions_store.open_sessions(tx)
    rows = [row for row in every if row["state"] != AgentState.LOGGED_OUT.value]
    skills = store.skills_by_agent(tx, [row["agent_id"] for row in rows])
    return [_kept(row, skills) for row in rows]


def save_sessions(tx: Tx, latest: Sequence[Session], transitions: Sequence[Transition]) -> None:
    """Write sessions as the floor has them, and the changes of state that led there.

    Seats are not among it: they move in transactions of their own.
    """
    sessions_store.save(tx, [_row(session) for session in latest])
    sessions_store.add_transitions(tx, [_transition(each) for each in transitions])


def _note(
    tx: Tx,
    session_id: SessionId,
    agent_id: AgentId,
    now: dt.datetime,
    before: AgentState,
    after: AgentState,
    reason: str,
) -> None:
    """Write down a change of state that happens here, not on the floor."""
    change = Transition(session_id, agent_id, now, before, after, reason)
    sessions_store.add_transitions(tx, [_transition(change)])


def _transition(change: Transition) -> dict[str, object]:
    return {
        "session_id": change.session_id,
        "agent_id": change.agent_id,
        "at": change.at,
        "before": change.before.value,
        "after": change.after.value,
        "reason": change.reason[:80],
        "task_id": change.task_id,
        "attempt_id": change.attempt_id,
    }


def _take_api_licence(tx: Tx, pool_id: PoolId) -> None:
    """Refuse a session for which no licence is left; its own row is the charge."""
    licensed = licence_store.pool_counts(tx, pool_id).get(LicenceKind.AGENT_WEB_API, 0)
    used = sessions_store.api_sessions(tx, pool_id)
    if used >= licensed:
        raise LicenceShortageError(
            f"no agent_web_api licence is free: {used} of {licensed} are in use; log an agent out,"
            " or buy more",
            kind=LicenceKind.AGENT_WEB_API.value,
            in_use=used,
            licensed=licensed,
        )


def _row(session: Session) -> Mapping[str, Any]:
    wanted = None
    if session.then is not None:
        wanted = {"then": session.then.value, "reason": session.then_reason}
    return {
        "session": session.id,
        "new_state": session.state.value,
        "new_reason": session.reason[:80],
        "new_since": session.since,
        "new_task": None if session.attachment is Attachment.FREE else session.task_id,
        "new_attachment": session.attachment.value,
        "new_why": session.pending_why[:200],
        "new_next": session.next_task,
        "new_nail_up": session.nail_up.value,
        "new_leg": session.leg,
        "new_engagement": None
        if session.engagement is None
        else documents.write_engagement(session.engagement),
        "new_deadline": session.deadline,
        "new_wanted": wanted,
    }


def _kept(row: Row, skills: Mapping[int, Mapping[str, int]]) -> Kept:
    wanted = row["wanted"] or {}
    engagement = row["engagement"]
    session = Session(
        id=SessionId(row["id"]),
        agent_id=AgentId(row["agent_id"]),
        organization_id=OrganizationId(row["organization_id"]),
        pool_id=PoolId(row["pool_id"]),
        name=row["name"],
        address=row["address"],
        skills=skills.get(row["agent_id"], {}),
        state=AgentState(row["state"]),
        reason=row["reason"],
        since=row["since"],
        attachment=Attachment(row["attachment"]),
        task_id=None if row["task_id"] is None else TaskId(row["task_id"]),
        next_task=None if row["next_task"] is None else TaskId(row["next_task"]),
        pending_why=row["pending_why"],
        then=AgentState(wanted["then"]) if wanted else None,
        then_reason=str(wanted.get("reason", "")),
        nail_up=NailUp(row["nail_up"]),
        leg=None if row["leg"] is None else LegId(AttemptId(row["leg"])),
        engagement=None if engagement is None else documents.read_engagement(engagement),
        deadline=row["deadline"],
    )
    return Kept(session, ZoneId(row["zone_id"]))
