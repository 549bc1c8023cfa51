"""`AgentClient`: one agent on the Agent Web API. Every command has an id and is sent until it is answered."""

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx

from outrider.agents import commands
from outrider.agents.commands import NAMES, Callback, Command
from outrider.agents.desk_messages import write_command
from outrider.client.errors import AgentApiError, of_problem
from outrider.client.following import Following, Told
from outrider.client.retrying import Retrying

CONFLICT, NOT_FOUND = 409, 404
_NAME_OF = {command: name for name, command in NAMES.items()}


class AgentClient:
    """One agent, by an API token of the user that it is bound to. Use it as `async with`.

    `url` is that of the server; `timeout` is seconds for one request, `patience` seconds for which a request
    is repeated while the server is away. Refusals raise AgentApiError.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 10.0,
        patience: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`http` may be shared by many agents, and is then left open."""
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._own = http is None
        self._http = httpx.AsyncClient() if http is None else http
        self._sending = Retrying(self._http, patience)
        self._after: int | None = None
        self._following: Following | None = None

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; the agent stays logged in."""
        if self._own:
            await self._http.aclose()

    # The session.

    async def log_in(self, address: str = "", *, ready: bool = False) -> Mapping[str, Any]:
        """Log in, one's phone being at `address` today (default: the account's); return the state."""
        body = {"address": address, "ready": ready}
        try:
            answer = await self._send("POST", "session", json=body)
        except AgentApiError as error:
            if error.status != CONFLICT or not error.lost:
                raise
            # It was done when the answer was lost.
            return await self.state()
        return self._seen(answer)

    async def state(self) -> Mapping[str, Any]:
        """Return the whole state of the session. AgentApiError 404 when there is none."""
        answer = await self._send("GET", "session")
        return self._seen(answer)

    async def log_out(self, reason: str = "", *, force: bool = False) -> bool:
        """Log out, after the contact in hand or (`force`) at once; return whether the session is over."""
        params = {"reason": reason, "force": force}
        try:
            answer = await self._send("DELETE", "session", params=params)
        except AgentApiError as error:
            if error.status == NOT_FOUND:
                return True
            raise
        return bool(answer["over"])

    async def notifications(self) -> AsyncGenerator[Told, None]:
        """Give what happens until the session is over, `Welcome` first; connections are renewed.

        Whoever leaves the loop early closes it (`contextlib.aclosing`), or the connection stays for a while.
        What happens while there is no connection is given afterwards. Where that is too much, another
        `Welcome` comes with `resumed` false and the whole state.
        """
        address = f"{self._url.replace('http', 'ws', 1)}/api/agent/events"
        following = self._following = Following(address, self._token, self._after, self._timeout)
        async with aclosing(aiter(following)) as heard:
            async for told in heard:
                self._after = following.last_id
                yield told

    async def do(self, command: Command, command_id: str | None = None) -> None:
        """Give a command of `outrider.agents.commands`. AgentApiError: then nothing was done.

        It goes over the websocket while notifications are followed; over HTTP otherwise, and again, with the
        same id, where no reply came.
        """
        number = command_id or secrets.token_hex(8)
        name, body = _NAME_OF[type(command)], _json(command)
        if self._following is not None:
            reply = await self._following.ask(number, {"command": name, **body})
            if reply is not None:
                if not reply["ok"]:
                    raise of_problem(reply["problem"])
                return
        path = f"session/commands/{name}"
        await self._send("POST", path, json=body, headers={"Idempotency-Key": number})

    # Commands.

    async def ready(self) -> None:
        """Take contacts from now on."""
        await self.do(commands.Ready())

    async def not_ready(self, reason: str = "") -> None:
        """Take no more contacts, after the one in hand."""
        await self.do(commands.NotReady(reason))

    async def nail_up(self) -> None:
        """Let one's phone be called, and keep that call."""
        await self.do(commands.NailUpPhone())

    async def drop_nail_up(self) -> None:
        """End the call to one's phone."""
        await self.do(commands.DropNailUp())

    async def accept_preview(self) -> None:
        """Dial the contact on the card."""
        await self.do(commands.AcceptPreview())

    async def skip_preview(self, reason: str = "") -> None:
        """Give the card back."""
        await self.do(commands.SkipPreview(reason))

    async def dial(self, address: str, contact_id: int | None = None) -> None:
        """Dial a number by hand."""
        await self.do(commands.Dial(address, contact_id))

    async def hold(self) -> None:
        """Let the contact hear music."""
        await self.do(commands.Hold())

    async def unhold(self) -> None:
        """Talk to the contact again."""
        await self.do(commands.Unhold())

    async def end_call(self) -> None:
        """Hang up on the contact."""
        await self.do(commands.EndCall())

    async def send_digits(self, digits: str) -> None:
        """Play keys to the contact."""
        await self.do(commands.SendDigits(digits))

    async def redial(self, address: str = "") -> None:
        """Call the contact of the wrap-up again."""
        await self.do(commands.Redial(address))

    async def consult(self, address: str = "", agent: str = "") -> None:
        """Put the contact on hold and call a number, or another agent by name."""
        await self.do(commands.ConsultCall(address, agent))

    async def cancel_consult(self) -> None:
        """End the consulted leg."""
        await self.do(commands.CancelConsult())

    async def complete_transfer(self) -> None:
        """Leave contact and consulted person talking."""
        await self.do(commands.CompleteTransfer())

    async def conference(self) -> None:
        """Let all three talk."""
        await self.do(commands.StartConference())

    async def end_conference(self) -> None:
        """End the third leg."""
        await self.do(commands.EndConference())

    async def wrap_up(
        self,
        code: str,
        note: str = "",
        *,
        callback: Callback | None = None,
        then_not_ready: str | None = None,
    ) -> None:
        """Say what came of the contact; then ready, or not ready for a reason."""
        await self.do(commands.WrapUp(code, note, callback, then_not_ready))

    async def extend_wrap_up(self) -> None:
        """Ask for more time."""
        await self.do(commands.ExtendWrapUp())

    # Records.

    async def completion_codes(self) -> Sequence[Mapping[str, Any]]:
        """Return the organization's completion codes."""
        return await self._send("GET", "completion-codes")  # type: ignore[no-any-return]

    async def jobs(self) -> Sequence[Mapping[str, Any]]:
        """Return what runs for agents, and for what of it this agent may work."""
        return await self._send("GET", "jobs")  # type: ignore[no-any-return]

    async def prefer_campaigns(self, campaigns: Sequence[int]) -> None:
        """Work for these campaigns only; none: for any."""
        await self._send("PUT", "preferred-campaigns", json={"campaigns": list(campaigns)})

    async def callbacks(self) -> Sequence[Mapping[str, Any]]:
        """Return the promises that are not kept yet."""
        return await self._send("GET", "callbacks")  # type: ignore[no-any-return]

    async def contact(self, contact_id: int) -> Mapping[str, Any]:
        """Return the contact in hand, or of a callback."""
        return await self._send("GET", f"contacts/{contact_id}")  # type: ignore[no-any-return]

    async def set_attributes(self, contact_id: int, attributes: Mapping[str, str]) -> Mapping[str, Any]:
        """Set attributes of the contact in hand; "" removes one."""
        path = f"contacts/{contact_id}/attributes"
        return await self._send("PUT", path, json={"attributes": dict(attributes)})  # type: ignore[no-any-return]

    async def is_blocked(self, address: str, country: str = "") -> bool:
        """Return whether an address may not be contacted."""
        body = {"address": address, "country": country}
        return bool((await self._send("POST", "do-not-contact/check", json=body))["blocked"])

    async def block(self, address: str, country: str = "") -> None:
        """Let nobody contact an address any more."""
        await self._send("POST", "do-not-contact", json={"address": address, "country": country})

    async def figures(self) -> Mapping[str, Any]:
        """Return today's figures."""
        return await self._send("GET", "figures")  # type: ignore[no-any-return]

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", **options.pop("headers", {})}
        address = f"{self._url}/api/agent/{path}"
        return await self._sending.send(method, address, headers=headers, timeout=self._timeout, **options)

    def _seen(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._after is None:
            self._after = int(answer["last_id"])
        state: Mapping[str, Any] = answer["session"]
        return state


def _json(command: Command) -> dict[str, Any]:
    fields = write_command(command)
    for key, value in fields.items():
        if isinstance(value, Callback):
            fields[key] = {
                "at": value.at.isoformat(),
                "kind": value.kind.value,
                "address": value.address,
                "note": value.note,
                "time_zone": value.time_zone,
                "expires_at": None if value.expires_at is None else value.expires_at.isoformat(),
            }
    return fields
