"""Requests that are safe to repeat, repeated until they are answered: `AgentClient` sends all by it."""

import asyncio
from typing import Any, Final

import httpx

from outrider.client.errors import AgentApiError, of_answer

PASSING: Final = frozenset({429, 502, 503, 504})
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0


class Retrying:
    """One HTTP client that does not give up for `patience` seconds while the server is away."""

    def __init__(self, http: httpx.AsyncClient, patience: float) -> None:
        self.http = http
        self._patience = patience

    async def send(self, method: str, path: str, **options: Any) -> Any:
        """Return the parsed answer. AgentApiError, which says how many answers were lost before it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        pause, lost = FIRST_PAUSE, 0
        while True:
            try:
                answer = await self.http.request(method, path, **options)
                error = None if answer.is_success else of_answer(answer.status_code, answer.content)
            except httpx.TransportError as failure:
                reason = str(failure) or type(failure).__name__
                error = AgentApiError(f"the server cannot be reached: {reason}", "away", 0)
            else:
                if error is None:
                    return answer.json() if answer.content else None
            error.lost = lost
            if (error.status not in PASSING and error.status) or loop.time() + pause > until:
                raise error
            await asyncio.sleep(pause)
            pause, lost = min(pause * 2, LONGEST_PAUSE), lost + 1
