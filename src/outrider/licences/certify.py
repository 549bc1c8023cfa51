"""An independent check that an answer is the one that licensing.md 4 demands, cheap enough for production.

`recalculate` runs it on every plan before anything is written. It shares no rule code with `share`: it never
deals a unit, it only asks whether any single unit could go to somebody with a better claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outrider.licences.certify_cover import check_cover
from outrider.licences.model import NESTED_KINDS, SHARING_GROUPS, Answer, LicenceKind, Policy, Problem
from outrider.licences.table import KIND_CODES, Bools, Ints, TaskTable

SCALE = 2520
"""k * SCALE / priority is whole for every priority 1 to 10."""

MINIMUM, ADMISSION, NEED, SURPLUS = 0, 1, 2, 3
"""The classes of units, dealt in this order: 4.1 running, 4.1 newcomers, 4.2, 4.3."""

Key = tuple[int, int, int, int, str]
"""Class, two numbers that the policy orders by, age, id: smaller is dealt earlier."""


def certify(problem: Problem, answer: Answer, table: TaskTable | None = None) -> tuple[str, ...]:
    """Return what is wrong with `answer`, one sentence each; empty means that it is certified.

    Checked: every quota a whole number inside its bounds; all (nested) limits kept; minimums, admission and
    waiting by 4.1; no unit free that somebody may use; no unit with somebody while another has the smaller
    key (4.2, 4.3); cover legal and cheapest (4.4). An answer that passes is the only one there is.
    `table` is the columns of the problem's tasks when the caller has them already.
    """
    table = table if table is not None else TaskTable.of(problem.tasks)
    try:
        quotas = [answer.quotas[name] for name in table.ids]
    except KeyError as missing:
        return (f"task {missing.args[0]} has no quota",)
    if len(answer.quotas) != len(quotas) or not set(map(type, quotas)) <= {int}:
        return ("the quotas are not exactly one whole number per task",)
    quota = np.array(quotas, np.int64)
    waits = _waiting(answer, table)
    if waits is None:
        return ("the waiting list is not a sorted list of known tasks, each once",)
    found: list[str] = []
    for group in SHARING_GROUPS:
        codes = [KIND_CODES[kind] for kind in group]
        rows = (
            np.flatnonzero(np.isin(table.kind, codes))
            if len(group) > 1
            else np.flatnonzero(table.kind == codes[0])
        )
        if len(rows):
            check = _group(problem, table, group, rows, quota[rows], waits[rows])
            found.extend(check.violations())
    units = {kind: int(quota[table.kind == code].sum()) for kind, code in KIND_CODES.items()}
    return (*found, *check_cover(problem.pool, units, answer.cover, answer.free))


def _waiting(answer: Answer, table: TaskTable) -> Bools | None:
    """Return which rows wait, None when the list itself is malformed."""
    waits = np.zeros(len(table.ids), np.bool_)
    if not answer.waiting:
        return waits
    refused = set(answer.waiting)
    if list(answer.waiting) != sorted(refused):
        return None
    waits[:] = [name in refused for name in table.ids]
    return waits if int(waits.sum()) == len(refused) else None


def _group(
    problem: Problem, table: TaskTable, group: tuple[LicenceKind, ...], rows: Ints, quota: Ints, waits: Bools
) -> "_Check":
    """Gather one group of kinds as columns for checking."""
    depth = np.zeros(len(rows), np.int64)
    for index, kind in enumerate(group):
        depth[table.kind[rows] == KIND_CODES[kind]] = index
    need, right = table.need[rows], table.minimum[rows]
    if group is NESTED_KINDS:
        right = np.minimum(right, need)
    return _Check(
        ids=table.ids if len(rows) == len(table.ids) else [table.ids[row] for row in rows.tolist()],
        depth=depth,
        right=right,
        maximum=table.maximum[rows],
        need=np.maximum(right, np.minimum(need, table.maximum[rows])),
        held=table.held[rows],
        priority=table.priority[rows],
        running=table.running[rows],
        age=table.age[rows],
        quota=quota,
        waits=waits,
        limits=_limits(problem.pool, group, problem.agents if group is NESTED_KINDS else None),
        strict=problem.policy is Policy.STRICT,
    )


def _limits(pool: Mapping[LicenceKind, int], group: tuple[LicenceKind, ...], agents: int | None) -> list[int]:
    """Return the pool's counts summed from the first kind on, and no more than there are agents (4.4)."""
    sums = [sum(pool.get(kind, 0) for kind in group[: index + 1]) for index in range(len(group))]
    return sums if agents is None else [min(total, agents) for total in sums]


