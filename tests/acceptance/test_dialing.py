"""What happens to real calls while `outrider serve` dials: licences are cut, people refuse, workers die."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair
from support import audits
from support.databases import postgres_url
from support.live_runs import LISTENING, ONE_TIME, LiveRun, live_run, signed_in
from support.processes import Programs, eventually

SPEED = 30.0
PRIVATE, PUBLIC = generate_keypair()


@pytest.fixture
def postgres() -> Iterator[Database]:
    """Give an open PostgreSQL database."""
    with postgres_url() as url:
        opened = Database(url, connections=4)
        yield opened
        opened.close()


@contextmanager
def serving(run: LiveRun) -> Iterator[httpx.Client]:
    """Serve the run's system for the first time, and stop it at the end; give a signed-in client."""
    program = run.commands.start("serve", "--port", "0")
    address = program.wait_for(LISTENING)[1]
    with signed_in(address, program.wait_for(ONE_TIME)[1]) as client:
        yield client
    assert program.stop() == 0, program.complaints


def license_live(run: LiveRun, client: httpx.Client, ports: int) -> dt.datetime:
    """Load a licence file for `ports` through the API; return the scaled time at which it was in force."""
    now = run.clock.now()
    licence = LicenceFile(
        id="test",
        customer="The tests",
        issued_at=now,
        not_before=now - dt.timedelta(days=1),
        expires_at=now + dt.timedelta(days=365),
        counts={LicenceKind.OUTBOUND_PORTS: ports, LicenceKind.TELEPHONY_PORTS: ports},
    )
    body = {"text": issue(licence, PRIVATE), "public_key": PUBLIC}
    answer = client.post("/api/licences/files", json=body)
    assert answer.status_code == 201, answer.text
    return run.clock.now()


def in_use(tx: Tx) -> int:
    """Return the units in use of all tasks."""
    return int(tx.execute(select(func.sum(schema.tasks.c.in_use))).scalar_one())


