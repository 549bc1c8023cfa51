"""Sharing problems, pools of states and timelines for tests: drawn by hypothesis, or seeded and large."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from outrider.licences.model import (
    COUNTED_KINDS,
    NESTED_KINDS,
    Allocation,
    Answer,
    Holding,
    LicenceKind,
    Policy,
    Problem,
    TaskShare,
)
from outrider.licences.share import right_of

PORTS = LicenceKind.OUTBOUND_PORTS
KIND_SETS: tuple[tuple[LicenceKind, ...], ...] = ((PORTS,), NESTED_KINDS, COUNTED_KINDS)


@st.composite
def tasks(draw: st.DrawFn, name: str, kinds: Sequence[LicenceKind], largest: int) -> TaskShare:
    """Draw one valid task; priorities and ages collide often."""
    maximum = draw(st.integers(0, largest))
    return TaskShare(
        id=name,
        kind=draw(st.sampled_from(kinds)),
        minimum=draw(st.integers(0, min(maximum, 6))),
        maximum=maximum,
        priority=draw(st.sampled_from([5, 5, 1, 2, 3, 7, 8, 10])),
        need=draw(st.integers(0, largest + 3)),
        held=draw(st.sampled_from([0, 1, largest // 2, largest])),
        running=draw(st.sampled_from([True, True, True, False])),
        started=draw(st.integers(0, 3)),
    )


@st.composite
def problems(draw: st.DrawFn, *, most: int = 9, least: int = 0, largest: int = 14) -> Problem:
    """Draw a problem of up to `most` tasks whose pool is now scarce, now ample."""
    kinds = draw(st.sampled_from(KIND_SETS))
    size = draw(st.integers(least, most))
    drawn = tuple(draw(tasks(f"t{index}", kinds, largest)) for index in range(size))
    supply = draw(st.sampled_from([4, 12, 60]))
    pool = {
        kind: draw(st.integers(0, supply)) for kind in kinds if draw(st.sampled_from([True, True, False]))
    }
    return Problem(
        pool=pool,
        tasks=drawn,
        policy=draw(st.sampled_from(list(Policy))),
        agents=draw(st.one_of(st.none(), st.integers(0, 30))),
    )


@st.composite
def holdings(draw: st.DrawFn, problem: Problem, answer: Answer) -> list[Holding]:
    """Draw what the tasks of an answered problem hold and use, a draining stranger included."""
    found = [
        Holding(
            id=task.id,
            kind=task.kind,
            quota=answer.quotas[task.id],
            granted=draw(st.integers(0, 8)),
            in_use=draw(st.integers(0, 8)),
            right=right_of(task),
            priority=task.priority,
            started=task.started,
        )
        for task in problem.tasks
    ]
    kind = problem.tasks[0].kind if problem.tasks else PORTS
    found.append(Holding("stopped", kind, 0, 0, draw(st.integers(0, 5)), 0, 5, -1))
    return found


def large_problem(
    size: int,
    seed: int = 1,
    *,
    kinds: Sequence[LicenceKind] = NESTED_KINDS,
    policy: Policy = Policy.WEIGHTED,
    load: float = 0.5,
    alike: bool = False,
) -> Problem:
    """Return a seeded problem of `size` tasks whose pool covers about `load` of the needs.

    With `alike` all tasks have one priority and one age, so that only ids order them.
    """
    chance = random.Random(seed)
    drawn = []
    for index in range(size):
        minimum = chance.randint(0, 3)
        maximum = minimum + chance.randint(1, 60)
        drawn.append(
            TaskShare(
                id=f"task-{chance.randrange(10**9):09}-{index}",
                kind=chance.choice(kinds),
                minimum=minimum,
                maximum=maximum,
                priority=5 if alike else chance.randint(1, 10),
                need=chance.randint(minimum, maximum),
                held=chance.randint(0, maximum),
                running=chance.random() < 0.95,
                started=0 if alike else index,
                allocation=chance.choice(list(Allocation)),
            )
        )
    needed = sum(task.need for task in drawn)
    pool = {kind: int(needed * load) // len(kinds) for kind in kinds}
    return Problem(pool=pool, tasks=tuple(drawn), policy=policy)


def with_task(problem: Problem, name: str, **changes: Any) -> Problem:
    """Return `problem` with one task changed."""
    changed = tuple(replace(task, **changes) if task.id == name else task for task in problem.tasks)
    return replace(problem, tasks=changed)


@st.composite
def timelines(draw: st.DrawFn, *, most: int = 30) -> list[dict[str, Any]]:
    """Draw a valid timeline as JSON values: starts, calls, pauses, changes, cuts and lapses of time.

    How many calls are up is only known while replaying: the caller cuts `end` events down to that.
    """
    hold = draw(st.sampled_from([0, 0, 15]))
    options = {
        "policy": draw(st.sampled_from(["weighted", "strict"])),
        "idle_after": 30,
        "minimum_hold": hold,
    }
    lines: list[dict[str, Any]] = [
        {"options": options},
        {"at": 0, "pool": {PORTS.value: draw(st.integers(0, 25))}},
    ]
    at, standing = 0, dict[str, str]()
    for index in range(draw(st.integers(1, most))):
        at += draw(st.sampled_from([0, 1, 7, 30, 45]))
        running = [name for name, stand in standing.items() if stand == "running"]
        paused = [name for name, stand in standing.items() if stand == "paused"]
        verbs = ["start", "pool", "until"] + ["attempt", "attempt", "end", "set", "pause", "stop"] * bool(
            running
        )
        verb = draw(st.sampled_from(verbs + ["resume", "end"] * bool(paused)))
        if verb == "start":
            name, maximum = f"T{index}", draw(st.integers(0, 20))
            standing[name] = "running"
            lines.append(
                {
                    "at": at,
                    "start": name,
                    "allocation": draw(st.sampled_from(["dynamic", "dynamic", "reserved"])),
                    "min": draw(st.integers(0, min(5, maximum))),
                    "max": maximum,
                    "priority": draw(st.integers(1, 10)),
                }
            )
        elif verb == "pool":
            lines.append({"at": at, "pool": {PORTS.value: draw(st.integers(0, 25))}})
        elif verb == "until":
            lines.append({"at": at, "until": True})
        elif verb == "resume":
            name = draw(st.sampled_from(paused))
            standing[name] = "running"
            lines.append({"at": at, "resume": name})
        elif verb == "set":
            maximum = draw(st.integers(0, 20))
            minimum, priority = draw(st.integers(0, min(5, maximum))), draw(st.integers(1, 10))
            name = draw(st.sampled_from(running))
            lines.append({"at": at, "set": name, "min": minimum, "max": maximum, "priority": priority})
        elif verb in {"pause", "stop"}:
            name = draw(st.sampled_from(running))
            standing[name] = "paused" if verb == "pause" else "stopped"
            lines.append({"at": at, verb: name})
        else:
            name = draw(st.sampled_from(running if verb == "attempt" else running + paused))
            lines.append({"at": at, verb: name, "calls": draw(st.integers(1, 12))})
    return lines
