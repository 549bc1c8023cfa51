"""Wake-ups for dial loops and the supervisor: who waits is woken when its pool or the whole system moved.

Nudges are hints derived from commits; every waiter also polls, so that a lost nudge costs a second at most.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from outrider.ids import PoolId


class Wake:
    """Flags of one event loop: one per dial loop, grouped by pool, and one for the supervisor."""

    def __init__(self) -> None:
        self.everything = asyncio.Event()
        self._loops: dict[PoolId, set[asyncio.Event]] = defaultdict(set)

    def register(self, pool_id: PoolId) -> asyncio.Event:
        """Return a new flag that nudges of the pool set."""
        flag = asyncio.Event()
        self._loops[pool_id].add(flag)
        return flag

    def unregister(self, pool_id: PoolId, flag: asyncio.Event) -> None:
        """Forget a flag."""
        self._loops[pool_id].discard(flag)

    def nudge(self, pool_ids: Iterable[PoolId]) -> None:
        """Wake the dial loops of these pools: units or contacts may have become free."""
        for pool_id in pool_ids:
            for flag in self._loops[pool_id]:
                flag.set()

    def nudge_all(self) -> None:
        """Wake every dial loop and the supervisor: jobs, limits or licences changed."""
        self.everything.set()
        self.nudge(tuple(self._loops))


async def wait_for(flag: asyncio.Event, timeout: float) -> None:  # noqa: ASYNC109 - a pause, not a deadline
    """Wait until the flag is set, `timeout` real seconds at most, and clear it."""
    try:
        async with asyncio.timeout(max(0.0, timeout)):
            await flag.wait()
    except TimeoutError:
        pass
    flag.clear()
