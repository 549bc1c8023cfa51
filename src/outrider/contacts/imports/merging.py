"""What an update of existing contacts does to them, row after row. Pure; used by imports with "update".

A field that the file leaves empty stays as it is; attributes are merged one by one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.contacts.rows import CleanRow

Fields = dict[str, Any]


@dataclass(slots=True)
class Merge:
    """New contacts, changed ones, and how many rows changed something or nothing."""

    new: list[CleanRow] = field(default_factory=list)
    changed: list[Fields] = field(default_factory=list)
    updated: int = 0
    same: int = 0


def merge(rows: Sequence[CleanRow], existing: Mapping[str, Fields]) -> Merge:
    """Apply `rows` in order to the contacts that exist (by duplicate key); a key may come several times."""
    result = Merge()
    states: dict[str, Fields] = {}
    touched: set[str] = set()
    fresh: dict[str, Fields] = {}
    for row in rows:
        key = row[0]
        present = states.get(key)
        if present is None and key in existing:
            present = states[key] = dict(existing[key])
        incoming = _fields(row)
        if present is None:
            states[key] = fresh[key] = incoming
        elif _overlay(present, incoming):
            result.updated += 1
            touched.add(key)
        else:
            result.same += 1
    result.new = [_row(key, fields) for key, fields in fresh.items()]
    result.changed = [states[key] for key in touched if key not in fresh]
    return result


def _overlay(present: Fields, incoming: Fields) -> bool:
    changed = False
    for name, value in incoming.items():
        if value is None:
            continue
        merged = {**(present[name] or {}), **value} if name == "attributes" else value
        if merged != present[name]:
            present[name] = merged
            changed = True
    return changed


def _fields(row: CleanRow) -> Fields:
    return {
        "external_id": row[1],
        "phone": row[2],
        "other_phones": None if row[3] is None else json.loads(row[3]),
        "email": row[4],
        "time_zone": row[5],
        "attributes": None if row[6] is None else json.loads(row[6]),
    }


def _row(key: str, fields: Fields) -> CleanRow:
    return (
        key,
        fields["external_id"],
        fields["phone"],
        _text(fields["other_phones"]),
        fields["email"],
        fields["time_zone"],
        _text(fields["attributes"]),
    )


def _text(value: object) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
