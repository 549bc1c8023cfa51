"""Random timelines through replay: the invariants of licensing.md 2 at every event."""

import json
from typing import Any

from hypothesis import given, settings

from outrider.licences.model import Allocation, Standing, TaskState
from outrider.licences.need import need_of
from outrider.licences.replay import Record, ReplayedPool, record_json, replay
from outrider.licences.timeline import Event, Options, read_timeline
from support.sharing import PORTS, timelines


def event_of(line: dict[str, Any]) -> Event:
    """Return one line as an event."""
    _, events = read_timeline([json.dumps(line)], "timeline")
    return next(events)


def options_of(line: dict[str, Any]) -> Options:
    options, _ = read_timeline([json.dumps(line)], "timeline")
    return options


class Watched:
    """A replayed pool that is checked after every event."""

    def __init__(self, options: Options) -> None:
        self.pool = ReplayedPool(options)
        self.lines: list[dict[str, Any]] = []
        self.records: list[Record] = []

    def feed(self, line: dict[str, Any]) -> None:
        """Replay one line, with an `end` cut down to the calls that are up, and check everything."""
        if "end" in line:
            up = self.pool.states[line["end"]].in_use
            if not up:
                return
            line = {**line, "calls": min(up, line["calls"])}
        before = dict(self.pool.states)
        event = event_of(line)
        new = [*self.pool.advance(event.at), *self.pool.apply(event)]
        self.lines.append(line)
        self.records += new
        if not new:
            self.nothing_moved(before)
        self.charged_within_the_pool(before)
        self.bounds_hold()
        self.nothing_is_left_free()

    def nothing_moved(self, before: dict[str, TaskState]) -> None:
        """Between recalculations nobody's quota changes, reserved or not (invariant 4)."""
        for name, state in before.items():
            assert self.pool.states[name].quota == state.quota
            assert self.pool.states[name].standing == state.standing

    def charged_within_the_pool(self, before: dict[str, TaskState]) -> None:
        """Invariant 1: granted and in use stay inside the pool; after a cut nothing starts."""
        count = self.pool.counts.get(PORTS, 0)
        charged = sum(state.charged for state in self.pool.states.values())
        busy = sum(state.in_use for state in self.pool.states.values())
        assert charged <= max(count, busy)
        if busy > count:
            assert busy <= sum(state.in_use for state in before.values())

    def bounds_hold(self) -> None:
        """Invariants 2 and 3, and what a grant may be."""
        states = self.pool.states.values()
        admitted = [state for state in states if state.standing is Standing.ADMITTED]
        short = sum(state.minimum for state in admitted) > self.pool.counts.get(PORTS, 0)
        for state in states:
            assert 0 <= state.granted <= state.quota <= state.maximum
            if state.standing is not Standing.ADMITTED:
                assert state.quota == 0
            elif state.allocation is Allocation.DYNAMIC and not short:
                assert state.quota >= state.minimum

    def nothing_is_left_free(self) -> None:
        """Invariant 5: no unit is free that somebody needs, or that somebody may have now."""
        count, now, idle_after = self.pool.counts.get(PORTS, 0), self.pool.now, self.pool.options.idle_after
        states = self.pool.states.values()
        if sum(state.quota for state in states) < count:
            for state in states:
                if state.standing is Standing.ADMITTED:
                    assert state.quota >= min(state.maximum, need_of(state, now, idle_after))
        if sum(state.charged for state in states) < count:
            assert all(state.granted == state.quota for state in states)


@given(lines=timelines())
@settings(max_examples=200, deadline=None)
def test_invariants_hold_at_every_event(lines: list[dict[str, Any]]) -> None:
    options = options_of(lines[0])
    watched = Watched(options)
    for line in lines[1:]:
        watched.feed(line)
    text = [json.dumps(line) for line in (lines[0], *watched.lines)]
    again = [record_json(record) for record in replay(*read_timeline(text, "timeline"))]
    assert again == [record_json(record) for record in watched.records]


@given(lines=timelines())
@settings(max_examples=100, deadline=None)
def test_when_all_calls_have_ended_everything_comes_to_rest(lines: list[dict[str, Any]]) -> None:
    options = options_of(lines[0])
    watched = Watched(options)
    for line in lines[1:]:
        watched.feed(line)
    at = watched.pool.now
    for name, state in dict(watched.pool.states).items():
        if state.in_use:
            watched.feed({"at": at, "end": name, "calls": state.in_use})
    assert all(state.granted == state.quota for state in watched.pool.states.values())
    watched.feed({"at": at + 1_000, "until": True})
    rested = len(watched.records)
    watched.feed({"at": at + 9_000, "until": True})
    assert len(watched.records) == rested
