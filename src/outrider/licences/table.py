"""The tasks of a large pool as columns, built once and read by both `share` and `certify`.

Only the extraction is shared: what each of them makes of the columns is its own (licensing.md 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from outrider.licences.model import COUNTED_KINDS, TaskShare

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KIND_CODES = {kind: code for code, kind in enumerate(COUNTED_KINDS)}
"""kind -> its number in the `kind` column."""


@dataclass(frozen=True, slots=True)
class TaskTable:
    """One row per task, in the order given; `age` orders starts (smaller is older)."""

    ids: list[str]
    kind: Ints
    minimum: Ints
    maximum: Ints
    priority: Ints
    need: Ints
    held: Ints
    running: Bools
    age: Ints

    @classmethod
    def of(cls, tasks: Sequence[TaskShare]) -> "TaskTable":
        """Read the columns out of `tasks`; about half a microsecond per task."""
        size = len(tasks)

        def column(name: str) -> Ints:
            return np.fromiter(map(attrgetter(name), tasks), np.int64, size)

        return cls(
            ids=list(map(attrgetter("id"), tasks)),
            kind=np.fromiter(map(KIND_CODES.__getitem__, map(attrgetter("kind"), tasks)), np.int64, size),
            minimum=column("minimum"),
            maximum=column("maximum"),
            priority=column("priority"),
            need=column("need"),
            held=column("held"),
            running=np.fromiter(map(attrgetter("running"), tasks), np.bool_, size),
            age=ages_of(list(map(attrgetter("started"), tasks))),
        )


def ages_of(started: list[float]) -> Ints:
    """Return whole numbers that order as `started` does: themselves when they fit 64 bits, else ranks."""
    column = np.array(started)
    if column.dtype == np.int64:
        return column
    ranks = {value: rank for rank, value in enumerate(sorted(set(started)))}
    return np.fromiter(map(ranks.__getitem__, started), np.int64, len(started))
