"""Where calls get the licensed speech connections of one worker: at once, or in the order in which they came.

The driver asks it for the engine. Units are rows in the database (`speech.service`), so that no two workers
take the same one and a crash leaks none; waiting calls look again when one is given back here, and at least
every half second for those that other workers give back.
"""

import asyncio
from collections import defaultdict

import structlog

from outrider.clock import Clock, stopwatch
from outrider.db.database import Database
from outrider.errors import StoreError
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.speech import service as speech

log = structlog.get_logger(__name__)

LOOK_AGAIN = 0.5
"""Real seconds between two looks at units that other workers may have given back."""


class SpeechDesk:
    """The waiting calls of one worker, by kind."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._freed: dict[LicenceKind, asyncio.Event] = defaultdict(asyncio.Event)
        self._turns: dict[LicenceKind, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, attempt_id: AttemptId, kind: LicenceKind, patience: float) -> bool:
        """Take a unit for a call, waiting up to `patience` seconds of the clock; say if it has one."""
        deadline = stopwatch() + patience / float(getattr(self._clock, "speed", 1.0))
        taken = (
            await self._try(attempt_id, kind)
            if patience <= 0
            else await self._wait(attempt_id, kind, deadline)
        )
        if not taken:
            await self._note_refusal(kind)
        return taken

    async def _wait(self, attempt_id: AttemptId, kind: LicenceKind, deadline: float) -> bool:
        try:
            # One call at a time looks, in the order of arrival: that is what makes the queue fair.
            async with asyncio.timeout(max(0.0, deadline - stopwatch())), self._turns[kind]:
                while not await self._try(attempt_id, kind):
                    await self._some_freed(kind)
                return True
        except TimeoutError:
            return False

    async def give(self, attempt_id: AttemptId, kind: LicenceKind) -> None:
        """Give a unit back while the call goes on."""
        while True:
            try:
                await self._database.write(speech.give, attempt_id, kind)
                break
            except StoreError as error:
                log.warning("speech_unit_waits_for_database", call_id=attempt_id, error=error.message)
                await asyncio.sleep(LOOK_AGAIN)
        self.freed(kind)

    def freed(self, *kinds: LicenceKind) -> None:
        """Let waiting calls look: units were given back, by `give` or with the end of a call."""
        for kind in kinds or tuple(self._freed):
            self._freed[kind].set()

    async def _note_refusal(self, kind: LicenceKind) -> None:
        try:
            await self._database.write(speech.refuse, kind)
        except StoreError as error:
            log.warning("speech_refusal_not_counted", kind=kind.value, error=error.message)

    async def _some_freed(self, kind: LicenceKind) -> None:
        event = self._freed[kind]
        event.clear()
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await event.wait()
        except TimeoutError:
            return

    async def _try(self, attempt_id: AttemptId, kind: LicenceKind) -> bool:
        try:
            return await self._database.write(speech.take, attempt_id, kind, self._clock.now())
        except StoreError as error:
            log.warning("speech_unit_waits_for_database", call_id=attempt_id, error=error.message)
            return False
