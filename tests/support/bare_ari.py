"""A bare load script over ARI: no database, no rules, nothing kept. The bench of calls compares us with it.

`python -m support.bare_ari URL USER PASSWORD APP RATE NUMBER...` calls each number once, as fast as RATE
says, plays a prompt to who answers, and prints one line of JSON: seconds, processor seconds, calls.
"""

import asyncio
import base64
import itertools
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

MEDIA = "sound:hello-world"
WANTED = ("StasisStart", "ChannelDestroyed", "RESTResponse")
PATIENCE = 30.0
OK = 200


class Load:
    """One websocket with requests and events on it, and the calls made over it."""

    def __init__(self, socket: ClientConnection, app: str) -> None:
        self._socket = socket
        self._app = app
        self._numbers = itertools.count(1)
        self._pending: dict[str, asyncio.Future[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.ended = 0
        self.refused = 0
        self.done = asyncio.Event()

    async def read(self, calls: int) -> None:
        """Take answers and events until all calls are over."""
        async for raw in self._socket:
            message = json.loads(raw)
            kind = message["type"]
            if kind == "RESTResponse":
                waiting = self._pending.pop(message["request_id"], None)
                if waiting is not None:
                    waiting.set_result(message["status_code"])
            elif kind == "StasisStart":
                path = f"channels/{message['channel']['id']}/play"
                self.run(self.play(path))
            elif kind == "ChannelDestroyed":
                self.ended += 1
                if self.ended + self.refused >= calls:
                    self.done.set()

    async def request(self, method: str, path: str, body: dict[str, Any]) -> int:
        """Send a request and return its status."""
        number = str(next(self._numbers))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        message = {
            "type": "RESTRequest",
            "transaction_id": "",
            "request_id": number,
            "method": method,
            "uri": path,
            "content_type": "application/json",
            "message_body": json.dumps(body),
        }
        await self._socket.send(json.dumps(message))
        return await answer

    async def play(self, path: str) -> None:
        """Play the prompt."""
        await self.request("POST", path, {"media": MEDIA})

    async def call(self, number: str, name: str) -> None:
        """Make one call."""
        body = {"endpoint": f"PJSIP/{number}@trunk", "app": self._app, "channelId": name, "timeout": 45}
        if await self.request("POST", "channels", body) != OK:
            self.refused += 1

    def run(self, work: Any) -> None:
        """Run a coroutine beside the others."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def main(url: str, user: str, password: str, app: str, pace: str, *numbers: str) -> None:
    """Call all numbers, at `pace` calls a second, and print what it took."""
    rate = float(pace)
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    address = f"ws{url.removeprefix('http')}/events?app={app}"
    async with connect(address, additional_headers={"Authorization": f"Basic {token}"}) as socket:
        load = Load(socket, app)
        reading = asyncio.ensure_future(load.read(len(numbers)))
        allowed = {"allowed": [{"type": kind} for kind in WANTED]}
        assert await load.request("PUT", f"applications/{app}/eventFilter", allowed) == OK
        mark, begun, used = time.time_ns(), time.perf_counter(), time.process_time()
        for index, number in enumerate(numbers):
            ahead = begun + index / rate - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            load.run(load.call(number, f"bare-{mark}-{index}"))
        async with asyncio.timeout(PATIENCE):
            await load.done.wait()
        took = {"seconds": time.perf_counter() - begun, "processor": time.process_time() - used}
        reading.cancel()
        sys.stdout.write(json.dumps({**took, "calls": load.ended}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
