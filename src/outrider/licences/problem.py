"""Sharing problems and answers as JSON: what `outrider licences share` reads and writes (licensing.md 9)."""

from collections.abc import Mapping
from typing import Any

from outrider.licences.fields import (
    Place,
    a_choice,
    a_count,
    a_flag,
    a_list,
    a_name,
    a_pool,
    a_whole,
    an_object,
    parse_json,
)
from outrider.licences.model import (
    COUNTED_KINDS,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    Allocation,
    Answer,
    Policy,
    Problem,
    TaskShare,
)

FIELDS = ("pool", "policy", "agents", "tasks")
TASK_FIELDS = ("id", "kind", "min", "max", "priority", "need", "held", "running", "started", "allocation")
TASK_REQUIRED = TASK_FIELDS[:6]
OLDEST = 2**63
"""`started` is any whole number of 64 bits."""


def read_problem(text: str, file: str) -> Problem:
    """Return the problem that `text` describes; InvalidInputError names file, line and field otherwise."""
    place = Place(file, text)
    found = an_object(parse_json(text, file), place, FIELDS, ("pool", "tasks"))
    tasks = tuple(
        read_task(task, place.at("tasks", index))
        for index, task in enumerate(a_list(found["tasks"], place.at("tasks")))
    )
    seen: set[str] = set()
    for index, task in enumerate(tasks):
        if task.id in seen:
            place.at("tasks", index, "id").refuse(f"{task.id!a} stands twice; ids must be distinct")
        seen.add(task.id)
    agents = found.get("agents")
    return Problem(
        pool=a_pool(found["pool"], place.at("pool")),
        tasks=tasks,
        policy=a_choice(found.get("policy", "weighted"), place.at("policy"), Policy),
        agents=None if agents is None else a_count(agents, place.at("agents")),
    )


def read_task(value: object, place: Place) -> TaskShare:
    """Return the task that `value` describes; `place` is where it stands."""
    found = an_object(value, place, TASK_FIELDS, TASK_REQUIRED)
    name = a_name(found["id"], place.at("id"))
    minimum, maximum, priority = read_limits(found, place)
    return TaskShare(
        id=name,
        kind=a_choice(found["kind"], place.at("kind"), COUNTED_KINDS),
        minimum=minimum,
        maximum=maximum,
        priority=priority,
        need=a_count(found["need"], place.at("need")),
        held=a_count(found.get("held", 0), place.at("held")),
        running=a_flag(found.get("running", True), place.at("running")),
        started=a_whole(found.get("started", 0), place.at("started"), -OLDEST, OLDEST - 1),
        allocation=a_choice(found.get("allocation", "dynamic"), place.at("allocation"), Allocation),
    )


def read_limits(found: Mapping[str, Any], place: Place) -> tuple[int, int, int]:
    """Return minimum, maximum and priority of a task: 0 <= min <= max, priority 1 to 10."""
    minimum = a_count(found["min"], place.at("min"))
    maximum = a_count(found["max"], place.at("max"))
    if minimum > maximum:
        place.at("min").refuse(f"{minimum} is more than max, which is {maximum}")
    return (
        minimum,
        maximum,
        a_whole(found["priority"], place.at("priority"), LOWEST_PRIORITY, HIGHEST_PRIORITY),
    )


def answer_json(answer: Answer) -> dict[str, object]:
    """Return `answer` as the object that `share` prints."""
    return {
        "quotas": dict(answer.quotas),
        "waiting": list(answer.waiting),
        "cover": {kind.value: {t.value: n for t, n in row.items()} for kind, row in answer.cover.items()},
        "free": {kind.value: count for kind, count in answer.free.items()},
    }
