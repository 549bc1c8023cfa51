"""Single values of the strategy form: as a document has them, and as people type them. Pure.

`strategy_form` calls `shown` for what is in a field, and `typed` for what was put into it. What cannot be
understood stays text, so that the check names it at its place.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence

from outrider.campaigns.document_table import is_number, spoken
from outrider.web.pages.strategy_fields import Field, Kind

SEVERAL = frozenset({Kind.MANY, Kind.DAYS})
"""Kinds that are shown as several boxes to tick."""

_WHOLE = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,18}\.\d{1,18}")


def shown(field: Field, value: object) -> str:
    """Return what stands in a field of one input; empty when the document does not say it."""
    if value is None:
        return ""
    match field.kind:
        case Kind.DENIAL:
            return "true" if value is False else ""
        case Kind.DURATION:
            return _duration(value)
        case Kind.ITEMS | Kind.DURATIONS:
            as_text = _duration if field.kind is Kind.DURATIONS else _plain
            return ", ".join(as_text(each) for each in _sequence(value))
        case Kind.VALUES:
            return "\n".join(_plain(each) for each in _sequence(value))
        case Kind.PAIRS | Kind.COUNTS if isinstance(value, Mapping):
            return "\n".join(f"{name}: {_plain(each)}" for name, each in value.items())
        case Kind.JSON if not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return _plain(value)


def ticked(field: Field, value: object) -> list[str]:
    """Return the options that are ticked; all days when the document names none."""
    if value is None:
        return [option for option, _ in field.options] if field.kind is Kind.DAYS else []
    return [_plain(each) for each in _sequence(value)]


def typed(field: Field, given: Sequence[str]) -> object | None:
    """Return what the document is to say for what was typed; None: nothing, the default holds."""
    if field.kind is Kind.FLAG:
        return True if given else None
    if field.kind is Kind.DENIAL:
        return False if given else None
    if field.kind in SEVERAL:
        return _ticked(field, [text for text in given if text])
    text = given[-1].replace("\r\n", "\n").replace("\r", "\n") if given else ""
    if not text.strip():
        return None
    match field.kind:
        case Kind.NUMBER | Kind.DURATION:
            return _number(text)
        case Kind.CHOICE:
            default = field.options[0][0] if field.options and not field.required else None
            return None if text == default else text
        case Kind.ITEMS | Kind.DURATIONS | Kind.VALUES:
            return _several(field.kind, text)
        case Kind.PAIRS | Kind.COUNTS:
            return _pairs(text, counts=field.kind is Kind.COUNTS)
    return text if field.kind in (Kind.LINES, Kind.JSON) else text.strip()


def _ticked(field: Field, given: list[str]) -> list[str] | None:
    """Return what was ticked; the form always sends one empty value, so that no day at all is told."""
    if field.kind is Kind.DAYS:
        return None if len(given) == len(field.options) else given
    return given or None


def _several(kind: Kind, text: str) -> list[object]:
    """Return the entries of a list: lines, or parts between commas."""
    parts = text.split("\n") if kind is Kind.VALUES else re.split(r"[,\n]", text)
    plain = [part.strip() for part in parts if part.strip()]
    return [_number(part) for part in plain] if kind is Kind.DURATIONS else [*plain]


def _pairs(text: str, *, counts: bool) -> dict[str, object]:
    found: dict[str, object] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        if line.strip():
            found[name.strip()] = _number(value) if counts else value.strip()
    return found


def _number(text: str) -> object:
    """Return a number, or the text when it is none."""
    plain = text.strip()
    if _WHOLE.fullmatch(plain):
        return int(plain)
    return float(plain) if _DECIMAL.fullmatch(plain) else plain


def _duration(value: object) -> str:
    return spoken(float(value)) if is_number(value) and 0 <= value <= 10**9 else _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]
