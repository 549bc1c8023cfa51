"""`POST /v1/leases` and `POST /v1/release`, as plain ASGI: the path that has to be fast.

`api` puts it before everything else. Whatever is well-formed gets a signed answer, refusals too.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from outrider.errors import InvalidInputError, OutriderError
from outrider.supply.server.batches import Batches
from outrider.supply.server.model import RefusalReason, Refused
from outrider.supply.server.protocol import LARGEST_REQUEST, LEASES, MEDIA_TYPE, RELEASE, Signer, read_request
from outrider.web import problems

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBLEM_TYPE = "application/problem+json"
STATUS = {RefusalReason.UNKNOWN_CLIENT: 401, RefusalReason.IN_USE: 409}


class LeaseEndpoint:
    """Answers lease requests, and passes everything else on to `rest`."""

    def __init__(self, batches: Batches, signer: Signer, rest: App) -> None:
        self._batches = batches
        self._signer = signer
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in {LEASES, RELEASE} or scope["method"] != "POST":
            await self._rest(scope, receive, send)
            return
        try:
            status, body = await self._answer(scope, receive)
        except InvalidInputError as error:
            await _problem(send, error)
        except OutriderError as error:
            log.warning("lease_request_failed", error=error.message)
            await _problem(send, error)
        except Exception:
            log.exception("lease_request_failed")
            await _problem(send, OutriderError("the licence server failed to answer; its log says why"))
        else:
            await _respond(send, status, MEDIA_TYPE, body)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        token = _bearer(scope)
        request = read_request(await _body(receive), token, releases=scope["path"] == RELEASE)
        answer = await self._batches.answer(request)
        status = STATUS[answer.reason] if isinstance(answer, Refused) else 200
        return status, self._signer.sign(answer, request)


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].decode("latin-1").strip())
    return ""


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        if len(body) > LARGEST_REQUEST:
            break
        message = await receive()
        body += message.get("body", b"")
    if len(body) > LARGEST_REQUEST:
        raise InvalidInputError(f"the request has more than {LARGEST_REQUEST} bytes", where="body")
    return body


async def _problem(send: Send, error: OutriderError) -> None:
    found = problems.of_error(error)
    await _respond(send, found.status, PROBLEM_TYPE, json.dumps(found.document(), default=str).encode())


async def _respond(send: Send, status: int, media_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
