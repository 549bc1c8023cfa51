"""Commands that carry an id are done once: whoever repeats one gets the answer of the first time.

The Agent Web API keeps one `Answers` beside the floor. What changed the world is also written down
(`desk_service.do_once`), so that it is not done again after a restart.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from outrider.agents.model import SessionId
from outrider.errors import ChannelError, ConflictError, FloorElsewhereError, OutriderError, StoreError

KEPT = 1_000
"""Answers that are remembered of a session."""
PASSING = (StoreError, ChannelError, FloorElsewhereError)
"""Failures that say nothing of the command itself: it may be tried again under the same id."""

Doing = tuple[str, "asyncio.Future[OutriderError | None]"]


class Answers:
    """What was answered to commands, by session and id."""

    def __init__(self) -> None:
        self._kept: dict[SessionId, OrderedDict[str, Doing]] = {}

    async def once(
        self, session_id: SessionId, command_id: str, name: str, do: Callable[[], Awaitable[None]]
    ) -> None:
        """Do a command, unless one of that id was done or refused: then repeat what was answered.

        Without an id it is simply done. ConflictError when the id belongs to a command of another name.
        """
        if not command_id:
            await do()
            return
        kept = self._kept.setdefault(session_id, OrderedDict())
        if command_id not in kept:
            # A task of its own: a desktop that goes away in between does not leave a command half done.
            kept[command_id] = (name, asyncio.ensure_future(_answer(do)))
            if len(kept) > KEPT:
                kept.popitem(last=False)
        first, doing = kept[command_id]
        if first != name:
            raise ConflictError(f"id: {command_id!r} was given to the command {first}; use a new one")
        try:
            refusal = await asyncio.shield(doing)
        except Exception:
            kept.pop(command_id, None)
            raise
        if isinstance(refusal, PASSING):
            kept.pop(command_id, None)
        if refusal is not None:
            raise refusal

    def forget(self, session_id: SessionId) -> None:
        """Forget the answers of a session that is over."""
        self._kept.pop(session_id, None)


async def _answer(do: Callable[[], Awaitable[None]]) -> OutriderError | None:
    try:
        await do()
    except OutriderError as error:
        return error
    return None
