"""Tries an Asterisk for real, and says in one sentence each what is wrong: `outrider media check NAME`.

It never disturbs a worker: it connects as an application of its own, and makes no call.
"""

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from outrider.channels.asterisk import modules
from outrider.channels.asterisk.classification import existence
from outrider.channels.asterisk.client import AriClient, ServerInfo
from outrider.channels.asterisk.findings import Finding, Level
from outrider.channels.asterisk.messages import Answer, Event
from outrider.channels.asterisk.prompts import pjsip_endpoint
from outrider.channels.asterisk.settings import AsteriskSettings, Requests
from outrider.channels.asterisk.trouble import ServerState
from outrider.channels.asterisk.version import has_media_websocket, parse
from outrider.errors import ChannelError

CODECS = {"ulaw": "codec_ulaw", "alaw": "codec_alaw", "gsm": "codec_gsm", "g722": "codec_g722"}
"""Codecs that Asterisk can turn into what prompts and recognition need, each with its module."""

PROBE = "outrider-check-"
"""How the names of the applications begin that a check registers for itself."""
PLAIN_CODECS = frozenset({"slin", "slin16"})


async def check(settings: AsteriskSettings, *, in_use: bool = False) -> list[Finding]:
    """Return what was found; never raises. It takes `settings.timeout` seconds when nobody answers.

    `in_use` says that workers of ours are connected: then it is no clash that our application is there.
    """
    probe = replace(settings, app=f"{PROBE}{secrets.token_hex(4)}", controller="")
    verdict: asyncio.Future[ServerState] = asyncio.get_running_loop().create_future()

    def on_state(state: ServerState, _: str) -> None:
        if not verdict.done():
            verdict.set_result(state)

    client = AriClient(probe, _unheard, on_state, _no_take_over)
    client.start()
    try:
        state = await verdict
        if state is not ServerState.CONNECTED:
            trouble = client.trouble
            what, message = (
                ("connection", state.value) if trouble is None else (trouble.what, trouble.message)
            )
            return [Finding(Level.ERROR, what, message)]
        return await _Inspection(settings, client, in_use=in_use).findings()
    except ChannelError as error:
        return [Finding(Level.ERROR, "connection", f"the connection was lost: {error.message}")]
    finally:
        await client.close()


