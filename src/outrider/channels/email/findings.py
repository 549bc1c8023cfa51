"""What a check found: one sentence with its weight. Pure.

`check` and `check_dkim` return lists of them; the command and the page show them.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    WARNING = "warning"
    """It works, and could be better."""
    PROBLEM = "problem"
    """Nothing will be sent, or it will not be trusted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one step."""

    level: Level
    step: str
    message: str


def works(findings: Iterable[Finding]) -> bool:
    """Return whether there is no problem among the findings."""
    return all(finding.level is not Level.PROBLEM for finding in findings)
