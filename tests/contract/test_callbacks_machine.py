"""Promises under anything that may happen, in any order: each is always in one place, and none is lost.

Callbacks are made by hand and in wrap-ups; agents come and go, look at cards, accept, skip and lose them;
calls end somehow; numbers are blocked and contacts deleted; jobs pause, stop and follow each other;
processes die.
"""

import datetime as dt
import tempfile
from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import delete

from outrider.agents.commands import Callback as Promise
from outrider.callbacks import service
from outrider.callbacks.model import Callback, CallbackPlan, FreeAgent
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.db import schema
from outrider.db.database import Database
from outrider.dialing import plans
from outrider.dialing.attempt import Claim
from outrider.dialing.promises import NOT_REACHED
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.errors import ConflictError, IllegalTransitionError, InvalidInputError
from outrider.jobs import service as jobs
from outrider.jobs.model import ENDED, JobCommand, JobState
from outrider.people.model import SYSTEM
from support.campaigning import RULES
from support.databases import postgres_url, sqlite_url
from support.promising import HOUR, Promising, other_agent

SETTINGS = settings(
    max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
PICK = st.integers(0, 10**6)
ENDS = st.sampled_from(
    (
        Outcome.ANSWERED,
        Outcome.ABANDONED,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.CONGESTION,
        Outcome.INTERRUPTED,
    )
)
RETRIES = "".join(f"[actions.retry.{name}]\ncount = 2\ndelays = [60]\n" for name in ("busy", "skipped"))
CONTACTS = 4
DAYS_OF_WORK = 60
S = CallbackState


class Promises(RuleBasedStateMachine):
    """The model: what each agent who is logged in has in hand, lines that are up, and what was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.database = Database(self.stack.enter_context(self.url()), connections=2)
        self.cards: dict[int, Claim] = {}
        self.calls: dict[int, Claim] = {}
        self.lines: list[Claim] = []
        self.closed: dict[int, Callback] = {}
        self.known: set[int] = set()

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return sqlite_url(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))

    def teardown(self) -> None:
        """Let agents work on: in the end every promise is kept, or closed with a reason."""
        try:
            self.work_on()
            every = self.work.all()
            assert not [each for each in every if each.is_open]
            assert {each.id for each in every} >= self.known
            assert self.work.drifts() == []
        finally:
            self.database.close()
            self.stack.close()

    @initialize()
    def begin(self) -> None:
        self.work = Promising(self.database, CONTACTS, extra=RETRIES)
        self.contacts = [self.work.contact_id(number) for number in range(CONTACTS)]
        self.agents = [self.work.mine(), other_agent(self.work)]
        self.present = set(self.agents)
        # So that there is something to give from the first step on.
        for contact, kind in enumerate(CallbackKind):
            self.promise(contact, 0.1, kind, contact % 2, 0.0)
        self.wait(0.2)

    @rule(
        contact=st.integers(0, CONTACTS - 1),
        hours=st.sampled_from((0.1, 1.0, 5.0)),
        kind=st.sampled_from(CallbackKind),
        agent=st.integers(0, 1),
        life=st.sampled_from((0.0, 1.0, 24.0)),
    )
    def promise(self, contact: int, hours: float, kind: CallbackKind, agent: int, life: float) -> None:
        at = self.work.now + hours * HOUR
        whose = None if kind is CallbackKind.CAMPAIGN else self.agents[agent].agent_id
        plan = CallbackPlan(at, kind, whose, expires_at=at + (24 + life) * HOUR, shift=True)
        before = self.work.all()
        try:
            self.database.write_now(
                service.create, self.work.now, SYSTEM, self.work.campaign, self.contacts[contact], plan
            )
        except (ConflictError, InvalidInputError):
            assert self.work.all() == before

    @precondition(lambda self: self.work.all())
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        one = self.work.all()[pick % len(self.work.all())]
        if one.is_open and one.state is not S.QUEUED:
            self.database.write_now(service.cancel, self.work.now, SYSTEM, one.id, "not wanted")
        else:
            with suppress(ConflictError):
                self.database.write_now(service.cancel, self.work.now, SYSTEM, one.id, "not wanted")
                raise AssertionError(one)

    @rule(hours=st.sampled_from((0.01, 0.1, 1.0, 6.0, 30.0)))
    def wait(self, hours: float) -> None:
        self.work.now += hours * HOUR

    @rule(agent=st.integers(0, 1))
    def come_or_go(self, agent: int) -> None:
        """Log an agent in, or out: its card is taken back then, its call ends."""
        one = self.agents[agent]
        if one not in self.present:
            self.present.add(one)
            return
        self.present.remove(one)
        if one.session_id in self.cards:
            assert self.work.give_back(self.cards.pop(one.session_id), skipped=False)
        if one.session_id in self.calls:
            self.work.end(self.calls.pop(one.session_id), Outcome.INTERRUPTED)

    @rule(hours=st.sampled_from((0.0, 0.01, 0.1, 1.0)))
    def give(self, hours: float) -> None:
        """Let a little time pass, and give what is due."""
        self.wait(hours)
        given = self.work.give(*self.free())
        for each in given:
            assert each.session_id not in self.cards
            self.cards[each.session_id] = each.claim
        if self.work.system.job(self.work.job).state is not JobState.RUNNING:
            assert given == []

    @precondition(lambda self: self.cards)
    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        session, claim = self.taken(self.cards, pick)
        assert self.work.start_card(claim)
        self.calls[session] = claim

    @precondition(lambda self: self.cards)
    @rule(pick=PICK, skipped=st.booleans())
    def refuse(self, pick: int, skipped: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        _, claim = self.taken(self.cards, pick)
        assert self.work.give_back(claim, skipped=skipped)

    @precondition(lambda self: self.calls)
    @rule(pick=PICK, outcome=ENDS, again=st.sampled_from((None, *CallbackKind)), first=st.booleans())
    def end(self, pick: int, outcome: Outcome, again: CallbackKind | None, first: bool) -> None:  # noqa: FBT001 - as above
        """End an agent's call; who was reached may be promised another one."""
        session, claim = self.taken(self.calls, pick)
        talked = outcome is Outcome.ANSWERED
        agent = next(each for each in self.agents if each.session_id == session)
        result = self.work.result(claim, outcome, talked=talked)
        promise = None if again is None else Promise(self.work.now + HOUR, again)
        said = WrapUpDone(claim.attempt_id, "said", "", agent.agent_id, self.work.now, promise)
        if not talked:
            self.work.record(result)
        elif first:
            self.work.record(said, result)
        else:
            self.work.record(result, said)

    @rule(wanted=st.integers(1, 3))
    def dial_ahead(self, wanted: int) -> None:
        """Claim ordinary contacts: never one that a promise holds."""
        held = {each.contact_id for each in self.work.all() if self.holds(each)}
        claims = self.work.take(self.work.job, wanted).claims
        assert not held.intersection(each.contact.id for each in claims)
        self.lines += claims

    @precondition(lambda self: self.lines)
    @rule(pick=PICK, outcome=ENDS)
    def end_line(self, pick: int, outcome: Outcome) -> None:
        self.work.end(self.lines.pop(pick % len(self.lines)), outcome)

    @rule()
    def die(self) -> None:
        """Let the next process close what the dead one left, as its driver does."""
        for claim in self.database.read_now(plans.orphans, ["worker"]):
            untried = claim.preview
            outcome = Outcome.SKIPPED if untried else Outcome.INTERRUPTED
            self.work.record(self.work.result(claim, outcome, untried=untried))
        self.cards, self.calls, self.lines = {}, {}, []

    @precondition(lambda self: len(self.work.all()) > 1)
    @rule(pick=PICK)
    def block(self, pick: int) -> None:
        every = self.work.all()
        self.work.block(every[pick % len(every)].address)

    @rule(contact=st.integers(2, CONTACTS - 1))
    def forget(self, contact: int) -> None:
        """Delete a contact."""
        gone = delete(schema.contacts).where(schema.contacts.c.id == self.contacts[contact])
        self.database.write_now(lambda tx: tx.execute(gone))

    @rule(command=st.sampled_from((JobCommand.PAUSE, JobCommand.RESUME, JobCommand.STOP)))
    def command(self, command: JobCommand) -> None:
        with suppress(IllegalTransitionError, ConflictError):
            self.database.write_now(jobs.command, RULES, self.work.job, None, command, self.work.now, "test")

    @rule()
    def next_job(self) -> None:
        """Start the campaign anew when its job is over."""
        if self.work.system.job(self.work.job).state in ENDED:
            self.work.job = self.work.system.start(self.work.campaign, self.work.now)
            self.work.load(self.work.job)
            # It is known as it was while the job ran, as workers know it.
            self.work.plan(self.work.job)

    @invariant()
    def each_is_in_one_place(self) -> None:
        in_hand = {each.attempt_id for each in (*self.cards.values(), *self.calls.values(), *self.lines)}
        opened = {row["id"]: row for row in self.work.attempts() if row["ended_at"] is None}
        assert opened.keys() == in_hand
        every = self.work.all()
        self.known |= {each.id for each in every}
        assert {each.id for each in every} == self.known
        for each in every:
            self.is_in_one_place(each, opened.keys())
        given = [each.given_attempt for each in every if each.state is S.QUEUED]
        promised = {each.attempt_id for each in self.cards.values()}
        assert promised <= set(given)
        assert len(given) == len(set(given))

    def is_in_one_place(self, each: Callback, opened: Collection[str]) -> None:
        """Check that a callback is open, in hand, kept, expired, or cancelled, and nothing else."""
        if each.id in self.closed:
            assert each == self.closed[each.id]
        elif not each.is_open:
            self.closed[each.id] = each
        match each.state:
            case S.WAITING:
                assert (each.is_open, each.given_attempt) == (True, None)
            case S.QUEUED:
                assert each.is_open
                assert each.given_attempt in opened
            case S.EXPIRED:
                assert (each.kind, each.agent_id) == (CallbackKind.CAMPAIGN, None) or not each.is_open
                assert each.expires_at <= self.work.now
                assert each.is_open or each.closed_why
            case S.DONE | S.CANCELLED:
                assert not each.is_open
                assert each.closed_why not in ("", *NOT_REACHED)

    @invariant()
    def sums_are_true(self) -> None:
        assert self.work.drifts() == []

    def work_on(self) -> None:
        """Let both agents accept whatever they get, for as long as it takes."""
        self.die()
        self.present = set(self.agents)
        self.command(JobCommand.RESUME)
        for _ in range(DAYS_OF_WORK):
            self.next_job()
            self.give(0.0)
            while self.cards:
                self.accept(0)
            while self.calls:
                self.end(0, Outcome.ANSWERED, None, False)
            self.each_is_in_one_place()
            if not [each for each in self.work.all() if each.is_open]:
                return
            self.work.now += dt.timedelta(hours=6)

    def free(self) -> list[FreeAgent]:
        """Return who has nothing in hand."""
        busy = {*self.cards, *self.calls}
        return [each for each in self.agents if each in self.present and each.session_id not in busy]

    def holds(self, each: Callback) -> bool:
        """Return whether a callback keeps its contact from being called by chance."""
        return each.state in (S.WAITING, S.QUEUED) and each.is_open and each.expires_at > self.work.now

    @staticmethod
    def taken(things: dict[int, Claim], pick: int) -> tuple[int, Claim]:
        """Take one of these out, with its session."""
        session = sorted(things)[pick % len(things)]
        return session, things.pop(session)


class OverPostgres(Promises):
    """The same over the other database."""

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return postgres_url()


Promises.TestCase.settings = SETTINGS
OverPostgres.TestCase.settings = settings(SETTINGS, max_examples=4)
TestOverSqlite = Promises.TestCase
TestOverPostgres = OverPostgres.TestCase
