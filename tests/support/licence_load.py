"""The load of the licence server's benchmark.

`python -m support.licence_load HOST PORT REQUESTS SEEN NAME=TOKEN...`: each client keeps one connection and
asks as fast as it is answered. Prints answers per second. One thread and raw bytes: measuring takes little
of the machine.
"""

import re
import selectors
import socket
import sys
import time
from dataclasses import dataclass

BODY = b'{"protocol":"1.1","client":"%s","nonce":"%020d","wants":"all","seen":%d}'
HEAD = b"POST /v1/leases HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"


@dataclass(slots=True)
class Conversation:
    """One client on one connection. The server numbers its answers one by one, so `seen` is known unread."""

    connection: socket.socket
    name: bytes
    token: bytes
    left: int
    seen: int = 0
    received: bytes = b""
    answered: int = 0

    def ask(self) -> None:
        """Send one renewal."""
        body = BODY % (self.name, self.answered, self.seen)
        self.connection.sendall(HEAD % (self.token, len(body)) + body)
        self.received = b""

    def hear(self) -> bool:
        """Take what has arrived; return whether the answer is complete. ConnectionError, AssertionError."""
        part = self.connection.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        self.received += part
        head, end, content = self.received.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        if not end or found is None or len(content) < int(found[1]):
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"{head[:40]!r} {content[:300]!r}")
        self.seen += 1
        self.answered += 1
        return True


def main(host: str, port: str, requests: str, seen: str, *given: str) -> None:
    """Run the load and print the rate; `seen` is the sequence of every client's last answer."""
    selector = selectors.DefaultSelector()
    talks = []
    for pair in given:
        name, _, token = pair.partition("=")
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Conversation(connection, name.encode(), token.encode(), int(requests), int(seen))
        selector.register(connection, selectors.EVENT_READ, talk)
        talks.append(talk)
    begin = time.perf_counter()
    for talk in talks:
        talk.ask()
    open_talks = len(talks)
    while open_talks:
        for key, _ in selector.select():
            talk = key.data
            if talk.hear():
                if talk.answered == talk.left:
                    open_talks -= 1
                else:
                    talk.ask()
    sys.stdout.write(f"{len(talks) * int(requests) / (time.perf_counter() - begin)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
