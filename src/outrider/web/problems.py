"""What went wrong, as RFC 9457 describes it: one table from our error codes to HTTP. Pure.

`web/errors.py` turns exceptions into these, and these into problem+json or a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.errors import OutriderError

TABLE: Mapping[str, tuple[int, str]] = {
    "invalid_input": (422, "The input is not valid"),
    "import_file": (422, "The file cannot be imported"),
    "licence_file": (422, "The licence file is refused"),
    "malformed": (400, "The request cannot be read"),
    "not_authenticated": (401, "Not signed in"),
    "not_allowed": (403, "Not allowed"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "conflict": (409, "The present state forbids this"),
    "illegal_transition": (409, "Not possible in the present state"),
    "licence_shortage": (409, "Not enough licences"),
    "too_large": (413, "The request is too large"),
    "throttled": (429, "Too many tries"),
    "error": (500, "The request failed"),
    "incident": (500, "Something went wrong on our side"),
    "channel": (502, "A server that we depend on failed"),
    "store": (503, "The database is not available"),
    "floor_elsewhere": (503, "The agents are served by another process"),
}
"""code -> (HTTP status, title). The code is the stable name of a problem."""

_CODE_OF_STATUS = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is not a success; `facts` become further members, `headers` go with the answer."""

    code: str
    status: int
    title: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the members of the problem document (RFC 9457, 3.1)."""
        return {
            **self.facts,
            "type": f"urn:outrider:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }


def problem(
    code: str, detail: str, facts: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Problem:
    """Return the problem of a code of TABLE (KeyError for any other)."""
    status, title = TABLE[code]
    return Problem(code, status, title, detail, facts or {}, headers or {})


def of_error(error: OutriderError) -> Problem:
    """Return the problem of one of our errors; an unlisted subclass answers as its base does."""
    listed = next(
        (cls.code for cls in type(error).__mro__ if issubclass(cls, OutriderError) and cls.code in TABLE),
        OutriderError.code,
    )
    status, title = TABLE[listed]
    headers: dict[str, str] = {}
    if status == TABLE["not_authenticated"][0]:
        headers["WWW-Authenticate"] = 'Bearer realm="outrider"'
    if "retry_after" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after"])
    return Problem(error.code, status, title, error.message, error.facts, headers)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem of an HTTP status that the framework chose, such as 404 or 405."""
    if status in _CODE_OF_STATUS:
        return problem(_CODE_OF_STATUS[status], detail, headers=headers)
    return Problem(f"http_{status}", status, "The request failed", detail, {}, headers or {})


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem of a request that breaks its schema; `problems` lists every place."""
    problems = [
        {"where": ".".join(str(part) for part in error["loc"]) or "body", "message": _message(error)}
        for error in errors
    ]
    first = f"{problems[0]['where']}: {problems[0]['message']}" if problems else "the request is not valid"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problem("invalid_input", first + more, {"problems": problems})


def _message(error: Mapping[str, Any]) -> str:
    # pydantic prefixes messages of our own validators.
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return f"not valid JSON ({error['ctx']['error']})"
    return text[:1].lower() + text[1:]
