"""One Asterisk's REST interface: requests and events on one websocket that keeps itself connected.

`server.AsteriskServer` is its user. Where Asterisk takes no requests on the websocket they go over HTTP.
"""

import asyncio
import base64
import itertools
import json
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx

from outrider.channels.asterisk import messages, trouble
from outrider.channels.asterisk.link import HandshakeError, Link
from outrider.channels.asterisk.messages import Answer, Event
from outrider.channels.asterisk.settings import AsteriskSettings, Requests
from outrider.channels.asterisk.trouble import RefusedError, ServerState, Trouble
from outrider.channels.asterisk.version import OLDEST, parse, takes_requests_on_websocket
from outrider.channels.base import ChannelUnreachableError
from outrider.errors import ChannelError

log = logging.getLogger(__name__)

TRIAL = 3.0
"""Seconds in which the first request on a websocket must be answered, or they go over HTTP."""

REFUSED_PAUSE = 10.0
"""The shortest pause after a refusal, in seconds: a person must do something first."""

BOOTING = frozenset({"ari", "websocket"})
"""Refusals that an Asterisk gives while it starts: it is asked again soon, until they have lasted."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself. `started` changes with each start of Asterisk: no call survives that."""

    version: str
    started: str


class AriClient:
    """Requests and events of one application. All callbacks are called on the event loop's thread.

    `on_event` gets every event but answers; `on_state` every change of state, with a sentence; `on_ready`
    is awaited after each connecting, before the state is CONNECTED.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        on_event: Callable[[Event], None],
        on_state: Callable[[ServerState, str], None],
        on_ready: Callable[[ServerInfo], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self.info = ServerInfo("", "")
        self.on_websocket = False
        """Whether requests go over the websocket now."""
        self._on_event = on_event
        self._on_state = on_state
        self._on_ready = on_ready
        self._slots = asyncio.Semaphore(settings.requests_in_flight)
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._link: Link | None = None
        self._http: httpx.AsyncClient | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._trouble = "no connection was made yet"
        self.trouble: Trouble | None = None
        """What the last attempt to connect failed of."""
        token = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
        self.authorization = f"Basic {token}"

    def start(self) -> None:
        """Begin to connect, and to connect again whenever the connection is lost."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def close(self) -> None:
        """Disconnect; the calls of our application live on."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        self._drop("the voice channel was closed")
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Send one request and return its answer; it waits its turn when too many are in flight.

        ChannelUnreachableError when there is no connection: nothing was sent. ChannelError with the fact
        `outcome` "unknown" when it was sent, and the answer did not come.
        """
        async with self._slots:
            link, http = self._link, self._http
            if link is None or http is None:
                raise ChannelUnreachableError(self._trouble, where=self.settings.where)
            if self.on_websocket:
                return await self._over_websocket(link, method, path, body, self.settings.timeout)
            return await self._over_http(http, method, path, body)

    async def _over_websocket(
        self, link: Link, method: str, path: str, body: Mapping[str, object] | None, within: float
    ) -> Answer:
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            link.send(messages.encode_request(number, method, path, body))
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError as error:
            raise self._unanswered(method, path) from error
        except ConnectionError as error:
            raise ChannelUnreachableError(self._trouble, where=self.settings.where) from error
        finally:
            self._pending.pop(number, None)

    async def _over_http(
        self, http: httpx.AsyncClient, method: str, path: str, body: Mapping[str, object] | None
    ) -> Answer:
        try:
            response = await http.request(method, f"{self.settings.http_base}/{path}", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ChannelUnreachableError(
                trouble.explain(error, self.settings).message, where=self.settings.where
            ) from error
        except httpx.HTTPError as error:
            raise self._unanswered(method, path) from error
        return Answer(response.status_code, response.text)

    def _unanswered(self, method: str, path: str) -> ChannelError:
        what = f"{method} {path.partition('?')[0]}"
        text = f"Asterisk {self.settings.name!r} did not answer {what} within {self.settings.timeout:g} s"
        return ChannelError(text, outcome="unknown")

    async def _keep_connected(self) -> None:
        """Connect again and again, with pauses that double and vary."""
        pause = self.settings.shortest_pause
        while True:
            least = 0.0
            try:
                await self._connect()
                pause, self.trouble = self.settings.shortest_pause, None
                self._on_state(ServerState.CONNECTED, "")
                reason = await self._watch()
                self._note(ServerState.CONNECTING, f"Asterisk {self.settings.name!r}: {reason}")
            except (OSError, ValueError, httpx.HTTPError, HandshakeError, ChannelError) as error:
                found = trouble.explain(error, self.settings)
                if found.what in BOOTING and (self.trouble is None or self.trouble.what not in BOOTING):
                    pause = self.settings.shortest_pause
                boots = found.what in BOOTING and pause < self.settings.longest_pause
                least = REFUSED_PAUSE if found.state is ServerState.REFUSED and not boots else 0.0
                self.trouble = found
                self._note(found.state, found.message)
            finally:
                self._drop(self._trouble)
            await asyncio.sleep(max(least, pause) * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects, no secret
            pause = min(pause * 2, self.settings.longest_pause)

    def _note(self, state: ServerState, message: str) -> None:
        self._trouble = message
        self._drop(message)
        self._on_state(state, message)

    async def _connect(self) -> None:
        """Make sure that it is an Asterisk we can use, open the websocket, ask for the events we want."""
        if self._http is None:
            self._http = httpx.AsyncClient(
                auth=(self.settings.username, self.settings.password),
                timeout=self.settings.timeout,
                trust_env=False,
                verify=tls_context(self.settings),
                limits=httpx.Limits(max_connections=self.settings.requests_in_flight),
            )
        self.info = await fetch_info(self._http, self.settings)
        version = parse(self.info.version)
        if version is not None and version < OLDEST:
            raise trouble.too_old(self.info.version, self.settings)
        address = f"{self.settings.websocket_base}/ari/events?app={self.settings.application}"
        try:
            link = await Link.connect(
                address, self._take, _ignore, authorization=self.authorization, within=self.settings.timeout
            )
        except HandshakeError as error:
            if error.status in _REFUSALS:
                raise trouble.refusal(error.status, self.settings) from error
            raise
        self._link = link
        over_websocket = takes_requests_on_websocket(version)
        if self.settings.requests is not Requests.AUTO:
            over_websocket = self.settings.requests is Requests.WEBSOCKET
        self.on_websocket = await self._filter(link, over_websocket=over_websocket)
        await self._on_ready(self.info)

    async def _filter(self, link: Link, *, over_websocket: bool) -> bool:
        """Ask for the events we want; return whether that could be done over the websocket."""
        path = f"applications/{self.settings.application}/eventFilter"
        if over_websocket:
            try:
                answer = await self._over_websocket(link, "PUT", path, messages.wanted(), TRIAL)
            except ChannelError:
                if self.settings.requests is Requests.WEBSOCKET or link.lost.done():
                    raise
                log.warning(
                    "Asterisk %s takes no requests on its websocket: HTTP is used", self.settings.name
                )
            else:
                self._check_filter(answer)
                return True
        if self._http is not None:
            self._check_filter(await self._over_http(self._http, "PUT", path, messages.wanted()))
        return False

    def _check_filter(self, answer: Answer) -> None:
        if not answer.ok:
            message = (
                f"Asterisk {self.settings.name!r}: user {self.settings.username!r} may not choose events"
                f" ({answer.complaint}); set read_only=no in ari.conf, and load res_ari_applications"
            )
            raise RefusedError("permission", message)

    async def _watch(self) -> str:
        """Wait until the connection is lost, and return why; one that has died is found by pinging it."""
        link = self._link
        if link is None:
            return self._trouble
        while not link.lost.done():
            await asyncio.wait((link.lost,), timeout=self.settings.silence / 3)
            if link.idle > self.settings.silence:
                link.abort(f"nothing came from {self.settings.where} for {link.idle:.0f} s")
            link.ping()
        reason = link.lost.result()
        if self._trouble.startswith(_REPLACED):
            raise RefusedError("replaced", f"Asterisk {self.settings.name!r}: {self._trouble}")
        return reason

    def _drop(self, reason: str) -> None:
        """Close the websocket, and tell all who wait for an answer that none will come."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        pending, self._pending = self._pending, {}
        for answer in pending.values():
            if not answer.done():
                answer.set_exception(ChannelError(f"the connection was lost: {reason}", outcome="unknown"))

    def _take(self, raw: bytes) -> None:
        message = messages.decode(raw)
        if message is None:
            return
        kind = message.get("type")
        if kind == "RESTResponse":
            number, answer = messages.parse_answer(message)
            waiting = self._pending.get(number)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        elif kind == "ApplicationReplaced":
            self._replaced()
        else:
            try:
                self._on_event(message)
            except Exception:
                # One call's fault must not keep the others from their events.
                log.exception("an event of Asterisk %s was not taken", self.settings.name)

    def _replaced(self) -> None:
        """Give way: another program has connected as our application and gets its events from now on."""
        self._trouble = (
            f"{_REPLACED} connected as application {self.settings.application!r}; register each Asterisk"
            " once, and give each platform that shares one its own app"
        )
        if self._link is not None:
            self._link.abort(self._trouble)


_REPLACED = "another controller"
_REFUSALS = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.SERVICE_UNAVAILABLE})
"""Answers to a handshake that speak of user, password or the number of connections."""


def _ignore(_: bytes) -> None:
    """Take no notice of binary messages: ARI sends none."""


def tls_context(settings: AsteriskSettings) -> ssl.SSLContext:
    """Return whom to trust: the system's authorities, as the websocket does; reading them takes a while."""
    if settings.http_base.startswith("https"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def fetch_info(http: httpx.AsyncClient, settings: AsteriskSettings) -> ServerInfo:
    """Ask a server who it is. RefusedError when it is no ARI of ours, httpx.HTTPError without an answer."""
    response = await http.get(f"{settings.http_base}/asterisk/info")
    if response.status_code != httpx.codes.OK:
        raise trouble.refusal(response.status_code, settings)
    try:
        content = response.json()
        return ServerInfo(str(content["system"]["version"]), str(content["status"]["startup_time"]))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise trouble.refusal(response.status_code, settings) from error
