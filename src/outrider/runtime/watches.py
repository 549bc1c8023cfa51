"""How the ways out are looked at: mail server, message centres, carrier, media and speech servers.

`ways_out.py` makes them for the worker's `ChannelKeeper`. Checks are those of the command line, so that
page, log and command say the same sentence.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from outrider.channel_reports import service
from outrider.channel_reports.model import Kind, Report, Sight, report_of
from outrider.channels.sms.channel import ConnectionState
from outrider.clock import stopwatch
from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.media import service as media
from outrider.media.checking import Finding
from outrider.media.model import Connection, MediaServerId, SeenAs
from outrider.media.model import Report as Seen
from outrider.media.port_findings import joined, without_server
from outrider.runtime.channel_keeper import Listener
from outrider.speech import service as speech
from outrider.speech.model import SpeechServer

SOON, LATER, CALM = 5.0, 60.0, 300.0
"""Real seconds after which what is wrong is tried again, at first and at last, and what works."""

Check = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass
class Pace:
    """When something is to be tried again: soon after a fault, then ever more seldom."""

    again: float = SOON
    due: float = 0.0

    def is_due(self) -> bool:
        """Return whether it is time."""
        return stopwatch() >= self.due

    def tried(self, *, good: bool) -> None:
        """Note the end of a try."""
        self.again = SOON if good else min(LATER, 2 * self.again)
        self.due = stopwatch() + (CALM if good else self.again)


@dataclass
class MailWatch:
    """Tries the mail server at the start, when sending failed (`trouble` says why), and now and then."""

    check: Check
    trouble: Callable[[], str]
    pause: float = 1.0
    _pace: Pace = field(default_factory=Pace)
    _report: Report = field(default_factory=lambda: Report(Kind.EMAIL, Sight.UNTRIED))
    _troubled_at: float | None = None

    async def look(self, listener: Listener) -> None:
        """Look whether sending fails, and try when it is time."""
        trouble = self.trouble()
        if trouble and self._troubled_at is None:
            self._pace = Pace()
        if self._pace.is_due():
            self._report = report_of(Kind.EMAIL, await self.check())
            self._pace.tried(good=self._report.sight is not Sight.FAILING)
        if trouble:
            self._troubled_at = stopwatch()
        elif self._troubled_at is not None and stopwatch() - self._troubled_at > LATER:
            self._troubled_at = None
        report = self._report
        if trouble and report.sight is not Sight.FAILING:
            # The check finds nothing, but mail does not go out: the server's own words say why.
            report = Report(Kind.EMAIL, Sight.FAILING, (trouble,))
        elif self._troubled_at is not None and report.sight is not Sight.FAILING:
            return
        listener.tell(report)


@dataclass
class TextWatch:
    """Looks at the connections to message centres, which keep themselves up."""

    connections: Callable[[], Iterable[ConnectionState]]
    pause: float = 0.5

    async def look(self, listener: Listener) -> None:
        """Tell how each connection stands."""
        for each in self.connections():
            listener.tell(text_report(each))


def text_report(state: ConnectionState) -> Report:
    """Return a connection to a message centre as a report."""
    channel = f"{Kind.SMS}.{state.settings.name}"
    if state.bound:
        complaint = (state.complaint,) if state.complaint else ()
        return Report(channel, Sight.LIMITED if complaint else Sight.WORKING, complaint)
    if not state.tried:
        return Report(channel, Sight.UNTRIED)
    return Report(channel, Sight.FAILING, (state.trouble,))


@dataclass
class CarrierWatch:
    """Looks at the simulated carrier of a process of its own: `trouble` says why it is not connected."""

    trouble: Callable[[], str | None]
    pause: float = 0.5

    async def look(self, listener: Listener) -> None:
        """Tell how it stands, once it was tried."""
        trouble = self.trouble()
        if trouble is None:
            return
        sight = Sight.FAILING if trouble else Sight.WORKING
        listener.tell(Report(Kind.CARRIER, sight, (trouble,) if trouble else ()))


@dataclass
class MediaWatch:
    """Looks behind media servers that are connected: modules, trunk, codecs, and whether calls can come."""

    database: Database
    sealer: Sealer
    seen: Callable[[], Mapping[MediaServerId, Seen]]
    check: Callable[[Connection], Awaitable[Sequence[Finding]]]
    pause: float = 1.0
    _tried: dict[MediaServerId, tuple[Connection, Pace]] = field(default_factory=dict)
    _found: dict[MediaServerId, tuple[Finding, ...]] = field(default_factory=dict)

    async def look(self, listener: Listener) -> None:
        """Try servers that have just been connected or changed, and those with faults now and then."""
        seen = self.seen()
        known = await self.database.read(media.connections, self.sealer)
        connected = [each for each in known if each.id in seen and seen[each.id].seen_as is SeenAs.CONNECTED]
        for gone in self._tried.keys() - {each.id for each in connected}:
            del self._tried[gone]
            self._found.pop(gone, None)
        await asyncio.gather(*(self._try(each) for each in connected))
        ports = await self.database.read(media.port_findings)
        for each in connected:
            found = joined(self._found.get(each.id, ()), ports.get(each.id, ()))
            listener.tell(report_of(f"{Kind.MEDIA}.{each.id}", found, each.name))
        listener.keep(f"{Kind.MEDIA}.", [f"{Kind.MEDIA}.{each.id}" for each in connected])
        await self._look_at_zones(listener)

    async def _try(self, connection: Connection) -> None:
        before, pace = self._tried.get(connection.id, (None, Pace()))
        if before != connection:
            pace = Pace()
        elif not pace.is_due():
            return
        found = tuple(await self.check(connection))
        self._found[connection.id] = found
        pace.tried(good=report_of("", found).sight is Sight.WORKING)
        self._tried[connection.id] = (connection, pace)

    async def _look_at_zones(self, listener: Listener) -> None:
        starved = await self.database.read(service.zones_without_servers)
        for zone in starved:
            listener.tell(Report(f"{Kind.ZONE}.{zone}", Sight.FAILING, (without_server(zone),), zone))
        listener.keep(f"{Kind.ZONE}.", [f"{Kind.ZONE}.{zone}" for zone in starved])


@dataclass
class SpeechWatch:
    """Tries speech servers when they are new or changed, and those with faults now and then."""

    database: Database
    check: Callable[[SpeechServer], Awaitable[Sequence[Finding]]]
    pause: float = 2.0
    _tried: dict[int, tuple[SpeechServer, Pace]] = field(default_factory=dict)

    async def look(self, listener: Listener) -> None:
        """Try what is due, one after the other: an engine may take a processor for itself."""
        servers = [each for each in await self.database.read(speech.servers) if each.enabled]
        for server in servers:
            # What calls use of it says nothing about the engine.
            configured = replace(server, granted=0, in_use=0, refused=0)
            before, pace = self._tried.get(server.id, (None, Pace()))
            if before != configured:
                pace = Pace()
            elif not pace.is_due():
                continue
            report = report_of(f"{Kind.SPEECH}.{server.id}", await self.check(server), server.name)
            pace.tried(good=report.sight is Sight.WORKING)
            self._tried[server.id] = (configured, pace)
            listener.tell(report)
        listener.keep(f"{Kind.SPEECH}.", [f"{Kind.SPEECH}.{each.id}" for each in servers])
