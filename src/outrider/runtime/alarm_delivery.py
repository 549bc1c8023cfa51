"""Tells of alarms: one log line each, and a signed POST to the webhook, tried again until it is accepted.

`runtime/platform.py` calls it in the process that leads. The signature follows Standard Webhooks 1.0
(headers webhook-id, webhook-timestamp, webhook-signature: v1,BASE64(HMAC-SHA256)).
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from dataclasses import dataclass

import httpx
import structlog

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.supply import alarm_store
from outrider.supply import service as supply
from outrider.supply.alarm_store import RaisedAlarm
from outrider.supply.alarms import Severity
from outrider.supply.model import Supply

log = structlog.get_logger(__name__)

DELAYS = (10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
"""Seconds between tries: about 27 hours in all, then the alarm is only on the page and in the log."""

BATCH = 20
GONE = 410
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with in the standard, not a secret
LONGEST_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where alarms are posted. `secret` signs them: text, or whsec_ and base64; empty: unsigned."""

    url: str
    secret: str = ""
    timeout: float = 10.0
    """Seconds of real time."""


class AlarmDelivery:
    """Delivers alarms from the database; without a webhook they are logged only."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        webhook: WebhookSettings | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` is a test's replacement of the network."""
        self._database = database
        self._clock = clock
        self._webhook = webhook
        self._client: httpx.AsyncClient | None = None
        self._transport = transport

    async def deliver_due(self) -> int:
        """Try every alarm whose time has come; return how many are settled now, one way or the other."""
        waiting = await self._database.read(alarm_store.undelivered, self._clock.now(), BATCH)
        if not waiting:
            return 0
        found = await self._database.read(supply.current)
        settled = 0
        for alarm in waiting:
            if alarm.tries == 0:
                level = log.info if alarm.severity is Severity.INFO else log.warning
                level("alarm", alarm=alarm.kind.value, severity=alarm.severity.value, message=alarm.message)
            settled += await self._deliver(alarm, found)
        return settled

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _deliver(self, alarm: RaisedAlarm, found: Supply) -> bool:
        problem, final = (
            ("", True) if self._webhook is None else await self._post(self._webhook, alarm, found)
        )
        now = self._clock.now()
        again = None
        if not final and alarm.tries < len(DELAYS):
            again = now + dt.timedelta(seconds=DELAYS[alarm.tries])
        if problem:
            log.warning("alarm_not_delivered", alarm=alarm.kind.value, problem=problem, again_at=again)
        delivered = now if self._webhook is not None and not problem else None
        await self._database.write(
            alarm_store.note_try,
            alarm.id,
            delivered_at=delivered,
            next_try_at=again,
            problem=problem[:LONGEST_PROBLEM],
        )
        return again is None

    async def _post(self, webhook: WebhookSettings, alarm: RaisedAlarm, found: Supply) -> tuple[str, bool]:
        """Return what went wrong ("": nothing), and whether trying again makes no sense."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport, timeout=webhook.timeout, follow_redirects=False, trust_env=False
            )
        body = document(alarm, found)
        headers = {"content-type": "application/json"}
        headers |= signature(webhook.secret, f"alarm-{alarm.id}", self._clock.now(), body)
        try:
            answer = await self._client.post(webhook.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{webhook.url}: {str(error) or type(error).__name__}", False
        if answer.is_success:
            return "", True
        return f"{webhook.url} answered {answer.status_code}", answer.status_code == GONE


def document(alarm: RaisedAlarm, found: Supply) -> bytes:
    """Return the JSON that is posted: what is the matter, and the state of the platform by now."""
    data = {
        "id": alarm.id,
        "alarm": alarm.kind.value,
        "severity": alarm.severity.value,
        "message": alarm.message,
        "raised_at": alarm.raised_at.isoformat(),
        "state": found.state.value,
        "expires_at": None if found.expires_at is None else found.expires_at.isoformat(),
        "grace_ends_at": None if found.grace_ends_at is None else found.grace_ends_at.isoformat(),
    }
    whole = {"type": "platform.alarm", "timestamp": alarm.raised_at.isoformat(), "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, message_id: str, at: dt.datetime, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks; without a secret there is no signature among them."""
    stamp = str(int(at.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp}
    if secret:
        signed = f"{message_id}.{stamp}.".encode() + body
        digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode("ascii")
    return headers


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
