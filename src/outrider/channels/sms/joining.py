"""Joining the parts of a long text that a person sent. Part of the asyncio edge; `session` has one each.

Parts that come within a moment of each other become one text; a part whose companions stay away is handed
on alone. Either way nothing is acknowledged to the centre before the sink has it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from outrider.channels.model import InboundText
from outrider.channels.sms.inbound import InboundPart
from outrider.channels.sms.segments import PartOf

Take = Callable[[InboundText], Awaitable[None]]
_Key = tuple[str, str, int, int]
PATIENCE = 3.0


@dataclass(slots=True, eq=False)
class _Group:
    """The parts of one text so far; `done` ends when the whole text was taken or refused."""

    parts: dict[int, InboundText] = field(default_factory=dict)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Joining:
    """Collects parts; `patience` is how many seconds a part waits for its companions."""

    def __init__(self, take: Take, patience: float = PATIENCE) -> None:
        self._take = take
        self._patience = patience
        self._groups: dict[_Key, _Group] = {}

    async def add(self, arrived: InboundPart) -> None:
        """Return once the sink has the text, alone or joined; raises what the sink raises."""
        text, part = arrived.text, arrived.part
        if part is None or part.total == 1:
            await self._take(text)
            return
        key = (text.sender, text.recipient, part.reference, part.total)
        group = self._groups.setdefault(key, _Group())
        group.parts[part.number] = text
        if len(group.parts) == part.total:
            del self._groups[key]
            await self._join(group, text)
            return
        await self._wait(key, group, text, part)

    async def _join(self, group: _Group, last: InboundText) -> None:
        """Hand on the whole text, and tell the parts that wait how it went."""
        whole = "".join(group.parts[number].text for number in sorted(group.parts))
        try:
            await self._take(replace(last, text=whole))
        except BaseException as error:
            if not group.done.done():
                group.done.set_exception(
                    error if isinstance(error, Exception) else ConnectionError("interrupted")
                )
                group.done.exception()
            raise
        if not group.done.done():
            group.done.set_result(None)

    async def _wait(self, key: _Key, group: _Group, text: InboundText, part: PartOf) -> None:
        """Wait for the others; after the patience hand this part on alone."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while not group.done.done():
            left = deadline - loop.time()
            if left > 0:
                await asyncio.wait([group.done], timeout=left)
            elif self._groups.get(key) is group:
                del group.parts[part.number]
                if not group.parts:
                    del self._groups[key]
                await self._take(text)
                return
            else:
                await asyncio.wait([group.done])
        group.done.result()
