"""How calls are made on one Asterisk: in one request, or made, put into a room, and dialled there.

`server` owns one. Asterisk refuses an id that exists; one of a call that is over is refused here.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from outrider.channels.asterisk import calls, prompts
from outrider.channels.asterisk.calls import CallState
from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.messages import Answer
from outrider.channels.asterisk.register import Register
from outrider.channels.asterisk.rooms import Rooms
from outrider.channels.base import ChannelUnreachableError, DuplicateCallError
from outrider.channels.model import OutboundCall
from outrider.clock import stopwatch
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

TOLERANCE = 0.25
"""Seconds by which Asterisk's ring timer may be ahead of ours."""

CONFLICT = 409


class Placing:
    """Makes calls."""

    def __init__(self, client: AriClient, register: Register, rooms: Rooms) -> None:
        self._client = client
        self._register = register
        self._rooms = rooms
        self._starts: dict[AttemptId, asyncio.Future[None]] = {}

    async def originate(self, call: OutboundCall) -> None:
        """Make a call. Raises DuplicateCallError for an id used before, ChannelError when refused.

        The error's fact `outcome` is "unknown" when the call may exist: ask `living` then.
        """
        call_id, register = call.call_id, self._register
        if register.get(call_id) is not None or register.is_over(call_id):
            raise DuplicateCallError(f"call {call_id} was made before")
        body = prompts.origination(call, self._client.settings, calls.argument(call))
        register.put(CallState(call_id, early=bool(call.early_room)))
        register.placing.add(call_id)
        try:
            if call.early_room:
                answer = await self._in_a_room(call, body)
            else:
                answer = await self._client.request("POST", "channels", body)
        except ChannelUnreachableError:
            register.drop(call_id)
            raise
        finally:
            register.placing.discard(call_id)
        state = register.get(call_id)
        if state is None:
            return
        if answer.ok:
            gives_up_at = stopwatch() + prompts.ring_seconds(call) - TOLERANCE
            register.put(replace(state, gives_up_at=gives_up_at))
            return
        register.drop(call_id)
        raise await self._refused(call, str(body["endpoint"]), answer)

    def started(self, call_id: AttemptId) -> None:
        """Note that a call has come to our application."""
        start = self._starts.get(call_id)
        if start is not None and not start.done():
            start.set_result(None)

    async def _in_a_room(self, call: OutboundCall, body: dict[str, object]) -> Answer:
        """Make a call that is in its room before it is dialled; return the answer that refused it, if any."""
        call_id = call.call_id
        timeout = body.pop("timeout")
        caller = body.pop("callerId", None)
        if caller is not None:
            # Only `POST /channels` takes a caller id. To a phone that is called, we are the connected line.
            body["variables"] = {"CONNECTEDLINE(num,i)": str(caller).strip("<>")}
        self._starts[call_id] = start = asyncio.get_running_loop().create_future()
        try:
            answer = await self._client.request("POST", "channels/create", body)
            if not answer.ok:
                return answer
            async with asyncio.timeout(self._client.settings.timeout):
                await start
            await self._rooms.join(call_id, call.early_room)
            answer = await self._client.request("POST", f"channels/{call_id}/dial?timeout={timeout}")
        except TimeoutError as error:
            await self._undo(call_id)
            message = f"Asterisk {self._client.settings.name!r} did not start call {call_id}"
            raise ChannelError(message, outcome="unknown") from error
        except ChannelError:
            await self._undo(call_id)
            raise
        finally:
            del self._starts[call_id]
        if not answer.ok:
            await self._undo(call_id)
        return answer

    async def _undo(self, call_id: AttemptId) -> None:
        """End a call that was made and not dialled."""
        with suppress(ChannelError):
            await self._client.request("DELETE", f"channels/{call_id}")

    async def _refused(self, call: OutboundCall, endpoint: str, answer: Answer) -> ChannelError:
        """Return the error for a call that was not made.

        A 409 is not to be trusted: after one duplicate, Asterisk says it of every failure on a connection.
        """
        if answer.status == CONFLICT:
            existing = await self._client.request("GET", f"channels/{call.call_id}")
            if existing.ok:
                return DuplicateCallError(f"call {call.call_id} was made before")
        name = self._client.settings.name
        message = (
            f"Asterisk {name!r} could not make a call to {endpoint} ({answer.complaint}):"
            " is its endpoint configured and registered, are channels and file descriptors left?"
        )
        return ChannelError(message)
