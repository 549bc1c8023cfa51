"""Alarms reach the webhook once, signed, through failures and restarts; without a webhook they are logged."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable

import httpx
import pytest
from structlog.testing import capture_logs

from outrider.clock import VirtualClock
from outrider.db.database import Database, Tx
from outrider.runtime.alarm_delivery import DELAYS, AlarmDelivery, WebhookSettings
from outrider.supply import alarm_store
from outrider.supply.alarms import Alarm, AlarmKind
from support.campaigning import NOON, campaigning

HOOK = WebhookSettings("https://hooks.example/outrider", "whsec_" + base64.b64encode(b"secret").decode())
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def clock(database: Database) -> VirtualClock:
    """Give a clock, and two alarms that were raised at its time."""
    campaigning(database)

    def raise_both(tx: Tx) -> None:
        alarms = [Alarm(AlarmKind.GRACE, "The server is away."), Alarm(AlarmKind.IN_ORDER, "All is well.")]
        alarm_store.add(tx, alarms, NOON, NOON)

    database.write_now(raise_both)
    return VirtualClock(NOON)


def deliver(
    database: Database, clock: VirtualClock, handler: Handler, webhook: WebhookSettings = HOOK
) -> int:
    async def run() -> int:
        delivery = AlarmDelivery(database, clock, webhook, transport=httpx.MockTransport(handler))
        try:
            return await delivery.deliver_due()
        finally:
            await delivery.close()

    return asyncio.run(run())


def test_each_alarm_is_posted_once_and_signed(database: Database, clock: VirtualClock) -> None:
    seen: list[httpx.Request] = []

    def accept(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    assert deliver(database, clock, accept) == 2
    assert deliver(database, clock, accept) == 0
    assert [json.loads(request.content)["data"]["alarm"] for request in seen] == ["grace", "in_order"]
    first = seen[0]
    assert json.loads(first.content) == {
        "type": "platform.alarm",
        "timestamp": "2026-03-04T12:00:00+00:00",
        "data": {
            "id": 1,
            "alarm": "grace",
            "severity": "warning",
            "message": "The server is away.",
            "raised_at": "2026-03-04T12:00:00+00:00",
            "state": "none",
            "expires_at": None,
            "grace_ends_at": None,
        },
    }
    signed = f"alarm-1.{int(NOON.timestamp())}.".encode() + first.content
    expected = base64.b64encode(hmac.new(b"secret", signed, hashlib.sha256).digest()).decode()
    assert first.headers["webhook-signature"] == f"v1,{expected}"
    assert first.headers["webhook-id"] == "alarm-1"
    assert all(each.delivered_at == NOON for each in database.read_now(alarm_store.newest, 9))


def test_failures_are_tried_again_with_longer_waits_until_given_up(
    database: Database, clock: VirtualClock
) -> None:
    posts: list[dt.datetime] = []

    def refuse(_: httpx.Request) -> httpx.Response:
        posts.append(clock.now())
        if len(posts) % 2:
            raise httpx.ConnectError("no route")
        return httpx.Response(503)

    deliver(database, clock, refuse)
    for delay in DELAYS:
        asyncio.run(clock.advance(delay - 1))
        assert deliver(database, clock, refuse) == 0
        before = len(posts)
        asyncio.run(clock.advance(1))
        deliver(database, clock, refuse)
        assert len(posts) == before + 2
    assert database.read_now(alarm_store.count_undelivered) == 0
    assert len(posts) == 2 * (len(DELAYS) + 1)
    newest = database.read_now(alarm_store.newest, 1)[0]
    assert (newest.delivered_at, newest.problem) == (None, "https://hooks.example/outrider answered 503")


def test_a_webhook_that_is_gone_is_not_tried_again(database: Database, clock: VirtualClock) -> None:
    assert deliver(database, clock, lambda _: httpx.Response(410)) == 2
    assert database.read_now(alarm_store.count_undelivered) == 0


def test_without_a_webhook_alarms_are_logged_once(database: Database, clock: VirtualClock) -> None:
    async def run() -> None:
        delivery = AlarmDelivery(database, clock)
        await delivery.deliver_due()
        await delivery.deliver_due()
        await delivery.close()

    with capture_logs() as logs:
        asyncio.run(run())
    assert [(each["event"], each["alarm"]) for each in logs] == [("alarm", "grace"), ("alarm", "in_order")]
    assert {each.delivered_at for each in database.read_now(alarm_store.newest, 9)} == {None}


def test_the_last_alarm_of_a_kind_is_never_forgotten(database: Database, clock: VirtualClock) -> None:
    later = clock.now() + dt.timedelta(days=1)
    database.write_now(alarm_store.add, [Alarm(AlarmKind.GRACE, "Still away.")], later, later)
    database.write_now(alarm_store.drop, later + dt.timedelta(days=1))
    kept = [each.message for each in database.read_now(alarm_store.newest, 9)]
    assert kept == ["Still away.", "All is well."]