class _Inspection:
    """What is asked of a server that we are connected to."""

    def __init__(self, settings: AsteriskSettings, client: AriClient, *, in_use: bool) -> None:
        self._settings = settings
        self._client = client
        self._in_use = in_use
        self._running: frozenset[str] = frozenset()

    async def findings(self) -> list[Finding]:
        """Return all findings, in the order of their looking."""
        found = [self._connected(), *self._requests()]
        found += await self._modules()
        found += await self._application()
        found += await self._trunk()
        found += await self._dialplan()
        if not any(one.level is Level.ERROR for one in found):
            found.append(Finding(Level.OK, "usable", "calls can be made over this server"))
        return found

    def _connected(self) -> Finding:
        version = self._client.info.version
        message = f"Asterisk {version} answers at {self._settings.where}, user and password are right"
        return Finding(Level.OK, "connection", message)

    def _requests(self) -> Sequence[Finding]:
        if self._client.on_websocket or self._settings.requests is Requests.HTTP:
            return ()
        message = (
            f"Asterisk {self._client.info.version} takes no requests on its websocket (20.14, 21.9 and"
            " 22.4 do): HTTP is used, which costs more processor time per call"
        )
        return [Finding(Level.WARNING, "requests", message)]

    async def _modules(self) -> Sequence[Finding]:
        answer = await self._client.request("GET", "asterisk/modules")
        if not answer.ok:
            message = f"its modules cannot be listed: {answer.complaint}"
            return [Finding(Level.WARNING, "modules", message)]
        self._running = frozenset(
            one["name"].removesuffix(".so") for one in answer.json() if one.get("status") == "Running"
        )
        over_sip = pjsip_endpoint(self._settings.trunk) is not None
        found = []
        for need in modules.missing(self._running, over_sip=over_sip):
            if need.module == "chan_websocket" and not has_media_websocket(parse(self._client.info.version)):
                message = (
                    f"Asterisk {self._client.info.version} has no chan_websocket (20.16, 21.11 and 22.6"
                    " do): speech cannot be recognised"
                )
            else:
                message = (
                    f"module {need.module} is not loaded: it is needed for {need.purpose};"
                    f" run `module load {need.module}.so`, and add it to modules.conf"
                )
            level = Level.ERROR if need.essential else Level.WARNING
            found.append(Finding(level, f"module {need.module}", message))
        return found

    async def _application(self) -> Sequence[Finding]:
        answer = await self._client.request("GET", "applications")
        there = [one["name"] for one in answer.json()] if answer.ok else []
        if self._settings.application not in there or self._in_use:
            return ()
        message = (
            f"application {self._settings.application!r} is known to this Asterisk already: if that is not"
            " one of our own workers, give each program its own app, or they take each other's events"
        )
        return [Finding(Level.WARNING, "application", message)]

    async def _trunk(self) -> Sequence[Finding]:
        endpoint = pjsip_endpoint(self._settings.trunk)
        if endpoint is None:
            technology = self._settings.trunk.partition("/")[0]
            message = f"the trunk is over {technology}: it is not looked at"
            return [Finding(Level.WARNING, "trunk", message)]
        answer = await self._client.request("GET", f"endpoints/PJSIP/{endpoint}")
        if not answer.ok:
            message = (
                f"there is no PJSIP endpoint {endpoint!r}, as the trunk {self._settings.trunk} says: it is"
                " not in pjsip.conf, or its section has a mistake, such as an unknown codec"
            )
            return [Finding(Level.ERROR, "trunk", message)]
        if answer.json().get("state") == "offline":
            message = (
                f"trunk {endpoint!r} is unreachable: its provider does not answer OPTIONS; see"
                " `pjsip show contacts`"
            )
            return [Finding(Level.ERROR, "trunk", message)]
        return [Finding(Level.OK, "trunk", f"the trunk's endpoint {endpoint!r} is there")]

    async def _dialplan(self) -> Sequence[Finding]:
        """Look at what only a channel can see: it takes one that is made, and never dialled."""
        channel = f"{self._client.settings.app}-probe"
        body = {
            "endpoint": "Local/s@default/n",
            "app": self._client.settings.application,
            "channelId": channel,
        }
        answer = await self._client.request("POST", "channels/create", body)
        if not answer.ok:
            return [self._no_channel(answer)]
        try:
            return [*await self._codecs(channel), *await self._detection(channel)]
        finally:
            await self._client.request("DELETE", f"channels/{channel}")

    def _no_channel(self, answer: Answer) -> Finding:
        if answer.status in {401, 403}:
            message = f"user {self._settings.username!r} may only look: set read_only=no for it in ari.conf"
            return Finding(Level.ERROR, "permission", message)
        return Finding(
            Level.WARNING, "channel", f"no channel could be made to look closer: {answer.complaint}"
        )

    async def _codecs(self, channel: str) -> Sequence[Finding]:
        endpoint = pjsip_endpoint(self._settings.trunk)
        if endpoint is None or "func_pjsip_endpoint" not in self._running:
            return ()
        allowed = await self._value(channel, f"PJSIP_ENDPOINT({endpoint},allow)")
        names = re.findall(r"[a-z0-9_]+", allowed or "")
        if not names:
            return ()
        usable = [name for name in names if name in PLAIN_CODECS or CODECS.get(name) in self._running]
        if usable:
            return [Finding(Level.OK, "codecs", f"the trunk's codecs can be used: {', '.join(usable)}")]
        message = (
            f"none of the trunk's codecs ({', '.join(names)}) can be played to: allow ulaw or alaw for"
            f" endpoint {endpoint!r} in pjsip.conf, and load codec_ulaw and codec_alaw"
        )
        return [Finding(Level.ERROR, "codecs", message)]

    async def _detection(self, channel: str) -> Sequence[Finding]:
        context = self._settings.amd_context
        if "func_dialplan" in self._running and await self._value(channel, existence(context)) == "1":
            return [
                Finding(Level.OK, "detection", f"context {context} is there, to detect answering machines")
            ]
        if "func_talkdetect" in self._running:
            known = "func_dialplan" in self._running
            lack = f"the dialplan has no context {context!r}" if known else "func_dialplan is not loaded"
            message = (
                f"{lack}: who took a call is judged by when somebody talks, a little less exactly than by"
                " AMD(); see `outrider media config`"
            )
        else:
            message = f"neither context {context!r} nor func_talkdetect is there: machines are not detected"
        return [Finding(Level.WARNING, "detection", message)]

    async def _value(self, channel: str, expression: str) -> str | None:
        answer = await self._client.request("GET", f"channels/{channel}/variable?variable={expression}")
        return str(answer.json().get("value", "")) if answer.ok else None


def _unheard(_: Event) -> None:
    """Take no notice of events."""


async def _no_take_over(_: ServerInfo) -> None:
    """Take nothing over."""
