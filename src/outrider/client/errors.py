"""What the Agent Web API answers when it refuses; the client raises it."""

import json
from collections.abc import Mapping
from typing import Any

from outrider.errors import OutriderError


class AgentApiError(OutriderError):
    """A refusal: `code` is the problem's stable name, `status` that of HTTP, `facts` what else it says."""

    def __init__(self, message: str, code: str, status: int, **facts: object) -> None:
        super().__init__(message, **facts)
        self.code = code
        self.status = status
        self.lost = 0
        """Requests before this one whose answers were lost: what they asked for may have been done."""


def of_problem(problem: Mapping[str, Any]) -> AgentApiError:
    """Return the error that a problem document tells. KeyError and ValueError when it is none."""
    known = {"type", "title", "status", "detail", "code"}
    facts = {key: value for key, value in problem.items() if key not in known}
    return AgentApiError(str(problem["detail"]), str(problem["code"]), int(problem["status"]), **facts)


def of_answer(status: int, body: bytes | str) -> AgentApiError:
    """Return the error in an answer that is no success: a problem document, or anything else."""
    try:
        return of_problem({**json.loads(body), "status": status})
    except (ValueError, TypeError, KeyError):
        return AgentApiError(f"the server answered {status}", f"http_{status}", status)
