"""Commands that carry an id are done once: whoever repeats one gets the answer of the first time.

The Agent Web API keeps one `Answers` beside the floor. What changed the world is also written down
(`desk_service.do_once`), so that it is not done again after a restart.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection

from outrider.agents.model import SessionId
from outrider.errors import ChannelError, ConflictError, FloorElsewhereError, OutriderError, StoreError

KEPT = 1_000
"""Answers that are remembered of a session."""
PASSING = (StoreError, ChannelError, FloorElsewhereError)
"""Failures that say nothing of the command itself: it may be tried again under the same id."""

Doing = tuple[str, "asyncio.Future[OutriderError | None]"]
Key = tuple[int | None, str]
"""Who gave a command, None for the session's own agent, and its id: everybody counts for themselves."""


class Answers:
    """What was answered to commands, by session and id."""

    def __init__(self) -> None:
        self._kept: dict[SessionId, OrderedDict[Key, Doing]] = {}
        self._running: set[asyncio.Future[OutriderError | None]] = set()

    async def once(
        self,
        session_id: SessionId,
        command_id: str,
        name: str,
        do: Callable[[], Awaitable[None]],
        *,
        supervisor: int | None = None,
    ) -> None:
        """Do a command, unless one of that id was done or refused: then repeat what was answered.

        Without an id it is done in any case. `supervisor` is the user who gives it, if not the agent.
        ConflictError when the id belongs to a command of another name.
        """
        if not command_id:
            refusal = await asyncio.shield(self._begin(do))
            if refusal is not None:
                raise refusal
            return
        kept, key = self._kept.setdefault(session_id, OrderedDict()), (supervisor, command_id)
        if key not in kept:
            kept[key] = (name, self._begin(do))
            if len(kept) > KEPT:
                kept.popitem(last=False)
        first, doing = kept[key]
        if first != name:
            raise ConflictError(f"id: {command_id!r} was given to the command {first}; use a new one")
        try:
            refusal = await asyncio.shield(doing)
        except Exception:
            kept.pop(key, None)
            raise
        if isinstance(refusal, PASSING):
            kept.pop(key, None)
        if refusal is not None:
            raise refusal

    def forget_all_but(self, sessions: Collection[SessionId]) -> None:
        """Forget the answers of sessions that are over."""
        for over in self._kept.keys() - set(sessions):
            del self._kept[over]

    def _begin(self, do: Callable[[], Awaitable[None]]) -> "asyncio.Future[OutriderError | None]":
        """Do it in a task of its own: a desktop that goes away in between leaves no command half done."""
        doing = asyncio.ensure_future(_answer(do))
        # The loop itself holds tasks only weakly.
        self._running.add(doing)
        doing.add_done_callback(self._running.discard)
        return doing


async def _answer(do: Callable[[], Awaitable[None]]) -> OutriderError | None:
    try:
        await do()
    except OutriderError as error:
        return error
    return None
