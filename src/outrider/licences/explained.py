"""Explanations as people and programs read them: why a task has what it has, history, what-if. Pure.

`licences/explaining.py` fills them; the API and the pages show them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.licences.model import Binding, LicenceKind, Rule, Standing, TaskKind, Trigger


@dataclass(frozen=True, slots=True)
class NamedTask:
    """A task and what people call it."""

    task_id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What one task had before or after a recalculation, in units."""

    quota: int
    granted: int
    in_use: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Recalculation:
    """One record of a pool's history: when and why, with which counts, and who had what.

    `before` lists the tasks that it changed, `after` all that competed or drained; both by task id, whose
    names are in `names`. `violations` are those of a plan that failed its certificate and was not used.
    """

    id: int
    pool_id: int
    at: dt.datetime
    trigger: Trigger
    task: NamedTask | None
    cause: str
    counts: Mapping[str, int]
    before: Mapping[str, Holding]
    after: Mapping[str, Holding]
    names: Mapping[str, str]
    violations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RecalculationPage:
    """Records, newest first; `next` is the `before` of the following page, null on the last."""

    items: tuple[Recalculation, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a task has what it has (licensing.md 8), in units, with one sentence for people.

    `rule` gave the last unit, `binding` keeps it from more; `limit` are the licence types that are used up.
    `held_by` have not given back units of this task yet, `next_in_line` gets the next unit that is freed.
    `recalculated_now` is what a recalculation at this moment would give it. `set_by` is the recalculation
    that made the quota what it is, null when the task never had one.
    """

    task_id: int
    name: str
    job_id: int
    campaign: str
    action: str
    kind: TaskKind
    standing: Standing
    quota: int
    granted: int
    in_use: int
    draining: int
    need: int
    minimum: int
    maximum: int
    priority: int
    rule: Rule
    binding: Binding | None
    limit: tuple[LicenceKind, ...]
    held_by: tuple[NamedTask, ...]
    next_in_line: NamedTask | None
    recalculated_now: int
    sentence: str
    set_by: Recalculation | None


@dataclass(frozen=True, slots=True)
class ExplainedPool:
    """Every task of a pool explained, by id, as of `at`, with the counts in force."""

    pool_id: int
    at: dt.datetime
    policy: str
    counts: Mapping[LicenceKind, int]
    tasks: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class SupposedTask:
    """A task before and after a what-if. `before` null: it does not compete now; `after` null: no longer.

    `sentence` explains the supposed quota, as `Explained` does the present one; "" when it does not compete.
    """

    task: NamedTask
    kind: TaskKind
    before: int | None
    after: int | None
    waits: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Supposition:
    """What a pool would look like after changes that nobody made."""

    pool_id: int
    at: dt.datetime
    counts_before: Mapping[LicenceKind, int]
    counts_after: Mapping[LicenceKind, int]
    tasks: tuple[SupposedTask, ...]
