"""Completion codes and their effects, and the set that an organization begins with. Pure.

`service.py` keeps them; `dialing/code_effects.py` follows them.
"""

import enum
import re
from dataclasses import dataclass, replace

from outrider.campaigns.outcome import Outcome
from outrider.errors import InvalidInputError

MOST_CODES = 200
LONGEST_NAME, LONGEST_LABEL = 40, 80
LONGEST_RETRY = 90 * 24 * 3600.0
"""Seconds."""
LARGEST_POSITION = 9_999

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Effect(enum.StrEnum):
    """What a completion code does to its contact."""

    DONE = "done"
    """Nothing more is tried."""
    RETRY = "retry"
    """It is called again after the code's `retry_after`, as often as the strategy allows."""
    CALLBACK = "callback"
    """It is called when the agent promised to."""
    DO_NOT_CONTACT = "do_not_contact"
    """It is never contacted again: its address goes on the organization's list."""


@dataclass(frozen=True, slots=True)
class CodePlan:
    """What a code shall be. `retry_after` is seconds, only for a retry; `shortcut` one key of the desktop."""

    name: str
    label: str = ""
    effect: Effect = Effect.DONE
    retry_after: float | None = None
    shortcut: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class CompletionCode:
    """A code of an organization. Its `name` stays: strategies and the history have it."""

    id: int
    organization_id: int
    name: str
    label: str
    effect: Effect
    retry_after: float | None
    shortcut: str
    position: int

    @property
    def plan(self) -> CodePlan:
        """Return what the code says now, as a plan to change."""
        return CodePlan(self.name, self.label, self.effect, self.retry_after, self.shortcut, self.position)


DEFAULT_CODES: tuple[CodePlan, ...] = (
    CodePlan("sale", "Sale", Effect.DONE, None, "s", 10),
    CodePlan("not_interested", "Not interested", Effect.DONE, None, "n", 20),
    CodePlan("call_back", "Call back", Effect.CALLBACK, None, "c", 30),
    CodePlan("nobody_there", "No answer, or the wrong moment", Effect.RETRY, 4 * 3600.0, "a", 40),
    CodePlan("machine_answered", "Answering machine", Effect.RETRY, 4 * 3600.0, "m", 50),
    CodePlan("wrong_number", "Wrong number", Effect.DONE, None, "w", 60),
    CodePlan("do_not_call", "Do not call again", Effect.DO_NOT_CONTACT, None, "d", 70),
)
"""What every organization begins with. No name is an outcome's: rules of strategies tell them apart."""


def checked(plan: CodePlan) -> CodePlan:
    """Return a plan as it is stored. InvalidInputError names the first field that cannot be so."""
    name, label, shortcut = plan.name.strip(), plan.label.strip(), plan.shortcut.strip().casefold()
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"name: use small letters, digits and _ ({LONGEST_NAME} at most), such as not_interested,"
            f" not {name[:60]!r}",
            where="name",
        )
    if name in set(Outcome):
        raise InvalidInputError(f"name: {name} is an outcome of calls; choose another name", where="name")
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidInputError(f"label: use at most {LONGEST_LABEL} printable characters", where="label")
    if shortcut and (len(shortcut) != 1 or not shortcut.isascii() or not shortcut.isalnum()):
        raise InvalidInputError("shortcut: use one letter or digit, or none", where="shortcut")
    if not 0 <= plan.position <= LARGEST_POSITION:
        raise InvalidInputError(f"position: use a number from 0 to {LARGEST_POSITION}", where="position")
    return replace(
        plan,
        name=name,
        label=label or name.replace("_", " ").capitalize(),
        shortcut=shortcut,
        retry_after=_retry_after(plan),
    )


def _retry_after(plan: CodePlan) -> float | None:
    if plan.effect is not Effect.RETRY:
        if plan.retry_after is not None:
            raise InvalidInputError(
                "retry_after: only a code whose effect is retry has it", where="retry_after"
            )
        return None
    seconds = plan.retry_after
    if seconds is None or not 0 <= seconds <= LONGEST_RETRY:
        raise InvalidInputError(
            f"retry_after: say after how many seconds, at most {LONGEST_RETRY:.0f}", where="retry_after"
        )
    return seconds
