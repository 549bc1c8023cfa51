"""The only place that knows how SQLite and PostgreSQL differ; stores call these small functions.

Upserts, row locks, skipping locked rows, and connection settings live here and nowhere else.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from outrider.errors import StoreError

Mode = Literal["read", "write"]

SQLITE_BUSY_MS = 30_000
RETRY_STATES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization failure and deadlock: the transaction may simply be run again."""


def parse_url(text: str) -> URL:
    """Return the URL of a supported database; StoreError for any other, naming what is supported."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError(
            f"database: {text!r} is not a database URL; use sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url
    raise StoreError(
        f"database: {backend!r} is not supported; use sqlite:///FILE or postgresql://USER@HOST/NAME"
    )


def is_single_writer(url: URL) -> bool:
    """Return whether all writes must go through one thread (SQLite)."""
    return url.get_backend_name() == "sqlite"


def make_engine(url: URL, mode: Mode, connections: int) -> Engine:
    """Return an engine for reading or writing, with every setting that the dialect needs."""
    if not is_single_writer(url):
        return create_engine(
            url, pool_size=connections, max_overflow=0, pool_pre_ping=True, hide_parameters=True
        )
    if url.database in (None, "", ":memory:"):
        raise StoreError(
            "database: SQLite in memory is not supported; name a file, as in sqlite:///outrider.db"
        )
    engine = (
        create_engine(
            url, poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
        if mode == "write"
        else create_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True)
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate if mode == "write" else _begin_deferred)
    return engine


def for_reading(engine: Engine) -> Engine:
    """Return PostgreSQL's engine for reads: several statements of one read see one and the same state."""
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # We begin transactions ourselves: the driver's own habit begins them too late to be IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {SQLITE_BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -65536",
        "wal_autocheckpoint = 8000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction, run again, may succeed."""
    return getattr(error.orig, "sqlstate", None) in RETRY_STATES


def insert(tx: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def insert_rows(
    tx: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows of values as the database stores them (times by `utc_microseconds`).

    This is the driver's own bulk insert, without SQLAlchemy's work on every single row.
    """
    if rows:
        sql, names = _insert_statement(tx.dialect, table, columns)
        by_name = [dict(zip(names, row, strict=True)) for row in rows] if names else list(rows)
        tx.exec_driver_sql(sql, by_name)


@cache
def _insert_statement(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """Return the driver's own SQL, and the parameters' names where the driver wants them by name."""
    compiled = table.insert().compile(dialect=dialect, column_keys=columns)
    return str(compiled), None if compiled.positional else columns


def locked(statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """Lock the selected rows until commit (SQLite: the whole database already is, and ignores this)."""
    return statement.with_for_update(skip_locked=skip)


def lock_migrations(tx: Connection) -> None:
    """Let one process migrate at a time (SQLite: the write transaction is the lock)."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(815008150)")


def parameter_limit(tx: Connection) -> int:
    """Return how many bound values one statement may carry."""
    return 32_000 if tx.dialect.name == "sqlite" else 60_000


def chunks(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Cut rows into runs of at most `size`, for statements with a limited number of parameters."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
