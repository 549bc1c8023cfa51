"""Takes receipts and inbound texts from the message centres into the database.

The worker gives it to its text channel. News is acknowledged to the centre only after the commit, so that
none is lost; what comes within a moment is written in one transaction.
"""

import asyncio
import datetime as dt

import structlog

from outrider.channels.base import TextChannel
from outrider.channels.model import InboundText, OutboundText, TextNews, TextReceipt
from outrider.clock import Clock
from outrider.db.database import Database, Tx
from outrider.dialing import receipts
from outrider.errors import StoreError
from outrider.ids import new_attempt_ids
from outrider.licences.service import SharingRules
from outrider.runtime.wake import Wake
from outrider.texting import inbound

log = structlog.get_logger(__name__)

GATHER = 0.02
"""Real seconds within which news is gathered into one transaction."""
MOST = 500
PAUSE_WITHOUT_DATABASE = 1.0


class TextNewsTaker:
    """One worker's intake of news."""

    def __init__(
        self, database: Database, rules: SharingRules, clock: Clock, wake: Wake, channel: TextChannel | None
    ) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._wake = wake
        self._channel = channel
        self._waiting: list[tuple[TextNews, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._replying: set[asyncio.Task[None]] = set()

    async def take(self, news: TextNews) -> None:
        """Take one piece of news; returns once it is committed."""
        taken = asyncio.get_running_loop().create_future()
        self._waiting.append((news, taken))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_all())
        await taken

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER)
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                replies = await self._write([news for news, _ in batch])
            except Exception as error:
                log.exception("text_news_not_taken", news=len(batch))
                if len(batch) > 1:
                    # One that cannot be kept must not keep back the others, now and at every repetition.
                    for each in batch:
                        await self._write_one(*each)
                elif not batch[0][1].done():
                    batch[0][1].set_exception(error)
                continue
            for _, taken in batch:
                if not taken.done():
                    taken.set_result(None)
            for reply in replies:
                self._reply(reply)

    async def _write_one(self, news: TextNews, taken: asyncio.Future[None]) -> None:
        try:
            replies = await self._write([news])
        except Exception as error:
            log.exception("text_news_not_taken", connection=news.connection)
            if not taken.done():
                taken.set_exception(error)
            return
        if not taken.done():
            taken.set_result(None)
        for reply in replies:
            self._reply(reply)

    async def _write(self, news: list[TextNews]) -> list[inbound.Reply]:
        while True:
            try:
                replies = await self._database.write(_take, self._rules, news, self._clock.now())
            except StoreError as error:
                log.warning("text_news_waits_for_database", news=len(news), error=error.message)
                await asyncio.sleep(PAUSE_WITHOUT_DATABASE)
            else:
                self._wake.nudge_all()
                return replies

    def _reply(self, reply: inbound.Reply) -> None:
        """Confirm what a person asked for; a confirmation that cannot be sent is only logged."""
        if self._channel is None:
            return
        (message_id,) = new_attempt_ids(self._clock.now(), 1)
        text = OutboundText(
            message_id, reply.address, reply.text, reply.sender, receipt=False, connection=reply.connection
        )
        task = asyncio.get_running_loop().create_task(self._send(self._channel, text))
        self._replying.add(task)
        task.add_done_callback(self._replying.discard)

    async def _send(self, channel: TextChannel, text: OutboundText) -> None:
        sent = await channel.send(text)
        log.info("text_answered", address=text.address, result=sent.result.value, detail=sent.detail)


def _take(tx: Tx, rules: SharingRules, news: list[TextNews], now: dt.datetime) -> list[inbound.Reply]:
    receipts.take(tx, rules, [each for each in news if isinstance(each, TextReceipt)], now)
    replies = [inbound.take(tx, each, now) for each in news if isinstance(each, InboundText)]
    return [reply for reply in replies if reply is not None]
