"""All sessions of a floor, with indexes that make choosing an agent quick, and the actions collected. Pure.

`floor.py` owns one; `answering`, `lines`, `attaching`, `after_contact` and `desk_commands` change sessions
only through it. Not safe for threads: one owner calls it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from outrider.agents.actions import Action, Changed, Notify
from outrider.agents.model import AgentState, LegId, Session, SessionId
from outrider.agents.notifications import Notification, StateChanged
from outrider.campaigns.strategy_agents import AgentSettings
from outrider.ids import AttemptId, JobId, TaskId

Cell = tuple[TaskId, str]
"""A task on one media server: only calls on one server can be joined. "" is the simulated carrier."""


@dataclass(frozen=True, slots=True)
class FloorTask:
    """What the floor knows of a task for as long as its job lives."""

    task_id: TaskId
    job_id: JobId
    campaign_id: int
    campaign: str
    action: str
    settings: AgentSettings


@dataclass(frozen=True, slots=True)
class Offer:
    """An answered call that waits for an agent, until `until`; `session_id` is the one it was made for."""

    call_id: AttemptId
    task_id: TaskId
    server: str
    since: dt.datetime
    until: dt.datetime
    card: dict[str, object]
    session_id: SessionId | None = None


class Roster:
    """Sessions by id, by leg and by call in hand; who is free, longest idle first; what is to be done."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, FloorTask] = {}
        self.offers: dict[AttemptId, Offer] = {}
        """Calls that wait for an agent, longest first."""
        self.handed_over: dict[AttemptId, LegId] = {}
        """Customers who talk to a person they were transferred to: either end ends the other."""
        self._sessions: dict[SessionId, Session] = {}
        self._by_task: dict[TaskId, dict[SessionId, None]] = {}
        self._by_leg: dict[LegId, SessionId] = {}
        self._by_call: dict[AttemptId, SessionId] = {}
        self._free: dict[Cell, dict[SessionId, None]] = {}
        self._deadlines: dict[SessionId, dt.datetime] = {}
        self._out: list[Action] = []

    def take_actions(self) -> tuple[Action, ...]:
        """Return what is to be done since the last time, in order."""
        out = tuple(self._out)
        self._out.clear()
        return out

    def do(self, *actions: Action) -> None:
        """Let these be done."""
        self._out.extend(actions)

    def tell(self, session: Session, notification: Notification) -> None:
        """Tell a session's desktop."""
        self._out.append(Notify(session.id, notification))

    def find(self, session_id: SessionId) -> Session | None:
        """Return a session, None when it is over."""
        return self._sessions.get(session_id)

    def at_leg(self, leg: LegId) -> Session | None:
        """Return the session whose phone, or consulted person, that leg is."""
        found = self._by_leg.get(leg)
        return None if found is None else self._sessions[found]

    def in_call(self, call_id: AttemptId) -> Session | None:
        """Return the session that has this attempt's contact in hand."""
        found = self._by_call.get(call_id)
        return None if found is None else self._sessions[found]

    def of_task(self, task_id: TaskId) -> Iterator[Session]:
        """Return the sessions whose seat is that task's."""
        return (self._sessions[each] for each in self._by_task.get(task_id, ()))

    def all(self) -> Iterable[Session]:
        """Return all sessions, oldest first."""
        return self._sessions.values()

    def free(self, cell: Cell) -> int:
        """Return how many agents of a cell could take a call now."""
        return len(self._free.get(cell, ()))

    def first_free(self, cell: Cell) -> Session | None:
        """Return the agent of a cell that has been free for longest."""
        waiting = self._free.get(cell)
        return self._sessions[next(iter(waiting))] if waiting else None

    def change(self, session: Session, now: dt.datetime, **values: Any) -> Session:
        """Replace a session by one with other values; a change of its state is timed and told."""
        state = values.get("state", session.state)
        if state is not session.state:
            values["since"] = now
        after = replace(session, **values)
        if state is not session.state:
            self._out.append(
                Notify(
                    session.id,
                    StateChanged(
                        before=session.state.value,
                        after=after.state.value,
                        reason=after.reason,
                        deadline=after.deadline,
                    ),
                )
            )
        self.put(after, session)
        return after

    def put(self, after: Session, before: Session | None = None) -> None:
        """Keep a session as it is now, in all indexes."""
        if before is not None:
            self._unindex(before, after)
        self._sessions[after.id] = after
        if after.task_id is not None:
            self._by_task.setdefault(after.task_id, {})[after.id] = None
        if after.leg is not None:
            self._by_leg[after.leg] = after.id
        engagement = after.engagement
        if engagement is not None:
            self._by_call[engagement.attempt_id] = after.id
            if engagement.consult is not None:
                self._by_leg[engagement.consult.leg] = after.id
        if after.is_free and after.task_id is not None:
            self._free.setdefault((after.task_id, after.server), {})[after.id] = None
        if after.deadline is not None:
            self._deadlines[after.id] = after.deadline
        self._out.append(Changed(before, after))

    def remove(self, session: Session, now: dt.datetime) -> Session:
        """Forget a session that is over; return it as it was last, logged out."""
        over = self.change(
            session,
            now,
            state=AgentState.LOGGED_OUT,
            engagement=None,
            leg=None,
            deadline=None,
            task_id=None,
            next_task=None,
        )
        del self._sessions[session.id]
        return over

    def due(self, now: dt.datetime) -> list[Session]:
        """Return the sessions whose deadline has come, oldest deadline first."""
        found = [(at, number) for number, at in self._deadlines.items() if at <= now]
        return [self._sessions[number] for _, number in sorted(found)]

    def next_deadline(self) -> dt.datetime | None:
        """Return when the next deadline of a session or an offer comes."""
        ends = [*self._deadlines.values(), *(offer.until for offer in self.offers.values())]
        return min(ends, default=None)

    def _unindex(self, before: Session, after: Session) -> None:
        if before.task_id is not None and before.task_id != after.task_id:
            self._by_task.get(before.task_id, {}).pop(before.id, None)
        if before.leg is not None and before.leg != after.leg:
            self._by_leg.pop(before.leg, None)
        engagement = before.engagement
        if engagement is not None and engagement is not after.engagement:
            self._by_call.pop(engagement.attempt_id, None)
            if engagement.consult is not None:
                self._by_leg.pop(engagement.consult.leg, None)
        if before.is_free and before.task_id is not None:
            stays = after.is_free and (after.task_id, after.server) == (before.task_id, before.server)
            if not stays:
                self._free.get((before.task_id, before.server), {}).pop(before.id, None)
        if before.deadline is not None and before.deadline != after.deadline:
            self._deadlines.pop(before.id, None)