def test_licences_cut_and_raised_while_calls_are_up(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    before, after, raised = 30, 10, 20
    run = live_run(sqlite_database, commands, tmp_path, ports=before, speed=SPEED)
    system = run.system
    jobs = [
        system.start(
            system.campaign(name, [system.contact_list(name, contacts)], priority=priority), run.clock.now()
        )
        for name, contacts, priority in (("first", 250, 8), ("second", 150, 2))
    ]
    limits = [(run.clock.now(), before)]

    def cut(client: httpx.Client) -> dt.datetime:
        limits.append((license_live(run, client, after), after))
        return limits[-1][0]

    def give(client: httpx.Client, ports: int) -> None:
        # It may be used before the answer to the request is here.
        limits.append((run.clock.now(), ports))
        license_live(run, client, ports)

    with serving(run) as client:
        eventually("the whole pool is in use", lambda: run.database.read_now(in_use) == before)
        cut_at = cut(client)
        while len(audits.read_books(run.ledger, unended=True).up) <= after:
            # On a busy machine so many calls had ended that there was nothing to drain: once more.
            give(client, before)
            eventually("the pool is in use again", lambda: run.database.read_now(in_use) == before)
            cut_at = cut(client)
        made = len(run.calls_made())
        eventually("calls are made after the cut", lambda: len(run.calls_made()) >= made + 60)
        give(client, raised)
        eventually("the new licences are used", lambda: run.database.read_now(in_use) == raised)
        eventually("all jobs finish", lambda: run.finished(*jobs))
    books, tried = audits.check_run(run.database, run.ledger, contacts=400)
    for call in books.up_at(cut_at):
        assert tried[call.id]["outcome"] == call.outcome.value, "a live call was cut for a licence"
    for call in books.calls.values():
        _, limit = max(each for each in limits if each[0] <= call.made_at)
        assert len(books.up_at(call.made_at)) <= limit, call
    assert commands.run("check").process.returncode == 0


def test_refusals_are_honoured_while_a_job_runs(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    run = live_run(sqlite_database, commands, tmp_path, ports=10, speed=SPEED)
    list_id = run.system.contact_list("people", 200)
    job = run.system.start(run.system.campaign("people", [list_id]), run.clock.now())
    refusing = [f"+4930{list_id:02}{1000000 + number}" for number in range(140, 200)]
    with serving(run) as client:
        eventually("calls are made", lambda: len(run.calls_made()) > 20)
        made = client.post("/api/do-not-contact-lists", json={"name": "refusals", "common": True})
        body = {"addresses": refusing, "country": "DE"}
        added = client.post(f"/api/do-not-contact-lists/{made.json()['id']}/entries", json=body)
        assert added.json()["added"] == len(refusing), added.text
        eventually("the job finishes", lambda: run.finished(job))
    called = {call.address for call in audits.read_books(run.ledger).calls.values()}
    assert called.isdisjoint(refusing)
    assert len(called) == 140
    assert run.system.final_outcomes(job)["do_not_contact"] == len(refusing)
    assert commands.run("check").process.returncode == 0


def busy_workers(database: Database) -> int:
    """Return how many workers have ended more than 20 attempts each."""
    A = schema.attempts.c  # noqa: N806 - a table's columns
    query = select(A.owner).where(A.ended_at.is_not(None)).group_by(A.owner).having(func.count() > 20)
    return database.read_now(lambda tx: len(tx.execute(query).all()))


def owners(tx: Tx) -> list[str]:
    """Return the workers that are registered."""
    return list(tx.execute(select(schema.workers.c.id)).scalars())


@pytest.mark.alone  # A lease of two seconds is lost where others keep the disk busy.
def test_two_processes_share_a_job_and_one_is_killed(
    postgres: Database, commands: Programs, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    # More than the pace can fill: ports of a full pool stay with the worker whose calls end.
    ports, lease = 60, 2.0
    run = live_run(postgres, commands, tmp_path, ports=ports, speed=SPEED)
    commands.configure(worker__lease=lease)
    list_id = run.system.contact_list("people", 600)
    extra = "pacing = 1.0\nring_timeout = 20\n[actions.retry.busy]\ncount = 1\ndelays = [20]"
    campaign = run.system.campaign("people", [list_id], extra=extra)
    with audits.watched(postgres) as usage:
        first = commands.start("serve", "--port", "0", data_folder=tmp_path / "first")
        second = commands.start("worker", data_folder=tmp_path / "second")
        eventually("both are at work", lambda: len(postgres.read_now(owners)) == 2)
        job = run.system.start(campaign, run.clock.now())
        eventually("both have ended calls", lambda: busy_workers(postgres) == 2)
        first.kill()
        killed = run.clock.now()
        eventually("the dead worker is noticed", lambda: len(postgres.read_now(owners)) == 1)
        noticed = (run.clock.now() - killed).total_seconds() / SPEED
        eventually("the job finishes", lambda: run.finished(job))
    assert second.stop() == 0, second.complaints
    books, tried = audits.check_run(postgres, run.ledger, contacts=600)
    assert usage.most_charged <= ports
    assert books.most_at_once() <= ports
    check = commands.run("check")
    assert check.process.returncode == 0, check.text
    record_property(
        "measured",
        f"at most {usage.most_charged} calls at once; "
        f"taken over {noticed:.1f} s after the kill, with a lease of {lease:g} s; "
        f"{sum(row['outcome'] == 'interrupted' for row in tried.values())} attempts interrupted",
    )


def test_the_carrier_is_late_and_then_dies(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    """The server waits for its carrier; calls that die with the carrier are closed, and never made again."""
    run = live_run(sqlite_database, commands, tmp_path, ports=20, speed=SPEED, carrier=False)
    list_id = run.system.contact_list("people", 300)
    job = run.system.start(run.system.campaign("people", [list_id]), run.clock.now())
    server = commands.start("serve", "--port", "0")
    server.wait_for(LISTENING)
    assert run.system.final_outcomes(job).keys() <= {""}
    carrier = run.start_carrier()
    eventually("the pool is in use", lambda: run.database.read_now(in_use) == 20)
    eventually("calls are made", lambda: len(run.calls_made()) > 60)
    carrier.kill()
    run.start_carrier()
    eventually("the job finishes", lambda: run.finished(job))
    assert server.stop() == 0, server.complaints
    books = audits.read_books(run.ledger, unended=True)
    tried = run.database.read_now(audits.attempts)
    assert books.refused == []
    audits.check_attempts(books, tried)
    audits.check_targets(run.database.read_now(audits.targets), tried)
    assert 0 < len(books.up) <= 20
    assert all(tried[number]["ended_at"] is not None for number in books.up)
    assert commands.run("check").process.returncode == 0
