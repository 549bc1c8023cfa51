"""Commands that arrive within `coalesce` seconds of each other share one transaction and one recalculation.

The job endpoints and the board send their writes through here (licensing.md 5). A command waits at most
`coalesce` for others, and never longer because more arrive; each fails or succeeds by itself.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from outrider.clock import Clock
from outrider.db.database import Database, Tx, as_told, is_retryable, savepoint
from outrider.licences import deferral, service
from outrider.licences.service import SharingRules

P = ParamSpec("P")
T = TypeVar("T")

Work = Callable[[Tx], Any]


class Coalescer:
    """Collects writes of one event loop. Results are those of before the recalculation: read quotas after."""

    def __init__(self, database: Database, rules: SharingRules, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._runs: set[asyncio.Task[None]] = set()

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` with the other commands of the moment, commit, and return its result."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda tx: fn(tx, *args, **kwargs), future))
        if len(self._waiting) == 1:
            run = asyncio.get_running_loop().create_task(self._run())
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
        return await future

    async def _run(self) -> None:
        await asyncio.sleep(self._rules.coalesce)
        batch, self._waiting = self._waiting, []
        try:
            outcomes = await self._database.write(self._together, [work for work, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever undid the transaction is everybody's answer
            outcomes = [(None, error) for _ in batch]
        for (_, future), (result, problem) in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)

    def _together(self, tx: Tx, works: list[Work]) -> list[tuple[Any, Exception | None]]:
        outcomes: list[tuple[Any, Exception | None]] = []
        with deferral.deferring(tx) as requests:
            for work in works:
                before = {pool_id: len(asked) for pool_id, asked in requests.items()}
                try:
                    with savepoint(tx):
                        outcomes.append((work(tx), None))
                except Exception as error:
                    # A deadlock undoes the whole transaction, which is then run again as a whole.
                    if len(works) == 1 or is_retryable(error):
                        raise
                    for pool_id in tuple(requests):
                        del requests[pool_id][before.get(pool_id, 0) :]
                    outcomes.append((None, as_told(error)))
        for pool_id in sorted(pool_id for pool_id, asked in requests.items() if asked):
            asked = deferral.together(requests[pool_id])
            service.recalculate_pool(
                tx,
                self._rules,
                pool_id,
                self._clock.now(),
                asked.trigger,
                task_id=asked.task_id,
                cause=asked.cause,
                actor=asked.actor,
            )
        return outcomes
