"""Finding out who took a call: by AMD() in the dialplan, or else here, by when somebody talks.

`server` starts one for each answered call that wants it.
"""

import logging
from contextlib import suppress

from outrider.channels.asterisk import calls, survey, talking
from outrider.channels.asterisk.calls import Moment
from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.register import Register
from outrider.channels.model import AnsweredBy
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

GONE = 404
"""The channel is over: nothing can be said of the dialplan. Any other failure means no func_dialplan."""


class Classification:
    """Classifies the calls of one server."""

    def __init__(self, client: AriClient, register: Register) -> None:
        self._client = client
        self._register = register
        self._has_amd: bool | None = None

    def reset(self) -> None:
        """Look at the dialplan again: it may be another one after connecting."""
        self._has_amd = None

    async def classify(self, call_id: AttemptId) -> None:
        """Begin to classify; where it cannot be done the verdict is "unknown" at once."""
        base = f"channels/{call_id}"
        with suppress(ChannelError):
            if await self._amd_is_there(base):
                # Without this nothing is heard of the channel while it is in the dialplan.
                await survey.subscribe(self._client, call_id)
                place = {"context": self._client.settings.amd_context, "extension": "s", "priority": 1}
                if (await self._client.request("POST", f"{base}/continue", place)).ok:
                    return
            elif await self._detects_talk(base):
                self._register.step(call_id, lambda state, _: calls.detecting(state))
                return
        self._register.step(call_id, lambda state, now: calls.verdict(state, AnsweredBy.UNKNOWN, now))

    def look_again(self, call_id: AttemptId, silent_for: talking.Talking | None) -> None:
        """Judge a call of which nothing was heard since `silent_for`."""
        if silent_for is None:
            return

        def step(state: calls.CallState, now: Moment) -> calls.Step:
            return calls.talked(state, silent_for, now)

        self._register.step(call_id, step)

    async def _amd_is_there(self, base: str) -> bool:
        if self._has_amd is None:
            context = self._client.settings.amd_context
            answer = await self._client.request("GET", f"{base}/variable?variable={existence(context)}")
            if answer.status == GONE:
                return False
            self._has_amd = answer.ok and (answer.json() or {}).get("value") == "1"
            if not self._has_amd:
                log.warning(
                    "Asterisk %s has no dialplan context %s (or no func_dialplan): who took a call is judged"
                    " by when somebody talks",
                    self._client.settings.name,
                    context,
                )
        return self._has_amd

    async def _detects_talk(self, base: str) -> bool:
        body = {"variable": "TALK_DETECT(set)", "value": talking.SETTING}
        return (await self._client.request("POST", f"{base}/variable", body)).ok


def existence(context: str) -> str:
    """Return the dialplan function that says whether a context has the place where AMD() begins."""
    return f"DIALPLAN_EXISTS({context},s,1)"
