"""Lets messages wait their turn: each recipient domain has a line of its own, none holds up another.

`smtp` enters before it takes a connection. `rates` decides how long; this is where the waiting happens.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from outrider.channels.email.rates import DomainRates, RateSettings
from outrider.clock import Clock


class TurnLostError(Exception):
    """The channel was closed before the message's turn came: it was not offered to any server."""


@dataclass(slots=True)
class _Line:
    """The messages to one domain that wait or are on their way, first come first served."""

    places: asyncio.Semaphore | None
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    members: int = 0


class Turns:
    """The lines of one channel. Belongs to one event loop."""

    def __init__(self, settings: RateSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._rates = DomainRates(settings)
        self._lines: dict[str, _Line] = {}
        self._closing = asyncio.Event()
        self._slowed = False

    def open(self) -> None:
        """Let messages wait again."""
        self._closing.clear()

    def close(self) -> None:
        """Send all who wait home: they raise TurnLostError."""
        self._closing.set()

    def slow_down(self, domain: str) -> float:
        """Leave a domain alone for a while, and go on more slowly; return for how many seconds."""
        self._slowed = True
        return self._rates.slow_down(domain, self._now())

    @asynccontextmanager
    async def turn(self, domain: str) -> AsyncIterator[None]:
        """Wait for the domain's turn, and keep one of its places during the block.

        Raises TurnLostError when the channel is closed meanwhile.
        """
        if self._settings.unlimited and self._settings.connections is None and not self._slowed:
            yield
            return
        line = self._lines.setdefault(domain, _Line(self._places()))
        line.members += 1
        try:
            if line.places is None:
                await self._pass(domain, line)
                yield
                return
            async with line.places:
                await self._pass(domain, line)
                yield
        finally:
            line.members -= 1
            if line.members == 0:
                self._lines.pop(domain, None)

    def _places(self) -> asyncio.Semaphore | None:
        connections = self._settings.connections
        return None if connections is None else asyncio.Semaphore(connections)

    async def _pass(self, domain: str, line: _Line) -> None:
        """Wait at the head of the line until the rate allows a message."""
        async with line.order:
            while (seconds := self._rates.wait(domain, self._now())) > 0:
                await self._sleep(seconds)
            if self._closing.is_set():
                raise TurnLostError
            self._rates.take(domain, self._now())

    async def _sleep(self, seconds: float) -> None:
        """Wait on the channel's clock, or until the channel is closed."""
        if self._closing.is_set():
            raise TurnLostError
        waits = (
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._closing.wait()),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _now(self) -> float:
        return self._clock.now().timestamp()
