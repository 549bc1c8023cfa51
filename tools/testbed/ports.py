"""Free ports on the loopback address, for servers of the test bed that run side by side."""

import itertools
import os
import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
_FIRST_MEDIA, _BLOCK, _BLOCKS = 10_000, 3_000, 7
_blocks = itertools.count(os.getpid())


def free_tcp_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def free_udp_ports(count: int) -> tuple[int, ...]:
    """Return different UDP ports that nobody has bound now."""
    with ExitStack() as held:
        found = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for each in found:
            each.bind((LOOPBACK, 0))
        return tuple(int(each.getsockname()[1]) for each in found)


def media_ports() -> tuple[int, int]:
    """Return the first and last UDP port for a server's audio: another block for each server of a process.

    Blocks of other processes may be the same; Asterisk passes over ports that are taken.
    """
    first = _FIRST_MEDIA + next(_blocks) % _BLOCKS * _BLOCK
    return first, first + _BLOCK - 2
