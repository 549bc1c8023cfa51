"""Transactions at the edge: `await database.write(fn, ...)` runs `fn(tx, ...)` on a thread and commits.

Services and stores get `tx` and never commit. Only `api`, `web`, `runtime` and `cli` call this module.
SQLite has one writer thread (BEGIN IMMEDIATE) and a pool of readers; PostgreSQL a pool for both.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, RowMapping
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

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
Listener = Callable[[tuple[Event, ...]], None]

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

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in a transaction that is rolled back, on a thread, and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.read_now(fn, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in one transaction on a thread, commit, then tell the listeners."""
        result, events = await asyncio.wrap_future(self._submit(fn, *args, **kwargs))
        self._tell(events)
        return result

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, on the calling thread."""
        try:
            with self._connect(self._reading) as tx:
                return fn(tx, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            raise _store_error(error) from error

    def write_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, waiting for it; a deadlock is tried again, so `fn` must have no other effects."""
        result, events = self._submit(fn, *args, **kwargs).result()
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
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[tuple[T, tuple[Event, ...]]]:
        def work(tx: Tx) -> tuple[T, tuple[Event, ...]]:
            tx.info[EVENTS] = []
            try:
                return fn(tx, *args, **kwargs), tuple(tx.info[EVENTS])
            except (OperationalError, InterfaceError) as error:
                if dialect.is_retryable(error):
                    raise
                raise _store_error(error) from error
            except IntegrityError as error:
                # Services look before they write; this is somebody else who did the same in between.
                raise ConflictError(
                    "somebody else made or removed the same thing at the same moment: look again, and repeat"
                ) from error

        if self._writer is not None:
            return self._writer.submit(work)
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
                if isinstance(error, OperationalError | InterfaceError):
                    raise _store_error(error) from error
                raise
            return result
        raise StoreError("database: a transaction was refused too often; try again")

    def _tell(self, events: tuple[Event, ...]) -> None:
        if events:
            for listener in self._listeners:
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


def _store_error(error: DBAPIError) -> StoreError:
    return StoreError(f"database: {_first_line(error)}")


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
