"""How far agents who are about to come free are counted on, so that few people wait for one. Pure.

`pacer.py` asks it at every decision, and tells it of every person who answered. Who waits less than the
patience is not abandoned, and still hears silence: where many agents come free within the patience (short
talks, large floors), the abandonment budget alone would let nearly everybody wait.
"""

import math
from collections.abc import Mapping
from typing import Any

MOST = 0.10
"""The share of people who may have to wait at all; floors of 100 agents with talks of minutes stay below."""
LEAST_TRUST = 0.02
STEPS = 4_000.0
"""Answers over which a share of waiting that is off by all of MOST changes the trust by a factor of e."""
LATELY = 100.0
"""Answers over which the share of those who waited is told."""


class Waiting:
    """One campaign's: stochastic approximation, as for the risk of a line, with steps that stay as they are.

    `trust` is the share of expected releases that is counted on; `share` that of people who lately waited.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._log_trust = 0.0
        self._seen = 0.0

    @property
    def trust(self) -> float:
        """Return the share of expected releases that may be counted on, above 0, at most 1."""
        return math.exp(self._log_trust)

    def observe(self, *, waits: bool) -> None:
        """Learn that a person answered, and whether an agent was free at once."""
        self._seen += 1.0
        self.share += (waits - self.share) / min(LATELY, self._seen)
        step = (MOST - waits) / (MOST * STEPS)
        self._log_trust = min(0.0, max(math.log(LEAST_TRUST), self._log_trust + step))

    def snapshot(self) -> dict[str, Any]:
        """Return what is known as JSON data."""
        return {"share": self.share, "log_trust": self._log_trust, "seen": self._seen}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on with what `snapshot` returned."""
        self.share, self._seen = float(data["share"]), float(data["seen"])
        self._log_trust = float(data["log_trust"])
