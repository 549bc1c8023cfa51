"""SQL for imports: their rows, their leases, and writing clean rows to a list. `service.py` calls it.

A lease says who works on an import; every change by a worker is guarded by it, and the row count decides.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    RowMapping,
    Select,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from outrider.contacts.imports.model import ACTIVE, Import, ImportOptions, ImportState
from outrider.contacts.rows import CleanRow
from outrider.db import dialect
from outrider.db.schema import contact_lists, contacts, imports
from outrider.db.types import Json

BATCH: Final = 500
FIELDS: Final = ("external_id", "phone", "other_phones", "email", "time_zone", "attributes")
COLUMNS: Final = ("duplicate_key", *FIELDS)


class _ReadyJson(Json):
    """JSON that is text already, so that a million documents are not encoded twice."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:  # noqa: ARG002 - signature of the base class
        """Pass the text on as it is; None is NULL."""
        return


def insert_import(
    tx: Connection,
    now: dt.datetime,
    *,
    list_id: int,
    file_name: str,
    file_size: int,
    file_digest: str,
    spool: str,
    options: ImportOptions,
) -> int:
    """Add a queued import and return its id."""
    statement = insert(imports).values(
        list_id=list_id,
        state=ImportState.QUEUED.value,
        file_name=file_name,
        file_size=file_size,
        file_digest=file_digest,
        options={"spool": spool, "found": {}, "given": dataclasses.asdict(options)},
        created_at=now,
    )
    return int(tx.execute(statement.returning(imports.c.id)).scalar_one())


def _query(organization_id: int | None) -> Select[tuple[Any, ...]]:
    query = select(imports, contact_lists.c.organization_id).join(
        contact_lists, contact_lists.c.id == imports.c.list_id
    )
    return (
        query if organization_id is None else query.where(contact_lists.c.organization_id == organization_id)
    )


def find_import(tx: Connection, organization_id: int | None, import_id: int) -> Import | None:
    """Return one import that the organization (None: any) may see."""
    row = tx.execute(_query(organization_id).where(imports.c.id == import_id)).mappings().one_or_none()
    return None if row is None else _import(row)


def all_imports(
    tx: Connection, organization_id: int | None, list_id: int | None, before: int | None, limit: int
) -> list[Import]:
    """Return up to `limit` imports with ids below `before`, newest first, of one list or of all."""
    query = _query(organization_id).order_by(imports.c.id.desc()).limit(limit)
    if list_id is not None:
        query = query.where(imports.c.list_id == list_id)
    if before is not None:
        query = query.where(imports.c.id < before)
    return [_import(row) for row in tx.execute(query).mappings()]


def claim(
    tx: Connection, now: dt.datetime, owner: str, until: dt.datetime, import_id: int | None
) -> int | None:
    """Lease the oldest import (or just `import_id`) that is unfinished and that nobody works on."""
    query = (
        select(imports.c.id)
        .where(
            imports.c.state.in_([state.value for state in ACTIVE]),
            or_(imports.c.lease_until.is_(None), imports.c.lease_until < now),
        )
        .order_by(imports.c.id)
        .limit(1)
    )
    if import_id is not None:
        query = query.where(imports.c.id == import_id)
    found = tx.execute(dialect.locked(query, skip=True)).scalar()
    if found is not None:
        tx.execute(update(imports).where(imports.c.id == found).values(owner=owner, lease_until=until))
    return found


def change_own(
    tx: Connection,
    import_id: int,
    owner: str,
    states: Sequence[ImportState],
    values: Mapping[str, Any],
    position: int | None = None,
) -> bool:
    """Set columns of an import if `owner` still has it, in one of `states` (and at `position`)."""
    statement = update(imports).where(
        imports.c.id == import_id,
        imports.c.owner == owner,
        imports.c.state.in_([state.value for state in states]),
    )
    if position is not None:
        statement = statement.where(imports.c.position == position)
    return tx.execute(statement.values(**values)).rowcount == 1


def set_found(tx: Connection, import_id: int, found: Mapping[str, Any]) -> None:
    """Keep what was detected in the file beside its options."""
    options = tx.execute(select(imports.c.options).where(imports.c.id == import_id)).scalar_one()
    tx.execute(update(imports).where(imports.c.id == import_id).values(options={**options, "found": found}))


