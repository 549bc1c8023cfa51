"""Tells what one worker sees of its ways out: into the log once per change, and into the database for pages.

The worker runs it beside its dial loops. Each watch looks at one sort of channel; a fault in one is logged,
and keeps nobody from dialing.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from outrider.channel_reports import service
from outrider.channel_reports.model import Report, Sight
from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.errors import OutriderError, StoreError
from outrider.runtime.wake import wait_for

log = structlog.get_logger(__name__)

RETRY = 1.0
"""Real seconds between two tries to write, and before a watch that failed looks again."""


class Listener(Protocol):
    """Whom a watch tells."""

    def tell(self, report: Report) -> None:
        """Take what is seen of a way out now."""
        ...

    def keep(self, prefix: str, channels: Iterable[str]) -> None:
        """Forget all ways out whose key begins with `prefix` but these."""
        ...


class Watch(Protocol):
    """Looks at some ways out."""

    @property
    def pause(self) -> float:
        """Return the real seconds between two looks."""
        ...

    async def look(self, listener: Listener) -> None:
        """Look once, and tell. Nothing may be raised but OutriderError."""
        ...


class ChannelKeeper:
    """What one worker sees now. Times in the database are real: a report lives as long as its worker."""

    def __init__(self, database: Database, watches: Sequence[Watch]) -> None:
        self._database = database
        self._watches = tuple(watches)
        self._clock = RealClock()
        self._seen: dict[str, Report] = {}
        self._unwritten: dict[str, Report | None] = {}
        self._changed = asyncio.Event()

    async def run(self, worker_id: str) -> None:
        """Watch, and write down as `worker_id`, until cancelled."""
        self._unwritten = dict(self._seen)
        self._changed.set()
        async with asyncio.TaskGroup() as group:
            for watch in self._watches:
                group.create_task(self._follow(watch))
            while True:
                await wait_for(self._changed, RETRY)
                await self._write(worker_id)

    def tell(self, report: Report) -> None:
        """Take what is seen of a way out now; only a change is logged and written."""
        before = self._seen.get(report.channel)
        if report == before:
            return
        self._seen[report.channel] = report
        self._unwritten[report.channel] = report
        self._changed.set()
        if report.sight is Sight.UNTRIED and not report.sentences:
            return
        write = log.info if report.sight in {Sight.WORKING, Sight.UNTRIED} else log.warning
        for sentence in report.sentences or ("",):
            sight = report.sight.value
            write("channel_seen", channel=report.channel, name=report.name, sight=sight, message=sentence)

    def keep(self, prefix: str, channels: Iterable[str]) -> None:
        """Forget all ways out whose key begins with `prefix` but these."""
        kept = set(channels)
        for channel in [each for each in self._seen if each.startswith(prefix) and each not in kept]:
            del self._seen[channel]
            self._unwritten[channel] = None
            self._changed.set()

    async def _follow(self, watch: Watch) -> None:
        while True:
            try:
                await watch.look(self)
            except OutriderError as error:
                log.warning("channel_not_looked_at", watch=type(watch).__name__, error=error.message)
            except Exception:
                log.exception("channel_not_looked_at", watch=type(watch).__name__)
                await asyncio.sleep(RETRY)
            await asyncio.sleep(watch.pause)

    async def _write(self, worker_id: str) -> None:
        if not self._unwritten:
            return
        news, self._unwritten = self._unwritten, {}
        reports = [each for each in news.values() if each is not None]
        gone = [channel for channel, each in news.items() if each is None]
        try:
            await self._database.write(service.tell, worker_id, reports, gone, self._clock.now())
        except StoreError as error:
            log.warning("channel_reports_wait_for_database", error=error.message)
            # What was told meanwhile is newer.
            self._unwritten = {**news, **self._unwritten}
