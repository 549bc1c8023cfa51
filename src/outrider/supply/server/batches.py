"""Requests that arrive while a transaction runs are answered together by the next one.

`lease_endpoint` uses it: one disk flush and one reading of the ledger serve up to MOST_TOGETHER renewals.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from outrider.supply.server.model import LeaseAnswer, LeaseRequest

MOST_TOGETHER = 256

GATHERED = 0.003
"""Seconds that the first request waits for company: a batch of 50 costs little more than one of 1."""

Work = Callable[[Sequence[LeaseRequest]], Awaitable[Sequence[LeaseAnswer]]]


class Batches:
    """Collects requests and gives them to `work`, one batch at a time, in order of arrival."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: deque[tuple[LeaseRequest, asyncio.Future[LeaseAnswer]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def answer(self, request: LeaseRequest) -> LeaseAnswer:
        """Return the answer to `request`, once it is committed; raises what `work` raises."""
        future: asyncio.Future[LeaseAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHERED)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            try:
                answers = await self._work([request for request, _ in batch])
            except Exception as error:  # noqa: BLE001 - it is the callers', whatever it is
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
