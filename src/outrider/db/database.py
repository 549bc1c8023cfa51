"""Transactions at the edge: `await database.write(fn, ...)` runs `fn(tx, ...)` on a thread and commits.

Services and stores get `tx` and never commit. Only `api`, `web`, `runtime` and `cli` call this module.
SQLite has one writer thread (BEGIN IMMEDIATE) and a pool of readers; PostgreSQL a pool for both.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, RowMapping
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from outrider.db import dialect
from outrider.db.single_writer import SingleWriter
from outrider.errors import ConflictError, StoreError
from outrider.events import Event

Tx = Connection
"""An open transaction. Services pass it on to stores; nothing else is done with it."""

Row = RowMapping
"""One row of a result, by column name."""

P = ParamSpec("P")
T = TypeVar("T")
Lane = Literal["ordinary", "urgent"]
Listener = Callable[[tuple[Event, ...]], None]

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""The database, or a connection to it, is not there for us now: said as a StoreError, whoever asks."""

EVENTS = "outrider.events"
MAXIMUM_TRIES = 5


class Database:
    """One database. `read` and `write` may be awaited from one event loop; `*_now` block."""

    def __init__(self, url: str, connections: int = 8) -> None:
        """Open lazily; StoreError for an unsupported URL. `connections` limits each pool."""
        self.url = dialect.parse_url(url)
        self.single_writer = dialect.is_single_writer(self.url)
        self._writing = dialect.make_engine(self.url, "write", connections)
        self._reading = (
            dialect.make_engine(self.url, "read", connections)
            if self.single_writer
            else dialect.for_reading(self._writing)
        )
        self._threads = ThreadPoolExecutor(connections, "outrider-database")
        self._writer = SingleWriter(self._open_for_writing) if self.single_writer else None
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of every transaction that was committed here."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Stop telling `listener`."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in a transaction that is rolled back, on a thread, and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.read_now(fn, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in one transaction on a thread, commit, then tell the listeners."""
        return await self._committed(self._submit("ordinary", fn, *args, **kwargs))

    async def write_first(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, before all that waits to be written: a person waits on the line."""
        return await self._committed(self._submit("urgent", fn, *args, **kwargs))

    async def _committed(self, submitted: Future[tuple[T, tuple[Event, ...]]]) -> T:
        """Wait for a transaction, and tell the listeners of it."""
        try:
            result, events = await asyncio.wrap_future(submitted)
        except AWAY as error:
            raise _store_error(error) from error
        self._tell(events)
        return result

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, on the calling thread."""
        try:
            with self._connect(self._reading) as tx:
                return fn(tx, *args, **kwargs)
        except AWAY as error:
            raise _store_error(error) from error

    def write_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, waiting for it; a deadlock is tried again, so `fn` must have no other effects."""
        try:
            result, events = self._submit("ordinary", fn, *args, **kwargs).result()
        except AWAY as error:
            raise _store_error(error) from error
        self._tell(events)
        return result

    def close(self) -> None:
        """Finish running transactions and close all connections."""
        if self._writer is not None:
            self._writer.close()
        self._threads.shutdown()
        self._writing.dispose()
        self._reading.dispose()

    def _open_for_writing(self) -> Connection:
        return self._connect(self._writing)

    def _connect(self, engine: Engine) -> Connection:
        try:
            return engine.connect()
        except OperationalError as error:
            shown = self.url.render_as_string(hide_password=True)
            raise StoreError(f"database {shown} cannot be opened: {_first_line(error)}") from None

    def _submit(
        self, lane: Lane, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[tuple[T, tuple[Event, ...]]]:
        def work(tx: Tx) -> tuple[T, tuple[Event, ...]]:
            tx.info[EVENTS] = []
            try:
                return fn(tx, *args, **kwargs), tuple(tx.info[EVENTS])
            except IntegrityError as error:
                raise as_told(error) from error

        if self._writer is not None:
            return self._writer.submit(work, urgent=lane == "urgent")
        return self._threads.submit(self._write, work)

    def _write(self, work: Callable[[Tx], T]) -> T:
        """Run work in a transaction of its own, again after a deadlock."""
        for tries_left in range(MAXIMUM_TRIES - 1, -1, -1):
            try:
                with self._connect(self._writing) as tx, tx.begin():
                    result = work(tx)
            except DBAPIError as error:
                if tries_left and dialect.is_retryable(error):
                    continue
                raise
            return result
        raise StoreError("database: a transaction was refused too often; try again")

    def _tell(self, events: tuple[Event, ...]) -> None:
        if events:
            for listener in tuple(self._listeners):
                listener(events)


@contextmanager
def savepoint(tx: Tx) -> Iterator[None]:
    """Undo the block's changes, and the events that it appended, when it raises; the transaction goes on."""
    told = len(tx.info.get(EVENTS, ()))
    try:
        with tx.begin_nested():
            yield
    except BaseException:
        del tx.info.setdefault(EVENTS, [])[told:]
        raise


def is_retryable(error: Exception) -> bool:
    """Return whether the same transaction, run again as a whole, may succeed."""
    return isinstance(error, DBAPIError) and dialect.is_retryable(error)


def as_told(error: Exception) -> Exception:
    """Return what people are told of an error of the database; any other error as it is."""
    if isinstance(error, IntegrityError):
        # Services look before they write: somebody else wrote in between.
        return ConflictError(
            "somebody else made or removed the same thing at the same moment: look again, and repeat"
        )
    return _store_error(error) if isinstance(error, AWAY) else error


def _store_error(error: Exception) -> StoreError:
    return StoreError(f"database: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
