"""Calls on media servers over each database: placed with their claims, counted, given back, taken over."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from outrider.campaigns.outcome import Outcome
from outrider.channels.base import EventSink
from outrider.channels.model import (
    AnsweredBy,
    CallEnded,
    CallEvent,
    EndCause,
    Living,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
)
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import claims, plans, results
from outrider.dialing.attempt import Batch, Result, TaskPlan
from outrider.errors import ChannelError
from outrider.events import WorkerRecovered
from outrider.ids import AttemptId, JobId
from outrider.jobs.loading import load_targets
from outrider.media.model import SeenAs
from outrider.runtime import store
from support import media
from support.campaigning import NOON, RULES, Campaigning, campaigning
from support.outreach import Outreach, attempts, finals, outreach, run

LATER = NOON + dt.timedelta(seconds=1)


class FakeVoice:
    """Media servers at the outermost edge: calls that a test lets live, servers that it lets be silent."""

    def __init__(self) -> None:
        self.calls: dict[AttemptId, LivingCall] = {}
        self.silent: frozenset[str] = frozenset()
        self.made: list[OutboundCall] = []
        self.asked = 0
        self._sink: EventSink | None = None

    def tell(self, event: CallEvent) -> None:
        """Tell what happens to a call."""
        assert self._sink is not None
        self._sink(event)

    async def open(self, sink: EventSink) -> None:
        self._sink = sink

    async def close(self) -> None:
        self._sink = None

    async def originate(self, call: OutboundCall) -> None:
        self.made.append(call)
        self.calls[call.call_id] = LivingCall(call.call_id, answered=False, server=call.server)

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        if call_id not in self.calls:
            raise ChannelError(f"call {call_id} is not up, {prompt} cannot be played")

    async def stop_playing(self, call_id: AttemptId) -> None:
        """Nothing plays here by itself."""

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Nobody speaks here."""

    async def stop_listening(self, call_id: AttemptId) -> None:
        """Nobody speaks here."""

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Nobody talks here."""

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Nobody talks here."""

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Nobody hears keys here."""

    async def hang_up(self, call_id: AttemptId) -> None:
        if self.calls.pop(call_id, None) is not None:
            self.tell(CallEnded(call_id, LATER, EndCause.NORMAL))

    async def living(self) -> Living:
        self.asked += 1
        calls = tuple(call for call in self.calls.values() if call.server not in self.silent)
        return Living(calls, self.silent)


def registered(database: Database, worker: str, **ports: int) -> dict[str, int]:
    """Register media servers that a worker is connected to; return their ids."""
    found: dict[str, int] = {}
    for name, maximum in ports.items():
        found[name] = media.add(database, NOON, name, maximum_ports=maximum)
        media.tell(database, NOON, found[name], SeenAs.CONNECTED, worker)
    return found


def on_ports(database: Database) -> dict[str, int]:
    """Return the ports in use by server."""
    return {name: in_use for name, (_, _, in_use) in media.shares(database).items()}


@pytest.fixture
def system(database: Database) -> Campaigning:
    """Give a system with a registered worker over each database in turn."""
    made = campaigning(database)
    made.license(outbound_ports=30)
    database.write_now(media.add_worker, media.WORKER, NOON)
    return made


def _claim(system: Campaigning, plan: TaskPlan, wanted: int) -> Batch:
    return system.database.write_now(claims.take_batch, RULES, plan, wanted, "nobody", LATER)


def _plan(system: Campaigning, contacts: int) -> tuple[JobId, TaskPlan]:
    job_id = system.start(system.campaign("a", [system.contact_list("a", contacts)], maximum=30))
    system.database.write_now(load_targets, RULES, job_id, NOON)
    _, (plan,) = system.database.read_now(plans.admitted_plans, frozenset())
    return job_id, plan


def test_claims_have_a_place_and_results_give_it_back(system: Campaigning) -> None:
    database = system.database
    registered(database, media.WORKER, one=4, two=8)
    _, plan = _plan(system, 30)
    batch = _claim(system, plan, 50)
    assert Counter(claim.server for claim in batch.claims) == {"one": 4, "two": 8}
    assert (batch.bound, on_ports(database)) == ("servers", {"one": 4, "two": 8})
    assert _claim(system, plan, 50).claims == ()
    assert database.read_now(store.drifts) == []
    over = [Result(claim, Outcome.ANSWERED, LATER) for claim in batch.claims if claim.server == "one"]
    for _ in range(2):
        database.write_now(results.record, RULES, over, LATER)
    assert on_ports(database) == {"one": 0, "two": 8}
    assert [claim.server for claim in _claim(system, plan, 2).claims] == ["one", "one"]
    assert on_ports(database) == {"one": 2, "two": 8}
    assert database.read_now(store.drifts) == []


def test_places_for_which_there_is_nobody_are_given_back(system: Campaigning) -> None:
    registered(system.database, media.WORKER, one=10)
    _, plan = _plan(system, 3)
    batch = _claim(system, plan, 10)
    assert len(batch.claims) == 3
    assert on_ports(system.database) == {"one": 3}
    assert _claim(system, plan, 10).bound == "contacts"
    assert on_ports(system.database) == {"one": 3}
    assert system.database.read_now(store.drifts) == []


def test_without_a_server_in_service_nothing_is_claimed(system: Campaigning) -> None:
    media.add(system.database, NOON, "new")
    _, plan = _plan(system, 3)
    batch = _claim(system, plan, 10)
    assert (batch.claims, batch.bound) == ((), "servers")
    assert system.database.read_now(store.drifts) == []


def _recoveries(tx: Tx) -> int:
    column = schema.events.c.kind
    return len(tx.execute(select(column).where(column == WorkerRecovered.kind)).all())


def _left_by_the_dead(running: Outreach, contacts: int) -> tuple[JobId, Counter[str]]:
    """Claim calls for a worker that nobody knows, as one that died has left them."""
    database = running.database
    registered(database, running.worker.id, one=2, two=2)
    source = 'name = "a"\n[[actions]]\nname = "call"\nchannel = "call"\nprompt = { text = "Hello." }'
    job_id = running.system.start(
        running.system.campaign("a", [running.system.contact_list("a", contacts)], source=source)
    )
    database.write_now(load_targets, RULES, job_id, NOON)
    _, (plan,) = database.read_now(plans.admitted_plans, frozenset())
    batch = database.write_now(claims.take_batch, RULES, plan, 4, "a dead worker", LATER)
    return job_id, Counter(claim.server for claim in batch.claims)


def test_calls_on_a_silent_server_stay_undecided_until_it_answers(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outrider.runtime.worker.RECOVERY_PERIOD", 0.1)
    voice = FakeVoice()
    voice.silent = frozenset({"two"})

    async def scenario() -> None:
        async with outreach(database, tmp_path, voice=lambda _: voice, speed=1) as running:
            await running.until(store.workers)
            job_id, claimed = _left_by_the_dead(running, 4)
            assert claimed == {"one": 2, "two": 2}
            await running.until(lambda tx: finals(tx, job_id).total() == 2)
            assert database.read_now(finals, job_id) == {("interrupted", None): 2}
            assert on_ports(database) == {"one": 0, "two": 2}
            before = voice.asked
            await running.until(lambda _: voice.asked > before + 1)
            assert on_ports(database) == {"one": 0, "two": 2}
            assert database.read_now(_recoveries) <= 1
            # It answers: one call is gone, one lives and is talked to.
            alive, gone = (row for row in database.read_now(attempts) if row["ended_at"] is None)
            by = AnsweredBy.HUMAN
            voice.calls[alive["id"]] = LivingCall(
                alive["id"], answered=True, by=by, playing=True, server="two"
            )
            voice.silent = frozenset()
            await running.until(lambda tx: finals(tx, job_id).total() == 3)
            assert on_ports(database) == {"one": 0, "two": 1}
            voice.tell(PlaybackFinished(AttemptId(alive["id"]), LATER))
            await running.until_ended(job_id)
            outcomes = {row["id"]: row["outcome"] for row in database.read_now(attempts)}
            assert (outcomes[alive["id"]], outcomes[gone["id"]]) == ("answered", "interrupted")
            assert on_ports(database) == {"one": 0, "two": 0}
            assert voice.made == []

    run(scenario)
