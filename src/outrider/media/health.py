"""Whether a media server is connected or has failed, from what the living workers see. Pure.

`media/sharing.py` asks it at every report and every tick of the monitor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outrider.media.model import Health, SeenAs

FAILING = frozenset({SeenAs.GONE, SeenAs.UNREACHABLE, SeenAs.REFUSED})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one living worker sees of a media server."""

    worker_id: str
    seen_as: SeenAs
    message: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is held of a media server, what it runs, and what is wrong with it ("" when it is connected)."""

    health: Health
    message: str = ""
    version: str = ""


def judge(before: Verdict, seen: Sequence[Seen]) -> Verdict:
    """Return what is held of a server now (issue 3, media servers).

    Connected while any living worker is connected; failed when all of them say that it is gone,
    unreachable or refuses them. While some still try, or no worker lives, what was held before stays.
    The order of `seen` does not matter.
    """
    by_worker = sorted(seen, key=lambda each: each.worker_id)
    connected = [each for each in by_worker if each.seen_as is SeenAs.CONNECTED]
    if connected:
        version = max(each.version for each in connected)
        return Verdict(Health.CONNECTED, "", version or before.version)
    if by_worker and all(each.seen_as in FAILING for each in by_worker):
        message = next((each.message for each in by_worker if each.message), "it cannot be reached")
        return Verdict(Health.FAILED, message, before.version)
    return before
