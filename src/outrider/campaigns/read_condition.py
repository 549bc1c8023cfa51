"""Reads a condition of a strategy document: one comparison, or several joined by all, any and not.

The readers of actions, senders and caller ids call `read_condition`; `condition_document` writes one. Pure.
"""

import datetime as dt
from collections.abc import Mapping
from typing import assert_never

from outrider.campaigns.condition import NO_VALUE, SEVERAL, AllOf, AnyOf, Comparison, Condition, Not, Operator
from outrider.campaigns.document_table import Table, is_number, shown

MOST_VALUES = 1_000
MOST_PARTS = 50
DEEPEST = 6
_JOINS = ("all", "any", "not")
_PAIR = 2


def read_condition(table: Table, depth: int = 1) -> Condition | None:
    """Return the condition in `table`, or None when something is wrong with it (and noted)."""
    given = [name for name in _JOINS if name in table.values]
    if depth > DEEPEST:
        table.problems.add(table.where, f"is nested more than {DEEPEST} deep")
        return None
    if not given:
        return _comparison(table)
    [join, *others] = given
    if others or "attribute" in table.values:
        table.problems.add(table.where, "must have exactly one of attribute, all, any and not")
        return None
    if join == "not":
        inner = table.table("not")
        part = None if inner is None else read_condition(inner, depth + 1)
        table.close()
        return None if part is None else Not(part)
    parts = [read_condition(each, depth + 1) for each in table.tables(join, MOST_PARTS)]
    table.close()
    whole = tuple(part for part in parts if part is not None)
    if not whole or len(whole) < len(parts):
        return None
    return AllOf(whole) if join == "all" else AnyOf(whole)


def condition_document(condition: Condition) -> dict[str, object]:
    """Return a condition as a document has it; reading it gives the same condition."""
    match condition:
        case Comparison(attribute, operator, values):
            document: dict[str, object] = {"attribute": attribute, "operator": operator.value}
            if operator in SEVERAL or operator is Operator.BETWEEN:
                return document | {"values": list(values)}
            return document | ({"value": values[0]} if values else {})
        case AllOf(parts):
            return {"all": [condition_document(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [condition_document(part) for part in parts]}
        case Not(part):
            return {"not": condition_document(part)}
        case _:
            assert_never(condition)


def _comparison(table: Table) -> Comparison | None:
    attribute = table.text("attribute", required=True, longest=100)
    table.get("operator", required=True)
    operator = table.choice("operator", Operator.EQUALS)
    values = _values(table, operator)
    table.close()
    if attribute is None or values is None:
        return None
    return Comparison(attribute.strip(), operator, values)


def _values(table: Table, operator: Operator) -> tuple[str, ...] | None:
    single, several = table.get("value"), table.get("values")
    if operator in NO_VALUE:
        if single is not None or several is not None:
            table.complain("value", f"must be left out: {operator} compares with nothing")
        return ()
    if operator not in SEVERAL and operator is not Operator.BETWEEN:
        if several is not None or single is None:
            table.complain("value", f"is missing: {operator} compares with one value")
            return None
        text = _text(table, "value", single)
        return None if text is None else (text,)
    entries = table.entries("values", required=True)
    if entries is None or single is not None:
        if single is not None:
            table.complain("value", f"must be a list called values for {operator}")
        return None
    if operator is Operator.BETWEEN and len(entries) != _PAIR:
        table.complain("values", "must be the lowest and the highest value")
    if len(entries) > MOST_VALUES:
        table.complain("values", f"has {len(entries)} entries, and at most {MOST_VALUES} are allowed")
    texts = [_text(table, f"values[{index}]", value) for index, value in enumerate(entries)]
    whole = tuple(text for text in texts if text is not None)
    return whole if len(whole) == len(texts) else None


def _text(table: Table, name: str, value: object) -> str | None:
    """Return a value as text: a text that is not blank, a number, or a date or time of TOML."""
    if isinstance(value, str):
        inner = Table({name: value}, table.where, table.problems)
        found = inner.text(name, longest=4_000)
        return None if found is None else found.strip()
    if isinstance(value, bool | Mapping | list):
        table.complain(name, f"must be a text, a number or a date, not {shown(value)}")
        return None
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if is_number(value) and len(str(value)) <= 60:  # noqa: PLR2004 - longer than any number that is meant
        return str(value)
    table.complain(name, f"must be a text, a number or a date, not {shown(value)}")
    return None
