"""News wakes waiters on any loop from any thread, and closing ends all waiting."""

import asyncio
import datetime as dt
import threading

from outrider.db import log
from outrider.db.database import Database
from outrider.events import RecordChanged
from outrider.web.news import News

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
EVENT = RecordChanged(record="campaign", record_id=1, change="created")
LONG = 30.0


def test_a_commit_in_another_thread_wakes_every_waiter(sqlite_database: Database) -> None:
    news = News(sqlite_database)

    async def run() -> list[bool]:
        with news.subscribe() as one, news.subscribe() as two:
            waiting = asyncio.gather(one.wait(LONG), two.wait(LONG))
            await asyncio.to_thread(sqlite_database.write_now, log.append, NOW, EVENT)
            return list(await waiting)

    assert asyncio.run(run()) == [True, True]


def test_news_before_the_wait_is_not_lost_and_is_told_once() -> None:
    news = News()

    async def run() -> list[bool]:
        with news.subscribe() as subscription:
            news.ring()
            news.ring()
            await asyncio.sleep(0)
            return [await subscription.wait(LONG), await subscription.wait(0)]

    assert asyncio.run(run()) == [True, False]


def test_closing_ends_waiting_now_and_later() -> None:
    news = News()

    async def run() -> tuple[bool, bool, bool]:
        with news.subscribe() as subscription:
            thread = threading.Thread(target=news.close)
            thread.start()
            await subscription.wait(LONG)
            thread.join()
            with news.subscribe() as late:
                await late.wait(LONG)
                return subscription.closed, late.closed, news.closed

    assert asyncio.run(run()) == (True, True, True)


def test_ringing_after_a_loop_ended_is_harmless() -> None:
    news = News()

    async def leave_open() -> object:
        context = news.subscribe()
        context.__enter__()
        return context

    context = asyncio.run(leave_open())
    news.ring()
    assert context is not None