def end_unstarted(
    tx: Connection, import_id: int, states: Sequence[ImportState], values: Mapping[str, Any]
) -> bool:
    """Set columns of an import, whoever works on it, if it is in one of `states`."""
    statement = update(imports).where(
        imports.c.id == import_id, imports.c.state.in_([state.value for state in states])
    )
    return tx.execute(statement.values(**values)).rowcount == 1


def plus(column: str, count: int) -> ColumnElement[int]:
    """Return the expression that adds to a counter of an import."""
    return imports.c[column] + count


def lock_list(tx: Connection, list_id: int) -> bool:
    """Let one transaction at a time write to a list; False when the list is gone."""
    query = select(contact_lists.c.id).where(contact_lists.c.id == list_id)
    return tx.execute(dialect.locked(query)).first() is not None


def add_to_list_count(tx: Connection, list_id: int, added: int) -> None:
    """Keep `contact_lists.contacts` true."""
    tx.execute(
        update(contact_lists)
        .where(contact_lists.c.id == list_id)
        .values(contacts=contact_lists.c.contacts + added)
    )


def insert_contacts(tx: Connection, list_id: int, import_id: int, rows: Sequence[CleanRow]) -> int:
    """Add those rows whose duplicate key is new to the list; return how many were."""
    if not rows:
        return 0
    statement = (
        dialect.insert(tx, contacts)
        .values(
            list_id=bindparam("list_id"),
            import_id=bindparam("import_id"),
            **{
                column: bindparam(column)
                for column in COLUMNS
                if column not in ("other_phones", "attributes")
            },
            other_phones=bindparam("other_phones", type_=_ReadyJson()),
            attributes=bindparam("attributes", type_=_ReadyJson()),
        )
        .on_conflict_do_nothing(index_elements=["list_id", "duplicate_key"])
    )
    both = {"list_id": list_id, "import_id": import_id}
    return tx.execute(
        statement,
        [
            {
                "duplicate_key": row[0],
                "external_id": row[1],
                "phone": row[2],
                "other_phones": row[3],
                "email": row[4],
                "time_zone": row[5],
                "attributes": row[6],
                **both,
            }
            for row in rows
        ],
        # The count of several executions is kept by the driver only when it is asked to.
        execution_options={"preserve_rowcount": True},
    ).rowcount


def contacts_by_key(tx: Connection, list_id: int, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the list's contacts that have one of these duplicate keys, as their columns."""
    found: dict[str, dict[str, Any]] = {}
    wanted = [contacts.c.id, *(contacts.c[column] for column in COLUMNS)]
    for part in dialect.chunks(keys, BATCH):
        query = select(*wanted).where(contacts.c.list_id == list_id, contacts.c.duplicate_key.in_(part))
        found |= {row["duplicate_key"]: dict(row) for row in tx.execute(query).mappings()}
    return found


def update_contacts(tx: Connection, changed: Sequence[Mapping[str, Any]]) -> None:
    """Write all fields of existing contacts back, by their ids."""
    if not changed:
        return
    statement = (
        update(contacts)
        .where(contacts.c.id == bindparam("contact_id"))
        .values(
            **{name: bindparam(name) for name in FIELDS if name not in ("other_phones", "attributes")},
            other_phones=bindparam("other_phones", type_=_ReadyJson()),
            attributes=bindparam("attributes", type_=_ReadyJson()),
        )
    )
    tx.execute(
        statement,
        [
            {
                "contact_id": row["id"],
                **{name: row[name] for name in FIELDS},
                "other_phones": _text(row["other_phones"]),
                "attributes": _text(row["attributes"]),
            }
            for row in changed
        ],
    )


def spools(tx: Connection) -> set[str]:
    """Return the spool names of all imports that are known."""
    return {options["spool"] for options in tx.execute(select(imports.c.options)).scalars()}


def _text(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def _import(row: RowMapping) -> Import:
    options = row["options"]
    same = [
        "id",
        "organization_id",
        "list_id",
        "file_name",
        "file_digest",
        "file_size",
        "position",
        "rows_read",
        "rows_added",
        "rows_updated",
        "rows_duplicate",
        "rows_rejected",
        "message",
        "created_at",
        "finished_at",
    ]
    return Import(
        **{name: row[name] for name in same},
        state=ImportState(row["state"]),
        spool=options["spool"],
        found=options["found"],
        options=ImportOptions(**options["given"]),
    )
