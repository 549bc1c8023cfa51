"""SQLite's writer when the database ends the transaction of several: nobody is told what is not so."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from outrider.db.dialect import _begin_immediate, _prepare_sqlite
from outrider.db.single_writer import SingleWriter


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An SQLite file with one table, as the writer has it."""
    engine = create_engine(f"sqlite:///{tmp_path / 'some.db'}")
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE kept (id INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


def adding(number: int) -> Any:
    """Return work that keeps a number."""

    def work(tx: Connection) -> int:
        tx.execute(text("INSERT INTO kept VALUES (:number)"), {"number": number})
        return number

    return work


def breaking(tx: Connection) -> None:
    """Have SQLite roll everything back by itself, as on a full disk, and fail."""
    tx.execute(text("INSERT OR ROLLBACK INTO kept VALUES (1)"))


def breaking_silently(tx: Connection) -> None:
    """Have everything rolled back without an error."""
    tx.exec_driver_sql("ROLLBACK")


def kept(engine: Engine) -> set[int]:
    """Return the numbers that were kept."""
    with engine.connect() as tx:
        return set(tx.execute(text("SELECT id FROM kept")).scalars())


def outcome(future: "Future[Any]") -> object:
    """Return what came of work: its result, or its failure."""
    return future.exception(timeout=10) or future.result()


@pytest.mark.parametrize("trouble", [breaking, breaking_silently])
def test_what_the_database_rolled_back_by_itself_is_told_as_undone(engine: Engine, trouble: Any) -> None:
    writer = SingleWriter(engine.connect)
    begun, go = threading.Event(), threading.Event()

    def waiting(tx: Connection) -> int:
        begun.set()
        go.wait(10)
        return int(adding(1)(tx))

    first = writer.submit(waiting)
    assert begun.wait(10)
    together = [writer.submit(adding(2)), writer.submit(trouble), writer.submit(adding(3))]
    go.set()
    assert first.exception(timeout=10) is None
    told = [outcome(each) for each in together]
    told.append(outcome(writer.submit(adding(4))))
    writer.close()
    believed = {each for each in told if isinstance(each, int)}
    assert isinstance(told[1], Exception)
    assert believed | {1} == kept(engine)
    assert 4 in believed
