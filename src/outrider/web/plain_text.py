"""Refuses what no database can store before any endpoint sees it: NUL, lone surrogates, NaN and infinities.

A dependency of the whole app. It looks only at what the framework has read already, never at uploads.
"""

import math
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.params import Form
from starlette.datastructures import UploadFile
from starlette.requests import HTTPConnection

from outrider.errors import InvalidInputError


async def refuse_unstorable(connection: HTTPConnection) -> None:
    """InvalidInputError when the path, the query or a parsed body holds what no database can store."""
    for where, values in (("path", connection.path_params), ("query", connection.query_params.multi_items())):
        check(values, where)
    if isinstance(connection, Request):
        await _refuse_body(connection)


async def _refuse_body(request: Request) -> None:
    body_field = getattr(request.scope.get("route"), "body_field", None)
    if body_field is None:
        return
    if isinstance(body_field.field_info, Form):
        form = await request.form()
        check([pair for pair in form.multi_items() if not isinstance(pair[1], UploadFile)], "body")
    elif "json" in request.headers.get("content-type", "") and await request.body():
        check(await request.json(), "body")


def check(value: Any, where: str) -> None:
    """InvalidInputError, naming `where`, when a JSON-like value holds something that cannot be stored."""
    # A list of places instead of recursion: JSON may be nested deeper than the stack.
    waiting: list[tuple[Any, str]] = [(value, where)]
    while waiting:
        found, place = waiting.pop()
        if isinstance(found, str):
            reason = _fault(found)
        elif isinstance(found, float) and not math.isfinite(found):
            reason = "is not a finite number"
        else:
            reason = ""
            if isinstance(found, Mapping):
                waiting += [(name, place) for name in found]
                waiting += [(inner, f"{place}.{name}") for name, inner in found.items()]
            elif isinstance(found, (list, tuple)):
                waiting += [(inner, place) for inner in found]
        if reason:
            shown = place.encode("ascii", "replace").decode().replace("\x00", "?")
            raise InvalidInputError(f"{shown}: {reason}", where=shown)


def _fault(text: str) -> str:
    if "\x00" in text:
        return "contains the character NUL, which cannot be stored"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return ""
