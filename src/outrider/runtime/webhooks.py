"""Custom actions: one POST to a web service, and what its answer means.

The performer calls it. A 2xx answer is `sent`; its JSON may name a `disposition` and an `outcome` of its
own. Redirects are not followed, so that a secret header never travels to another place.
"""

import asyncio
import json
import re
from collections.abc import Mapping

import httpx

from outrider.campaigns.outcome import Outcome
from outrider.clock import Clock
from outrider.dialing.commands import CallWebhook, WebhookAnswered

DISPOSITION = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""As strategies name them."""

LARGEST_ANSWER = 65_536
MOST_CONNECTIONS = 20
TELLING = {outcome.value: outcome for outcome in (Outcome.SENT, Outcome.DELIVERED, Outcome.FAILED)}
"""Outcomes that an answer may name."""


class WebhookChannel:
    """Calls web services over kept connections. `secrets` are header values by the names of settings."""

    def __init__(self, clock: Clock, secrets: Mapping[str, str] | None = None) -> None:
        self._clock = clock
        self._secrets = {name: value.strip() for name, value in (secrets or {}).items()}
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False, trust_env=False)
        # A request that waits for a connection of ours has asked nobody yet: its time has not begun.
        self._turns = asyncio.Semaphore(MOST_CONNECTIONS)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def call(self, command: CallWebhook) -> WebhookAnswered:
        """Do one webhook and say what became of it; never raises for what a service may answer."""
        headers = {"content-type": "application/json", **command.headers}
        for header, name in command.secret_headers.items():
            value = self._secrets.get(name)
            if value is None:
                detail = f"there is no secret {name!r}: set webhooks.secrets.{name}"
                return self._answer(command, Outcome.FAILED, detail=detail)
            if not (value.isascii() and value.isprintable()):
                detail = f"the secret {name!r} cannot be sent in a header: it has other than plain characters"
                return self._answer(command, Outcome.FAILED, detail=detail)
            headers[header] = value
        async with self._turns:
            try:
                async with asyncio.timeout(command.timeout):
                    return await self._post(command, headers)
            except httpx.ConnectError as error:
                return self._answer(command, Outcome.NO_ANSWER, detail=f"no connection: {error}")
            except (httpx.TimeoutException, TimeoutError):
                detail = f"no answer within {command.timeout:g} s"
                return self._answer(command, Outcome.NO_ANSWER, detail=detail)
            except httpx.LocalProtocolError:
                # Its words would show the header, which may be a secret.
                detail = "the request could not be written: check its address and headers"
                return self._answer(command, Outcome.FAILED, detail=detail)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return self._answer(command, Outcome.FAILED, detail=f"{type(error).__name__}: {error}")

    async def _post(self, command: CallWebhook, headers: Mapping[str, str]) -> WebhookAnswered:
        async with self._client.stream(
            "POST", command.url, content=command.body, headers=headers, timeout=None
        ) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    detail = f"the service answered more than {LARGEST_ANSWER} bytes"
                    return self._answer(command, Outcome.FAILED, detail=detail)
        if not response.is_success:
            return self._answer(
                command, Outcome.FAILED, detail=f"the service answered {response.status_code}"
            )
        return self._understood(command, body)

    def _understood(self, command: CallWebhook, body: bytes) -> WebhookAnswered:
        """Read what a 2xx answer says, if it says anything."""
        try:
            said = json.loads(body) if body.strip() else {}
        except ValueError:
            said = {}
        if not isinstance(said, dict):
            said = {}
        outcome = TELLING.get(str(said.get("outcome", "")), Outcome.SENT)
        disposition = said.get("disposition")
        if not isinstance(disposition, str) or not DISPOSITION.fullmatch(disposition):
            disposition = None
        return self._answer(command, outcome, disposition)

    def _answer(
        self, command: CallWebhook, outcome: Outcome, disposition: str | None = None, *, detail: str = ""
    ) -> WebhookAnswered:
        return WebhookAnswered(command.attempt_id, self._clock.now(), outcome, disposition, detail)
