"""A licence server's usage as JSON data. Pure.

`GET /v1/usage` answers with it, and `outrider licences usage --json` prints it.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from outrider.supply.server.model import ALL
from outrider.supply.server.protocol import EVERYTHING
from outrider.supply.server.usage import Usage


def usage_json(usage: Usage) -> dict[str, Any]:
    """Return `usage` as JSON data: times ISO 8601 in UTC, features by name, "all" for a wish for all."""
    shown: dict[str, Any] = _plain(asdict(usage))
    for client in shown["clients"]:
        for holder in client["holds"]:
            holder["wanted"] = EVERYTHING if holder["wanted"] is ALL else holder["wanted"]
    for denial in shown["denials"]:
        denial["asked"] = EVERYTHING if denial["asked"] is ALL else denial["asked"]
    return shown


def _plain(value: object) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
