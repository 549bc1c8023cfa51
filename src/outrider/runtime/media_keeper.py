"""Keeps one worker connected to the registered media servers, and tells the registry what it sees of them.

The worker runs it. The registry is read about once a second; what changes on a connection is told at once,
so that ports move to other servers within a moment.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from outrider.clock import Clock, stopwatch
from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.errors import OutriderError, StoreError
from outrider.media import service as media
from outrider.media import sharing
from outrider.media.model import Connection, MediaServerId, Report, SeenAs
from outrider.runtime.wake import wait_for

log = structlog.get_logger(__name__)

TELL_ALL = 5.0
"""Real seconds after which everything that is seen is told again."""


class Fleet(Protocol):
    """The voice channel over all media servers, as the keeper sees it."""

    on_change: Callable[[], None] | None
    """Called when what is seen of a server has changed."""

    async def configure(self, connections: Sequence[Connection]) -> None:
        """Be connected to exactly these servers; calls on others are left alone."""
        ...

    def seen(self) -> Mapping[MediaServerId, Report]:
        """Return what is seen of each server now."""
        ...


class MediaKeeper:
    """One worker's connections to media servers. `poll` is real seconds."""

    def __init__(
        self, database: Database, clock: Clock, real_clock: Clock, sealer: Sealer, fleet: Fleet, poll: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._real_clock = real_clock
        self._sealer = sealer
        self._fleet = fleet
        self._poll = poll
        self._changed = asyncio.Event()
        self._connections: tuple[Connection, ...] | None = None
        self._told: dict[MediaServerId, Report] = {}
        self._logged: dict[MediaServerId, Report] = {}
        self._told_all_at = stopwatch()
        fleet.on_change = self._changed.set

    async def connect(self) -> None:
        """Connect to what is registered now: before anybody asks what is up. StoreError."""
        connections = await self._database.read(media.connections, self._sealer)
        if connections != self._connections:
            await self._fleet.configure(connections)
            self._connections = connections
            self._told.clear()

    async def run(self, worker_id: str) -> None:
        """Follow the registry, and report as `worker_id`, until cancelled."""
        while True:
            try:
                await self.connect()
                await self._report(worker_id)
            except StoreError as error:
                log.warning("media_servers_wait_for_database", error=error.message)
            except OutriderError as error:
                log.warning("media_servers_not_configured", error=error.message)
            await wait_for(self._changed, self._poll)

    def unusable(self) -> frozenset[int]:
        """Return the servers that this worker is not connected to: it places no calls there."""
        seen = self._fleet.seen()
        return frozenset(
            each.id
            for each in self._connections or ()
            if each.id not in seen or seen[each.id].seen_as is not SeenAs.CONNECTED
        )

    async def _report(self, worker_id: str) -> None:
        seen = dict(self._fleet.seen())
        # The registry forgets what it was told when a server is changed: everything is told now and then.
        if stopwatch() - self._told_all_at >= TELL_ALL:
            self._told_all_at = stopwatch()
            self._told.clear()
        news = [report for server, report in sorted(seen.items()) if self._told.get(server) != report]
        if not news:
            return
        await self._database.write(sharing.report, worker_id, news, self._clock.now(), self._real_clock.now())
        self._told = seen
        for report in news:
            # The same is told again and again, and logged once.
            if self._logged.get(report.server_id) != report:
                self._logged[report.server_id] = report
                _log(report)


def _log(report: Report) -> None:
    calm = report.seen_as in {SeenAs.CONNECTED, SeenAs.CONNECTING}
    (log.info if calm else log.warning)(
        "media_server_seen",
        server=report.server_id,
        seen_as=report.seen_as.value,
        version=report.version,
        message=report.message,
    )
