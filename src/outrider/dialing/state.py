"""One attempt as the dialing engine sees it: its phase and what it has earned so far. Pure.

`engine.py` and `conversation.py` make new states of old ones; nothing else changes them.
"""

import datetime as dt
import enum
from dataclasses import dataclass, replace

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import Prompt
from outrider.dialing.call_script import CallPlan
from outrider.dialing.commands import Command, Finish
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind


class Phase(enum.StrEnum):
    """Where an attempt is."""

    PLACED = "placed"
    RINGING = "ringing"
    CLASSIFYING = "classifying"
    """Answered; who it is, is being found out."""
    AWAITING_OUTPUT = "awaiting_output"
    """Answered, silent: waiting for a speech connection to say its text."""
    PLAYING = "playing"
    STOPPING = "stopping"
    """A choice was made while the prompt was playing: waiting for it to stop."""
    AWAITING_INPUT = "awaiting_input"
    """The question was asked; a speech connection for the answer is waited for (keys count already)."""
    ASKING = "asking"
    """The question was asked, the answer is awaited."""
    SEEKING = "seeking"
    """Answered by a person: an agent is looked for."""
    JOINING = "joining"
    """An agent was found: the call is being put into its room."""
    TALKING = "talking"
    """Contact and agent talk."""
    ENDING = "ending"
    DONE = "done"


class Saying(enum.StrEnum):
    """What the prompt that is being played is."""

    MESSAGE = "message"
    QUESTION = "question"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One attempt. `reached` is the outcome that its answer has earned so far, `held` its speech units.

    `joined_late`: the beginning of the call was told to another process, so it may have been answered.
    """

    attempt_id: AttemptId
    plan: CallPlan | None = None
    phase: Phase = Phase.PLACED
    answered_at: dt.datetime | None = None
    reached: Outcome | None = None
    joined_late: bool = False
    saying: Saying = Saying.MESSAGE
    prompt: Prompt | None = None
    """What is being said, or waits to be."""
    asked: int = 0
    """How often the question was asked."""
    trouble: str = ""
    """What kept the call from doing what it was made for."""
    disposition: str | None = None
    do_not_contact: bool = False
    held: frozenset[LicenceKind] = frozenset()
    requested: frozenset[LicenceKind] = frozenset()
    """Speech units that were asked for, and not answered yet."""
    session: int | None = None
    """The agent's session that has the call."""
    joined_at: dt.datetime | None = None
    sought: int = 0
    """How often an agent was looked for."""


Step = tuple[AttemptState, tuple[Command, ...]]


def finish(state: AttemptState, at: dt.datetime, outcome: Outcome, detail: str) -> Step:
    """End the attempt."""
    command = Finish(
        state.attempt_id,
        outcome,
        at,
        state.answered_at,
        detail,
        disposition=state.disposition,
        do_not_contact=state.do_not_contact,
        session=state.session if state.joined_at is not None else None,
        joined_at=state.joined_at,
    )
    return replace(state, phase=Phase.DONE), (command,)


def finish_untried(state: AttemptState, at: dt.datetime, detail: str) -> Step:
    """End an attempt that was not even tried: its server could not be reached."""
    command = Finish(state.attempt_id, Outcome.CONGESTION, at, None, detail, untried=True)
    return replace(state, phase=Phase.DONE), (command,)
