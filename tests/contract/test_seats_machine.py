"""Seats under whatever people, jobs and licences do, in any order: never more than there are, never lost."""

import contextlib
import tempfile
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from outrider.agents import seats
from outrider.agents.model import AgentState
from outrider.db.database import Database
from outrider.errors import ConflictError, LicenceShortageError
from outrider.jobs.model import TRANSITIONS, JobCommand
from outrider.licences.levels import limits_of
from outrider.licences.model import NESTED_KINDS
from support.campaigning import RULES
from support.databases import postgres_url, sqlite_url
from support.seating import Seating

SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
PICK = st.integers(0, 10**6)
PEOPLE = ("ada", "bob", "cyd", "dan", "eva", "fay", "gus")
SKILLS = {"ada": {"dutch": 9}, "bob": {"dutch": 4}, "cyd": {"dutch": 6, "loans": 6}, "dan": {"loans": 2}}
JOBS = {
    "a": ("predictive", {"dutch": 3}),
    "b": ("preview", {}),
    "c": ("predictive", {"loans": 1}),
    "d": ("manual", {}),
}
COUNTS = st.fixed_dictionaries({kind.value: st.integers(0, 3) for kind in NESTED_KINDS})


class SeatsOfAPool(RuleBasedStateMachine):
    """The model is the rows themselves: sums, limits and leases are compared at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.database = Database(self.stack.enter_context(self.url()), connections=2)
        self.licences = {"predictive_agents": 2, "preview_agents": 2, "manual_agents": 1}
        self.api = 6
        self.place = Seating(self.database, **self.licences, agent_web_api=self.api)
        self.taken: dict[str, int] = {}
        """What was in use at the last step: after a cut it may only become less."""

    def url(self) -> AbstractContextManager[str]:
        return sqlite_url(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))

    def teardown(self) -> None:
        self.database.close()
        self.stack.close()

    @initialize(names=st.lists(st.sampled_from(sorted(JOBS)), min_size=1, max_size=3, unique=True))
    def begin(self, names: list[str]) -> None:
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        mode, skills = JOBS[name]
        self.place.job(name, mode, minimum=1, maximum=3, **skills)

    @rule(pick=PICK)
    def start_another(self, pick: int) -> None:
        left = sorted(JOBS.keys() - self.place.jobs.keys())
        # A predictive licence serves every kind: without one a start may be refused.
        if left and self.licences["predictive_agents"]:
            self.start(left[pick % len(left)])

    @rule(pick=PICK, ready=st.booleans(), api=st.booleans())
    def log_in(self, pick: int, ready: bool, api: bool) -> None:  # noqa: FBT001 - drawn
        away = sorted(set(PEOPLE) - self.place.sessions.keys())
        if away:
            name = away[pick % len(away)]
            with contextlib.suppress(LicenceShortageError):
                self.place.log_in(name, api=api, ready=ready, **SKILLS.get(name, {}))

    @rule(pick=PICK)
    @precondition(lambda self: self.place.sessions)
    def log_out(self, pick: int) -> None:
        assert self.place.log_out(self.somebody(pick))

    @rule(pick=PICK, ready=st.booleans())
    @precondition(lambda self: self.place.sessions)
    def rest_or_not(self, pick: int, ready: bool) -> None:  # noqa: FBT001 - drawn
        self.place.is_in(self.somebody(pick), AgentState.READY if ready else AgentState.NOT_READY)

    @rule(pick=PICK)
    @precondition(lambda self: self.place.sessions)
    def begin_work(self, pick: int) -> None:
        name = self.somebody(pick)
        if self.place.row(name)["task_id"] is not None:
            self.place.at_work.add(self.place.sessions[name])

    @rule(pick=PICK)
    @precondition(lambda self: self.place.at_work)
    def end_work(self, pick: int) -> None:
        session = sorted(self.place.at_work)[pick % len(self.place.at_work)]
        self.place.at_work.discard(session)
        name = next(name for name, number in self.place.sessions.items() if number == session)
        if self.place.row(name)["attachment"] == "detaching":
            self.database.write_now(seats.detach, RULES, session, self.place.now, "done")

    @rule(pick=PICK, what=st.sampled_from((JobCommand.PAUSE, JobCommand.RESUME, JobCommand.SNOOZE)))
    def command(self, pick: int, what: JobCommand) -> None:
        name = self.job(pick)
        state = self.place.system.job(self.place.jobs[name]).state
        if (state, what) in TRANSITIONS:
            with contextlib.suppress(LicenceShortageError):
                self.place.command(name, what)

    @rule(pick=PICK)
    def stop(self, pick: int) -> None:
        name = self.job(pick)
        if (self.place.system.job(self.place.jobs[name]).state, JobCommand.STOP) in TRANSITIONS:
            self.place.command(name, JobCommand.STOP)

    @rule(pick=PICK, minimum=st.integers(0, 2), more=st.integers(0, 3), priority=st.integers(1, 10))
    def limit(self, pick: int, minimum: int, more: int, priority: int) -> None:
        with contextlib.suppress(ConflictError):
            self.place.limit(self.job(pick), minimum=minimum, maximum=minimum + more, priority=priority)

    @rule(counts=COUNTS, api=st.integers(2, 7))
    def supply(self, counts: dict[str, int], api: int) -> None:
        self.licences, self.api = counts, api
        self.place.license(**counts, agent_web_api=api)

    @rule(pick=PICK, other=PICK)
    @precondition(lambda self: self.place.sessions)
    def move(self, pick: int, other: int) -> None:
        name, job = self.somebody(pick), self.job(other)
        before = (self.place.rows(), self.tasks())
        seated = self.place.row(name)["task_id"] is not None
        act = seats.move if seated else seats.attach
        try:
            self.database.write_now(
                act, RULES, self.place.sessions[name], self.place.tasks[job], self.place.now
            )
        except ConflictError:
            assert (self.place.rows(), self.tasks()) == before
        else:
            assert self.place.where()[name] == job

    @rule()
    def deal(self) -> None:
        self.place.deal()

    @rule()
    def come_to_rest(self) -> None:
        """With nobody at work, dealing soon changes nothing more, and nobody waits for others' seats."""
        self.place.at_work.clear()
        for _ in range(3):
            self.place.deal()
        history = len(self.place.recalculations())
        done = self.place.deal()
        assert done.changes == ()
        assert not [reason for reason in done.refused.values() if reason.startswith("no seat yet")]
        assert len(self.place.recalculations()) == history
        for task in self.tasks().values():
            if task["standing"] == "admitted":
                assert task["in_use"] <= task["quota"]

    @invariant()
    def seats_are_sessions(self) -> None:
        rows = self.place.rows()
        seated = Counter(row["task_id"] for row in rows if row["task_id"] is not None)
        assert {row["attachment"] for row in rows if row["task_id"] is None} <= {"free"}
        assert "free" not in {row["attachment"] for row in rows if row["task_id"] is not None}
        for task in self.tasks().values():
            assert task["in_use"] == seated.pop(task["id"], 0)
        assert not seated
        assert self.place.drifts() == []

    @invariant()
    def nothing_passes_its_limit(self) -> None:
        tasks = self.tasks().values()
        charged = [
            sum(max(task["granted"], task["in_use"]) for task in tasks if task["kind"] == kind)
            for kind in NESTED_KINDS
        ]
        limits = limits_of([self.licences[kind.value] for kind in NESTED_KINDS], None)
        for at, (used, limit) in enumerate(zip(limits_of(charged, None), limits, strict=True)):
            self.at_most(f"seats {at}", used, limit)
        for task in tasks:
            self.at_most(f"task {task['id']}", task["in_use"], task["maximum"])
        self.at_most("api", sum(row["api"] for row in self.place.rows()), self.api)

    def at_most(self, what: str, used: int, limit: int) -> None:
        assert used <= max(limit, self.taken.get(what, 0)), (what, used, limit)
        self.taken[what] = used

    def tasks(self) -> dict[str, dict[str, Any]]:
        return {name: dict(self.place.task(name)) for name in sorted(self.place.tasks)}

    def somebody(self, pick: int) -> str:
        return sorted(self.place.sessions)[pick % len(self.place.sessions)]

    def job(self, pick: int) -> str:
        return sorted(self.place.jobs)[pick % len(self.place.jobs)]


class SeatsOfAPoolOnPostgres(SeatsOfAPool):
    """The same over PostgreSQL."""

    def url(self) -> AbstractContextManager[str]:
        return postgres_url()


TestSeatsOnSqlite = SeatsOfAPool.TestCase
TestSeatsOnSqlite.settings = SETTINGS
TestSeatsOnPostgres = SeatsOfAPoolOnPostgres.TestCase
TestSeatsOnPostgres.settings = settings(SETTINGS, max_examples=5)
