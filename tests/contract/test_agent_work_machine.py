"""Agents' work under anything that may happen, in any order and repeated: the sums stay true at every step.

Lines, cards, contacts and numbers are claimed; cards are accepted, skipped and taken back; calls end and are
wrapped up, or not; legs come and go; the process dies and the next one takes over.
"""

import datetime as dt
import tempfile
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from outrider.agents import legs
from outrider.agents.commands import Callback
from outrider.agents.leg import Leg, LegPurpose
from outrider.agents.model import LegId
from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import plans, wrap_ups
from outrider.dialing.attempt import Claim, Refusal
from outrider.dialing.recording import Recorded
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.ids import new_attempt_ids
from support import media
from support.agent_campaigns import AgentWork
from support.campaigning import NOON, RULES
from support.databases import postgres_url, sqlite_url

SETTINGS = settings(
    max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
PICK = st.integers(0, 10**6)
ENDS = st.sampled_from(
    (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.MACHINE, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED)
)
CODES = st.sampled_from((None, "sold", "later", "again", "never", "unheard of"))
NUMBERS = ("+493012345601", "+493012345602", "+493012345603")
RETRIES = "".join(f"[actions.retry.{name}]\ncount = 2\ndelays = [60]\n" for name in ("busy", "abandoned"))
TEXT = 'default_code = "sold"\n[[actions]]\nname = "text"\nchannel = "sms"\ntext = "Hello."'
PORTS = 8
T = TypeVar("T")


class AgentsAtWork(RuleBasedStateMachine):
    """The model: claims in hand, by whether they may have been dialed, and legs that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.database = Database(self.stack.enter_context(self.url()), connections=2)
        self.work = AgentWork(self.database, telephony_ports=PORTS)
        self.cards: list[Claim] = []
        self.calls: list[Claim] = []
        self.over: list[Claim] = []
        self.said: list[Recorded] = []
        self.legs: list[LegId] = []
        self.server: int | None = None

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return sqlite_url(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))

    def teardown(self) -> None:
        """Let everything end: then no port and no unit is in use, and the sums are true still."""
        try:
            self.die()
            self.database.write_now(legs.release, self.legs)
            assert self.work.drifts() == []
            assert self.ports_in_use() == 0
            assert all(row["ended_at"] is not None for row in self.work.attempts())
        finally:
            self.database.close()
            self.stack.close()

    def register_server(self) -> None:
        """Run over a media server, or not."""

    @initialize()
    def begin(self) -> None:
        self.register_server()
        for name, effect in (("sold", "done"), ("again", "retry"), ("never", "do_not_contact")):
            self.work.code(name, effect, 30.0)
        self.work.code("later", "callback")
        self.job = self.work.start(9, extra=RETRIES, agents=TEXT)

    @rule(wanted=st.integers(1, 9), mine=st.booleans())
    def lines(self, wanted: int, mine: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        session = self.work.session if mine else None
        batch = self.work.take(self.job, wanted, server_id=self.server, session_id=session)
        assert len(batch.claims) == wanted or batch.bound or batch.again_at
        self.calls += batch.claims

    @rule()
    def card(self) -> None:
        batch = self.work.take(self.job, 1, server_id=self.server, session_id=self.work.session, preview=True)
        self.cards += batch.claims

    @rule(pick=PICK, promised=st.booleans(), preview=st.booleans())
    def contact(self, pick: int, promised: bool, preview: bool) -> None:  # noqa: FBT001 - as above
        before = self.work.targets()
        tried = [row for row in before if row["state"] != "claimed" and row["attempts"]]
        chosen = self.chosen(tried if tried and pick % 4 else before, pick)["contact_id"]
        found = self.work.contact(self.job, chosen, promised=promised, preview=preview, server_id=self.server)
        if isinstance(found, Refusal):
            assert self.work.targets() == before
        elif preview:
            self.cards.append(found)
        else:
            self.calls.append(found)

    @rule(number=st.sampled_from(NUMBERS))
    def number(self, number: str) -> None:
        before = self.work.targets()
        found = self.work.number(self.job, number, server_id=self.server)
        if isinstance(found, Refusal):
            assert self.work.targets() == before
        else:
            self.calls.append(found)

    @precondition(lambda self: self.cards or self.over)
    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        claim = self.chosen(self.cards + self.over, pick)
        if self.work.start_card(claim):
            assert claim in self.cards
            self.cards.remove(claim)
            self.calls.append(claim)
        else:
            assert claim not in self.cards

    @precondition(lambda self: self.cards or self.calls or self.over)
    @rule(pick=PICK, skipped=st.booleans())
    def give_back(self, pick: int, skipped: bool) -> None:  # noqa: FBT001 - as above
        claim = self.chosen(self.cards + self.calls + self.over, pick)
        given = self.work.give_back(claim, skipped=skipped)
        assert given == (claim in self.cards)
        if given:
            self.cards.remove(claim)
            self.over.append(claim)

    @precondition(lambda self: self.calls)
    @rule(pick=PICK, outcome=ENDS, talked=st.booleans(), code=CODES, first=st.booleans())
    def end(self, pick: int, outcome: Outcome, talked: bool, code: str | None, first: bool) -> None:  # noqa: FBT001 - as above
        """End a call; a code may come with it, before or after the result."""
        claim = self.chosen(self.calls, pick)
        talked = talked and outcome is Outcome.ANSWERED
        result = self.work.result(claim, outcome, talked=talked)
        batch: list[Recorded] = [result]
        if talked and code is not None:
            batch.insert(0 if first else 1, self.say(claim, code))
        self.said += batch
        self.work.record(*batch)
        self.calls.remove(claim)
        self.over.append(claim)

    @precondition(lambda self: self.over)
    @rule(pick=PICK, code=CODES)
    def wrap_up(self, pick: int, code: str | None) -> None:
        """Say something of a call that is over, talked on or not, said before or not."""
        done = self.say(self.chosen(self.over, pick), code)
        self.said.append(done)
        self.work.record(done)

    @precondition(lambda self: self.said)
    @rule(pick=PICK, length=st.integers(1, 5))
    def repeat(self, pick: int, length: int) -> None:
        """Record once more what was recorded: nothing changes by it."""
        start = pick % len(self.said)
        before = (self.work.targets(), self.work.attempts(), self.ports_in_use())
        self.work.record(*self.said[start : start + length])
        assert (self.work.targets(), self.work.attempts(), self.ports_in_use()) == before

    @rule(purpose=st.sampled_from(LegPurpose))
    def leg(self, purpose: LegPurpose) -> None:
        taken = self.database.write_now(
            legs.take,
            new_attempt_ids(NOON, 1)[0],
            self.work.session,
            purpose,
            self.work.plan(self.job).zone_id,
            "worker",
            self.work.now,
            only_server=self.server,
        )
        if isinstance(taken, Leg):
            self.legs.append(taken.id)

    @precondition(lambda self: self.legs)
    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        self.database.write_now(legs.release, [self.chosen(self.legs, pick)])

    @rule(seconds=st.sampled_from((1, 40, 300, 80 * 3600)))
    def wait(self, seconds: int) -> None:
        self.work.wait(seconds=seconds)

    @rule()
    def time_out(self) -> None:
        self.database.write_now(wrap_ups.time_out, RULES, self.work.plan(self.job), self.work.now)

    @rule()
    def die(self) -> None:
        """Let the next process close what the dead one left, as its driver does."""
        for claim in self.database.read_now(plans.orphans, ["worker"]):
            if claim.preview:
                result = self.work.result(claim, Outcome.SKIPPED, untried=True)
            else:
                result = self.work.result(claim, Outcome.INTERRUPTED)
            self.said.append(result)
            self.work.record(result)
        self.database.write_now(
            legs.release, [each.id for each in self.database.read_now(legs.of_owners, ["worker"])]
        )
        self.over += self.cards + self.calls
        self.cards, self.calls = [], []

    @invariant()
    def sums_are_true(self) -> None:
        assert self.work.drifts() == []

    @invariant()
    def nobody_is_called_twice_at_once(self) -> None:
        opened = [row["target_id"] for row in self.work.attempts() if row["ended_at"] is None]
        assert not [target for target, count in Counter(opened).items() if count > 1]
        assert len(opened) == len(self.cards) + len(self.calls)

    @invariant()
    def ports_are_never_more_than_there_are(self) -> None:
        assert self.ports_in_use() <= PORTS

    def say(self, claim: Claim, code: str | None) -> WrapUpDone:
        """Return a wrap-up, with a promise where the code is one."""
        at = self.work.now + dt.timedelta(minutes=10)
        promise = Callback(at, expires_at=at) if code == "later" else None
        return self.work.wrap_up(claim, code, callback=promise)

    def ports_in_use(self) -> int:
        """Return calls and legs that are open now."""

        def count(tx: Tx) -> int:
            legs_open = select(func.count()).select_from(schema.agent_legs)
            calls = select(func.count()).where(schema.attempts.c.ended_at.is_(None))
            return tx.execute(legs_open).scalar_one() + tx.execute(calls).scalar_one()

        return self.database.read_now(count)

    @staticmethod
    def chosen(things: list[T], pick: int) -> T:
        """Return one of these."""
        return things[pick % len(things)]


class OverServers(AgentsAtWork):
    """The same over a media server, whose ports are charged."""

    def register_server(self) -> None:
        """Have two servers, one of which all agents are on."""
        self.database.write_now(media.add_worker, media.WORKER, NOON)
        media.connected(self.database, NOON, "other", maximum_ports=1)
        self.server = media.connected(self.database, NOON, "one", maximum_ports=PORTS)

    def ports_in_use(self) -> int:
        """Return the ports that are charged."""
        return sum(used for _, _, used in media.shares(self.database).values())


class OverPostgres(OverServers):
    """The same over the other database."""

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return postgres_url()


AgentsAtWork.TestCase.settings = SETTINGS
OverServers.TestCase.settings = SETTINGS
OverPostgres.TestCase.settings = settings(SETTINGS, max_examples=4)
TestOverSimulatedCarrier = AgentsAtWork.TestCase
TestOverServers = OverServers.TestCase
TestOverPostgres = OverPostgres.TestCase
