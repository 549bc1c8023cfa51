"""Column types shared by all tables: times as UTC microseconds, JSON, and big keys.

Only `schema.py` uses them. Integers order and compare the same on SQLite and PostgreSQL.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for INTEGER keys."""


class Json(TypeDecorator[Any]):
    """A JSON document: JSONB on PostgreSQL, text on SQLite."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose JSONB where there is one."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())


def utc_microseconds(value: dt.datetime | None) -> int | None:
    """Return a time as whole microseconds since 1970; TypeError for a naive one."""
    return None if value is None else (value - EPOCH) // MICROSECOND


class UtcTime(TypeDecorator[dt.datetime]):
    """An aware UTC datetime, stored as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - signature
        """Store an aware datetime; a naive one is a programming error (TypeError)."""
        return utc_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - signature
        """Read an aware datetime in UTC."""
        return None if value is None else EPOCH + dt.timedelta(microseconds=value)
