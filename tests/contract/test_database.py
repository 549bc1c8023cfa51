"""The database contract: transactions, events after commit, migrations, over both backends."""

import asyncio
import datetime as dt
import threading

import pytest
from sqlalchemy import select

from outrider.db import log, schema
from outrider.db.database import Database, Tx
from outrider.db.migrate import drift, upgrade
from outrider.errors import ConflictError, StoreError
from outrider.events import Event, RecordChanged

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=dt.UTC)


def _create(tx: Tx, name: str) -> int:
    tx.execute(schema.organizations.insert().values(name=name, created_at=NOW))
    return log.append(tx, NOW, RecordChanged(record="organization", record_id=1, change="created", name=name))


def _names(tx: Tx) -> list[str]:
    return list(
        tx.execute(select(schema.organizations.c.name).order_by(schema.organizations.c.name)).scalars()
    )


def test_schema_and_migrations_agree(database: Database) -> None:
    assert drift(database) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    upgrade(database)
    assert drift(database) == []


def test_a_newer_database_is_refused(database: Database) -> None:
    database.write_now(lambda tx: tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer Outrider"):
        upgrade(database)


def test_times_come_back_as_they_went(database: Database) -> None:
    database.write_now(_create, "alpha")
    assert (
        database.read_now(lambda tx: tx.execute(select(schema.organizations.c.created_at)).scalar_one())
        == NOW
    )


def test_a_failed_transaction_leaves_nothing_and_tells_nobody(database: Database) -> None:
    heard: list[Event] = []
    database.listen(heard.extend)

    def fail(tx: Tx) -> None:
        _create(tx, "alpha")
        raise LookupError

    with pytest.raises(LookupError):
        database.write_now(fail)
    assert database.read_now(_names) == []
    assert heard == []
    assert database.read_now(log.latest_id) == 0


def test_events_are_told_after_commit_and_read_back_from_an_id(database: Database) -> None:
    heard: list[Event] = []
    database.listen(heard.extend)
    first = database.write_now(_create, "alpha")
    database.write_now(_create, "beta")
    assert [event.name for event in heard if isinstance(event, RecordChanged)] == ["alpha", "beta"]
    rest = database.read_now(log.since, first, None)
    assert [row["data"]["name"] for row in rest] == ["beta"]


def test_urgent_writes_go_before_those_that_wait(database: Database) -> None:
    """What waits keeps its order, and is committed too, with its failures told to whom they concern."""
    begun, go_on = threading.Event(), threading.Event()

    def first(tx: Tx, name: str) -> int:
        begun.set()
        go_on.wait(10)
        return _create(tx, name)

    def fail(_: Tx, name: str) -> int:
        raise LookupError(name)

    async def run() -> list[object]:
        writing = [asyncio.ensure_future(database.write(first, "first"))]
        await asyncio.to_thread(begun.wait, 10)
        writing += [asyncio.ensure_future(database.write(_create, f"later {number}")) for number in range(40)]
        writing += [asyncio.ensure_future(database.write(fail, "none"))]
        writing += [
            asyncio.ensure_future(database.write_first(_create, f"urgent {number}")) for number in (1, 2)
        ]
        # Every write has been handed over once its task has run.
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(*writing, return_exceptions=True)

    failures = [each for each in asyncio.run(run()) if isinstance(each, Exception)]
    assert [type(each) for each in failures] == [LookupError]

    def in_order(tx: Tx) -> list[str]:
        return list(
            tx.execute(select(schema.organizations.c.name).order_by(schema.organizations.c.id)).scalars()
        )

    names = database.read_now(in_order)
    assert sorted(names) == sorted(
        ["first", "urgent 1", "urgent 2", *(f"later {number}" for number in range(40))]
    )
    if database.single_writer:
        assert names[:3] == ["first", "urgent 1", "urgent 2"]


def test_concurrent_writes_are_all_kept(database: Database) -> None:
    async def run() -> None:
        await asyncio.gather(*(database.write(_create, f"organization {number}") for number in range(40)))

    asyncio.run(run())
    assert len(database.read_now(_names)) == 40


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/x", "not supported"),
        ("nonsense", "not a database URL"),
        ("sqlite://", "in memory is not supported"),
    ],
)
def test_a_bad_url_is_refused_with_a_reason(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Database(url)


def test_work_that_is_committed_together_fails_alone(database: Database) -> None:
    def fail(tx: Tx, name: str) -> None:
        _create(tx, name)
        raise LookupError(name)

    async def run() -> list[object]:
        works = [
            database.write(fail if number % 3 == 0 else _create, f"organization {number:02}")
            for number in range(30)
        ]
        return await asyncio.gather(*works, return_exceptions=True)

    results = asyncio.run(run())
    assert [isinstance(result, LookupError) for result in results] == [n % 3 == 0 for n in range(30)]
    assert database.read_now(_names) == [f"organization {n:02}" for n in range(30) if n % 3]
    events = database.read_now(log.since, 0, None)
    assert sorted(row["data"]["name"] for row in events) == database.read_now(_names)


def test_a_closed_database_refuses_work(sqlite_database: Database) -> None:
    sqlite_database.close()
    with pytest.raises(RuntimeError, match="closed"):
        sqlite_database.write_now(_names)


def test_two_who_make_the_same_thing_at_once_are_told_apart(database: Database) -> None:
    database.write_now(_create, "alpha")
    with pytest.raises(ConflictError, match="same moment"):
        database.write_now(_create, "alpha")
    assert database.read_now(_names) == ["alpha"]


def test_one_read_sees_one_state(database: Database) -> None:
    def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = _names(tx)
        database.write_now(_create, "meanwhile")
        return first, _names(tx)

    assert database.read_now(look_twice) == ([], [])
