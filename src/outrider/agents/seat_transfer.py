"""Whether a task can hold one more seat, and what that makes of quotas and grants. Pure.

`seats.attach` and `seats.move` use it: a seat that moves goes straight to the other task, so that no
recalculation can give it to anybody else in between (licensing.md 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from outrider.licences.levels import limits_of
from outrider.licences.model import NESTED_KINDS, LicenceKind, Standing, TaskState


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a task cannot hold one more seat: in words, and the number that is used up."""

    reason: str
    kind: LicenceKind
    in_use: int
    limit: int


def with_one_more(
    counts: Mapping[LicenceKind, int],
    states: Sequence[TaskState],
    target: str,
    label: str,
    giver: str | None = None,
) -> dict[str, TaskState] | Shortage:
    """Return the states that change when `target` gets one more unit in use, `giver`'s if there is one.

    `states` are all tasks of agents in the pool, `label` names the target. The sums of units granted, and of
    max(granted, in use), stay inside every nested limit, or, where the pool was cut, grow past none of them
    (2.1, 4.4): a unit that drains, granted to nobody, cannot be moved. The units in use are not changed yet.
    """
    known = {state.id: state for state in states}
    to = known[target]
    kind = LicenceKind(to.kind)
    if to.standing is not Standing.ADMITTED:
        return Shortage(f"job {label} takes no agents now: it is {to.standing}", kind, to.in_use, to.maximum)
    if to.in_use >= to.maximum:
        words = f"job {label} is at its maximum of {to.maximum} agents"
        return Shortage(words, kind, to.in_use, to.maximum)
    changed = {target: to}
    if to.granted <= to.in_use:
        granted = to.in_use + 1
        changed[target] = replace(to, granted=granted, quota=max(to.quota, granted))
    if giver is not None:
        changed[giver] = _without_one(known[giver])
    then = [changed.get(each.id, each) for each in states]
    charged = [_charged_then(each, target, giver) for each in then]
    sums = (
        ([each.charged for each in states], charged),
        ([each.granted for each in states], [each.granted for each in then]),
    )
    depths = [NESTED_KINDS.index(LicenceKind(each.kind)) for each in states]
    limits = limits_of([counts.get(each, 0) for each in NESTED_KINDS], None)
    for at, limit in enumerate(limits):
        for before, after in sums:
            old = sum(units for depth, units in zip(depths, before, strict=True) if depth <= at)
            new = sum(units for depth, units in zip(depths, after, strict=True) if depth <= at)
            if new > limit and new > old:
                used = sum(each.charged for depth, each in zip(depths, states, strict=True) if depth <= at)
                return Shortage(_no_seat(NESTED_KINDS[: at + 1], used, limit), kind, used, limit)
    return changed


def _without_one(state: TaskState) -> TaskState:
    """Return the giver without the unit; one that drains gives a unit that it had too many."""
    if state.in_use > state.granted:
        return state
    return replace(state, granted=state.granted - 1, quota=max(0, state.quota - 1))


def _charged_then(state: TaskState, target: str, giver: str | None) -> int:
    moved = (state.id == target) - (state.id == giver)
    return max(state.granted, state.in_use + moved)


def _no_seat(kinds: Sequence[LicenceKind], used: int, limit: int) -> str:
    names = [kind.value.removesuffix("_agents") for kind in kinds]
    joined = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"no seat: {used} of {limit} {joined} seats are taken"
