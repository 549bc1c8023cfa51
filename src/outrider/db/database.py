"""Transactions at the edge: `await database.write(fn, ...)` runs `fn(tx, ...)` on a thread and commits.

Services and stores get `tx` and never commit. Only `api`, `web`, `runtime` and `cli` call this module.
SQLite has one writer thread (BEGIN IMMEDIATE) and a pool of readers; PostgreSQL a pool for both.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from outrider.db import dialect
from outrider.errors import StoreError
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
        single = dialect.is_single_writer(self.url)
        self.single_writer = single
        self._writing = dialect.make_engine(self.url, "write", connections)
        self._reading = dialect.make_engine(self.url, "read", connections) if single else self._writing
        self._writers = ThreadPoolExecutor(1 if single else connections, "outrider-write")
        self._readers = ThreadPoolExecutor(connections, "outrider-read") if single else self._writers
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of every transaction that was committed here."""
        self._listeners.append(listener)

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in a transaction that is rolled back, on a thread, and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: self.read_now(fn, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` in one transaction on a thread, commit, then tell the listeners."""
        loop = asyncio.get_running_loop()
        result, events = await loop.run_in_executor(self._writers, lambda: self._write(fn, *args, **kwargs))
        self._tell(events)
        return result

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, on the calling thread."""
        with self._connect(writing=False) as tx:
            return fn(tx, *args, **kwargs)

    def write_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, on the calling thread; a deadlock is tried again, so `fn` must have no effects."""
        if self.single_writer:
            result, events = self._writers.submit(lambda: self._write(fn, *args, **kwargs)).result()
        else:
            result, events = self._write(fn, *args, **kwargs)
        self._tell(events)
        return result

    def close(self) -> None:
        """Finish running transactions and close all connections."""
        self._writers.shutdown()
        self._readers.shutdown()
        self._writing.dispose()
        self._reading.dispose()

    def _connect(self, *, writing: bool) -> Connection:
        try:
            return (self._writing if writing else self._reading).connect()
        except OperationalError as error:
            shown = self.url.render_as_string(hide_password=True)
            raise StoreError(f"database {shown} cannot be opened: {_first_line(error)}") from None

    def _write(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T, tuple[Event, ...]]:
        for tries_left in range(MAXIMUM_TRIES - 1, -1, -1):
            with self._connect(writing=True) as tx:
                tx.info[EVENTS] = []
                try:
                    with tx.begin():
                        result = fn(tx, *args, **kwargs)
                except DBAPIError as error:
                    if tries_left and dialect.is_retryable(error):
                        continue
                    if isinstance(error, OperationalError | InterfaceError):
                        raise StoreError(f"database: {_first_line(error)}") from error
                    raise
                return result, tuple(tx.info[EVENTS])
        raise StoreError("database: a transaction was refused too often; try again")

    def _tell(self, events: tuple[Event, ...]) -> None:
        if events:
            for listener in self._listeners:
                listener(events)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
