"""How many agents each task can have at once, when not every agent may work for every task. Pure.

`dealing.py` asks unit by unit. Agents who may work for the same tasks are counted together, so that hundreds
of agents cost no more than a few classes.
"""

from collections import Counter
from collections.abc import Iterable

Class = tuple[int, ...]
"""The places of the tasks that some agents may work for."""


class Matching:
    """Agents by class, free or given to tasks; whoever is given may change places so that more are served."""

    def __init__(self, eligible: Iterable[Class]) -> None:
        """Begin with all free: `eligible` has the places of the tasks of every agent."""
        self._free: Counter[Class] = Counter(eligible)
        self._given: dict[Class, Counter[int]] = {each: Counter() for each in self._free}
        self._classes: dict[int, list[Class]] = {}
        for each in sorted(self._free):
            for place in each:
                self._classes.setdefault(place, []).append(each)

    def serve(self, place: int) -> bool:
        """Give a task one more agent, changing places of others if need be; False when that is impossible.

        Nobody served before loses by it: this is an augmenting path of bipartite matching.
        """
        came_from: dict[int, tuple[int, Class] | None] = {place: None}
        queue = [place]
        for at in queue:
            classes = self._classes.get(at, ())
            found = next((each for each in classes if self._free[each]), None)
            if found is not None:
                self._shift(found, at, came_from)
                return True
            for each in classes:
                for other, count in sorted(self._given[each].items()):
                    if count and other not in came_from:
                        came_from[other] = (at, each)
                        queue.append(other)
        return False

    def _shift(self, found: Class, at: int, came_from: dict[int, tuple[int, Class] | None]) -> None:
        """Give a free agent of a class to `at`, and one of each task on the way to the one before it."""
        self._free[found] -= 1
        self._given[found][at] += 1
        while (step := came_from[at]) is not None:
            at_before, through = step
            self._given[through][at] -= 1
            self._given[through][at_before] += 1
            at = at_before
