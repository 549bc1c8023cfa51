"""Channel reports over each database: written by workers, gone with them, and the keeper that tells."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from structlog.testing import capture_logs

from outrider.channel_reports import service
from outrider.channel_reports.model import Kind, Report, Sight, Way
from outrider.clock import RealClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.errors import ChannelError
from outrider.licences import division_store
from outrider.media.checking import Finding, Level
from outrider.runtime import store
from outrider.runtime.channel_keeper import ChannelKeeper, Listener
from outrider.runtime.watches import MailWatch
from support.processes import eventually

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
WAYS = (
    Way("email", Kind.EMAIL, "Mail server", "mail.example:587"),
    Way("carrier", Kind.CARRIER, "Carrier", "x"),
)


def worker(database: Database, name: str, now: dt.datetime = NOON) -> None:
    database.write_now(store.add_worker, name, name, now, now + MINUTE)


def tell(database: Database, name: str, *reports: Report, gone: tuple[str, ...] = ()) -> bool:
    return database.write_now(service.tell, name, reports, gone, NOON)


def rows(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(schema.channel_reports)).scalar_one())


def test_reports_are_replaced_dropped_and_gone_with_their_worker(database: Database) -> None:
    for name in ("a", "b"):
        worker(database, name)
    assert tell(database, "a", Report("email", Sight.WORKING), Report("sms.main", Sight.FAILING, ("x", "y")))
    assert tell(database, "a", Report("email", Sight.FAILING, ("no\nsuch  host" * 200,)))
    assert tell(database, "b", Report("email", Sight.WORKING))
    found = database.read_now(service.standings, NOON)
    assert found["sms.main"].sentences == ("x", "y")
    assert (found["email"].sight, found["email"].workers, found["email"].affected) == (Sight.FAILING, 2, 1)
    assert found["email"].sentences[0].startswith("no such host")
    assert len(found["email"].sentences[0]) == 600
    assert tell(database, "a", gone=("sms.main",))
    assert "sms.main" not in database.read_now(service.standings, NOON)
    # A worker whose lease has run out says nothing any more, and takes its rows along.
    assert database.read_now(service.standings, NOON + 2 * MINUTE) == {}
    database.write_now(store.remove_workers, ["a"])
    assert database.read_now(service.standings, NOON)["email"].sight is Sight.WORKING
    assert not tell(database, "a", Report("email", Sight.WORKING))
    assert database.read_now(rows) == 1


def test_the_overview_has_every_way_out_in_order(database: Database) -> None:
    database.write_now(division_store.ensure_defaults, NOON)
    worker(database, "a")
    tell(database, "a", Report("zone.south", Sight.FAILING, ("calls wait",)))
    found = database.read_now(service.overview, WAYS, NOON)
    assert [each.way.key for each in found] == ["carrier", "zone.south", "email"]
    assert [each.standing is None for each in found] == [True, False, True]


@dataclass
class Script:
    """A watch that tells one report after the other, and fails in between."""

    reports: list[Report | None]
    done: asyncio.Event = field(default_factory=asyncio.Event)
    pause: float = 0.0

    async def look(self, listener: Listener) -> None:
        if not self.reports:
            self.done.set()
            return
        report = self.reports.pop(0)
        if report is None:
            listener.keep("sms.", [])
            raise ChannelError("a fault of the watch")
        listener.tell(report)


def test_the_keeper_logs_and_writes_changes_alone(database: Database) -> None:
    now = RealClock().now()
    worker(database, "a", now)
    failing = Report("sms.main", Sight.FAILING, ("the password is wrong", "and more"), "main")
    other = Report("email", Sight.WORKING)
    script = Script([Report("sms.main", Sight.UNTRIED), failing, failing, other, None, other, failing])

    def last_is_written() -> bool:
        found = database.read_now(service.standings, now).get("sms.main")
        return found is not None and found.sentences == failing.sentences

    async def run() -> None:
        keeper = ChannelKeeper(database, [script])
        running = asyncio.ensure_future(keeper.run("a"))
        await script.done.wait()
        assert await asyncio.to_thread(eventually, "the last is written", last_is_written)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with capture_logs() as logged:
        asyncio.run(run())
    seen = [each["message"] for each in logged if each["event"] == "channel_seen"]
    assert seen == ["the password is wrong", "and more", "", "the password is wrong", "and more"]
    (fault,) = [each for each in logged if each["event"] == "channel_not_looked_at"]
    assert fault["error"] == "a fault of the watch"
    assert logged[0]["log_level"] == "warning"
    assert database.read_now(service.standings, now)["sms.main"].sentences == failing.sentences


def test_mail_that_does_not_go_out_is_failing_though_the_check_finds_nothing() -> None:
    told: list[Report] = []
    trouble = [""]

    class Listening:
        def tell(self, report: Report) -> None:
            told.append(report)

        def keep(self, prefix: str, channels: Iterable[str]) -> None:
            raise AssertionError(prefix, channels)

    async def fine() -> list[Finding]:
        return [Finding(Level.OK, "name", "good")]

    async def run() -> None:
        watch = MailWatch(fine, lambda: trouble[0])
        await watch.look(Listening())
        trouble[0] = "421 too many connections"
        await watch.look(Listening())
        trouble[0] = ""
        await watch.look(Listening())

    asyncio.run(run())
    # A rest after a failure is no proof that it works again.
    assert [each.sight for each in told] == [Sight.WORKING, Sight.FAILING]
    assert told[-1].sentences == ("421 too many connections",)
