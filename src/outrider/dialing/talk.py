"""What happens on an answered call that an agent is to talk on: sought, joined, talked, or abandoned. Pure.

`engine.py` hands answered calls and news of agents over to it. A person for whom no agent is free in time
hears the identification message, and the attempt is `abandoned` (47 CFR 64.1200(a)(7)).
"""

import datetime as dt
from dataclasses import replace

from outrider.campaigns.outcome import Outcome
from outrider.dialing import conversation
from outrider.dialing.call_script import AgentLine
from outrider.dialing.commands import FindAgent, HangUp, JoinRoom
from outrider.dialing.state import AttemptState, Phase, Saying, Step

MOST_SEARCHES = 3
"""An agent's leg may break while the call is being joined: then another agent is looked for."""


def seek(state: AttemptState, line: AgentLine) -> Step:
    """Look for an agent."""
    find = FindAgent(state.attempt_id, line.patience, line.session)
    return replace(state, phase=Phase.SEEKING, sought=state.sought + 1), (find,)


def found(state: AttemptState, session: int, room: str) -> Step:
    """Put the contact into the room of the agent who was found."""
    if state.phase is not Phase.SEEKING:
        return state, ()
    return replace(state, phase=Phase.JOINING, session=session), (JoinRoom(state.attempt_id, room),)


def joined(state: AttemptState, at: dt.datetime) -> Step:
    """Let them talk."""
    if state.phase is not Phase.JOINING:
        return state, ()
    return replace(state, phase=Phase.TALKING, joined_at=at), ()


def not_joined(state: AttemptState, detail: str) -> Step:
    """Look for another agent; after a few the call is given up."""
    line = None if state.plan is None else state.plan.agents
    if state.phase is not Phase.JOINING or line is None:
        return state, ()
    state = replace(state, session=None, trouble=detail)
    return abandon(state) if state.sought >= MOST_SEARCHES else seek(state, line)


def missed(state: AttemptState) -> Step:
    """Say the identification message to a person for whom no agent was free in time."""
    return abandon(state) if state.phase is Phase.SEEKING else (state, ())


def abandon(state: AttemptState) -> Step:
    """End a call that no agent takes: with the message, where there is one."""
    line = None if state.plan is None else state.plan.agents
    state = replace(state, reached=Outcome.ABANDONED, session=None)
    if line is None or line.abandoned is None:
        return replace(state, phase=Phase.ENDING), (HangUp(state.attempt_id),)
    return conversation.say(state, line.abandoned, Saying.REPLY)


def take_over(state: AttemptState, session: int | None, at: dt.datetime) -> Step:
    """Go on with a call of a former life on which the contact talks with an agent."""
    return replace(
        state, phase=Phase.TALKING, reached=Outcome.ANSWERED, answered_at=at, session=session, joined_at=at
    ), ()


def ended_unheard(state: AttemptState) -> AttemptState:
    """Return the state of a call that ended: a person whom no agent spoke to was abandoned."""
    if state.phase in (Phase.SEEKING, Phase.JOINING):
        trouble = state.trouble or "hung up before an agent was there"
        return replace(state, reached=Outcome.ABANDONED, session=None, trouble=trouble)
    return state
