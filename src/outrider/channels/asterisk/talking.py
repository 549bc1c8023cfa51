"""Who took the call, judged by when somebody talks: for an Asterisk whose dialplan has no AMD(). Pure.

`calls` feeds it what TALK_DETECT reports. The rule is AMD()'s own, with its usual limits: a person greets
shortly and then waits; a machine talks on.
"""

from dataclasses import dataclass, replace

from outrider.channels.model import AnsweredBy

SETTING = "800,256"
"""TALK_DETECT(set): milliseconds of silence that end a greeting, and the level that counts as talking."""

GREETING = 1.5
"""Seconds: whoever talks longer than that at a stretch is a machine."""
SHORTEST = 0.1
"""Seconds: anything shorter is a noise, no word."""
MOST_NOISES = 3
"""After so many, nothing can be said."""
TOTAL = 5.0
"""Seconds of silence after which nothing can be said."""


@dataclass(frozen=True, slots=True)
class Talking:
    """What was heard so far."""

    talks: bool = False
    noises: int = 0


def began(state: Talking) -> Talking:
    """Note that somebody begins to talk."""
    return replace(state, talks=True)


def ended(state: Talking, duration: float) -> tuple[AnsweredBy | None, Talking]:
    """Judge a greeting that lasted `duration` seconds; no judgement for a mere noise."""
    if duration < SHORTEST and state.noises < MOST_NOISES:
        return None, replace(state, talks=False, noises=state.noises + 1)
    if duration < SHORTEST:
        return AnsweredBy.UNKNOWN, state
    return (AnsweredBy.MACHINE if duration > GREETING else AnsweredBy.HUMAN), state


def give_up(state: Talking) -> AnsweredBy:
    """Judge when nothing has changed for GREETING (while somebody talks) or TOTAL seconds (in silence)."""
    return AnsweredBy.MACHINE if state.talks else AnsweredBy.UNKNOWN