@dataclass(frozen=True, slots=True)
class _Check:
    """One group of kinds under test, as aligned columns; `need` lies between right and maximum."""

    ids: list[str]
    depth: Ints
    right: Ints
    maximum: Ints
    need: Ints
    held: Ints
    priority: Ints
    running: Bools
    age: Ints
    quota: Ints
    waits: Bools
    limits: list[int]
    strict: bool

    def violations(self) -> list[str]:
        """Return all violations of the group; the later checks only make sense when the bounds hold."""
        return self._bounds() or [*self._limits_kept(), *self._admission(), *self._exchange()]

    def _bounds(self) -> list[str]:
        """Check 0 <= quota <= what a task may have, and what waiting means."""
        top = np.maximum(self.need, np.minimum(self.held, self.maximum))
        newcomer = ~self.running
        found = []
        for wrong, message in (
            (self.quota < 0, "has a negative quota"),
            (self.quota > self.maximum, "has more than its maximum"),
            (self.quota > top, "has more than it needs or held before"),
            (self.waits & self.running, "waits although it was running"),
            (self.waits & (self.right == 0), "waits although it needs no minimum"),
            (self.waits & (self.quota > 0), "waits with a quota"),
            (newcomer & ~self.waits & (self.quota < self.right), "was admitted without its whole minimum"),
        ):
            if wrong.any():
                found.append(f"task {self.ids[int(np.argmax(wrong))]} {message}")
        return found

    def _inside(self, amounts: Ints) -> list[int]:
        """Return the sum of `amounts` inside each nested limit."""
        if len(self.limits) == 1:
            return [int(amounts.sum())]
        return [int(amounts[self.depth <= limit].sum()) for limit in range(len(self.limits))]

    def _limits_kept(self) -> list[str]:
        """Check that every nested limit holds."""
        return [
            f"limit {limit}: {used} units where {allowed} fit"
            for limit, (used, allowed) in enumerate(zip(self._inside(self.quota), self.limits, strict=True))
            if used > max(allowed, 0)
        ]

    def _admission(self) -> list[str]:
        """Check that nobody waits who would have fitted when its turn came (4.1)."""
        if not self.waits.any():
            return []
        rows = np.flatnonzero(~self.running)
        if len(set(self.age[rows].tolist())) < len(rows):
            rows = np.array(sorted(rows.tolist(), key=self.ids.__getitem__), np.int64)
        rows = rows[np.lexsort((self.age[rows], -self.priority[rows]))]
        taken = self._inside(np.where(self.running, np.minimum(self.quota, self.right), 0))
        admitted = np.where(self.waits[rows], 0, self.right[rows])
        left = np.full(len(rows), np.iinfo(np.int64).max)
        for limit, allowed in enumerate(self.limits):
            inside = np.where(self.depth[rows] <= limit, admitted, 0)
            free = allowed - taken[limit] - np.cumsum(inside)
            left = np.where(self.depth[rows] <= limit, np.minimum(left, free), left)
        wrong = self.waits[rows] & (self.right[rows] <= left)
        if not wrong.any():
            return []
        return [
            f"task {self.ids[int(rows[int(np.argmax(wrong))])]} waits although its minimum fitted at its turn"
        ]

    def _exchange(self) -> list[str]:
        """Check that no free unit could be used and no unit has a larger key than one that is missing.

        A task that lacks a unit is blocked by the narrowest full limit around it: any unit inside that
        limit could be moved to it, so all of them must have smaller keys than the one it lacks.
        """
        top = np.maximum(self.need, np.minimum(self.held, self.maximum))
        lacking = (self.quota < top) & ~self.waits
        used = self._inside(self.quota)
        found = []
        for limit in range(len(self.limits)):
            if used[limit] < self.limits[limit]:
                continue
            blocked = np.flatnonzero(lacking & (self.depth <= limit))
            lacking &= self.depth > limit
            holders = np.flatnonzero((self.quota > 0) & (self.depth <= limit))
            if not len(blocked) or not len(holders):
                continue
            wanted = self._extreme(blocked, self.quota[blocked] + 1, largest=False)
            worst = self._extreme(holders, self.quota[holders], largest=True)
            if worst > wanted:
                found.append(f"task {wanted[4]} has the better claim to a unit that task {worst[4]} has")
        if lacking.any():
            found.append(f"a unit is free that task {self.ids[int(np.argmax(lacking))]} could use")
        return found

    def _extreme(self, rows: Ints, unit: Ints, *, largest: bool) -> Key:
        """Return the smallest or largest key among the `unit`-th units of `rows`."""
        by_right = unit <= self.right[rows]
        running = self.running[rows]
        stage = np.where(
            by_right, np.where(running, MINIMUM, ADMISSION), np.where(unit <= self.need[rows], NEED, SURPLUS)
        )
        rank = -self.priority[rows]
        by_key = stage >= NEED
        if self.strict:
            columns = (stage, rank, np.where(by_key, unit, 0), self.age[rows])
        else:
            columns = (stage, np.where(by_key, unit * SCALE // -rank, 0), rank, self.age[rows])
        chosen = np.arange(len(rows))
        values = []
        for column in columns:
            left = column[chosen]
            value = left.max() if largest else left.min()
            values.append(int(value))
            chosen = chosen[left == value]
        names = [self.ids[row] for row in rows[chosen].tolist()]
        return values[0], values[1], values[2], values[3], max(names) if largest else min(names)
