"""What a callback is, what one shall be, and which free agent gets which one that is due. Pure.

`service.py` keeps them, `giving.py` gives them; dialing writes those that agents promise in wrap-ups.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.campaigns.strategy_agents import CallbackKind, CallbackState

OVERDUE = dt.timedelta(minutes=5)
"""How long an agent's own callback waits for that agent alone, before anybody of the campaign may keep it."""

MOST_OF_AN_AGENT = 100
"""Open callbacks of one agent: more than anybody can keep are refused when they are made by hand."""

FARTHEST = dt.timedelta(days=366)
LONGEST_LIFE = dt.timedelta(days=90)
LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Callback:
    """A promise to call a contact at `address`, from `due_at` on, until it expires into the campaign.

    `agent_id` is whose it is, None the campaign's. `time_zone` (IANA, or "") is that in which it was said.
    """

    id: int
    organization_id: int
    campaign_id: int
    campaign: str
    contact_id: int
    address: str
    kind: CallbackKind
    agent_id: int | None
    agent: str
    due_at: dt.datetime
    expires_at: dt.datetime
    time_zone: str
    state: CallbackState
    note: str
    created_by: str
    created_at: dt.datetime
    closed_at: dt.datetime | None
    closed_why: str
    given_attempt: str | None
    retry_at: dt.datetime | None

    @property
    def is_open(self) -> bool:
        """Return whether it is still to be kept."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class CallbackPlan:
    """What a callback shall be. `at` without an offset is a time of `time_zone`, else of the contact's zone.

    `address` "": the first number at which the campaign's agents call the contact. `expires_at` None: after
    the strategy's `callback_life`. With `shift` a time outside of the calling hours moves to their beginning.
    """

    at: dt.datetime
    kind: CallbackKind = CallbackKind.CAMPAIGN
    agent_id: int | None = None
    address: str = ""
    note: str = ""
    time_zone: str = ""
    expires_at: dt.datetime | None = None
    shift: bool = False


@dataclass(frozen=True, slots=True)
class FreeAgent:
    """An agent who can take a card now. `server_id` is the media server that has its phone, if any."""

    session_id: int
    agent_id: int
    server_id: int | None = None


def assign(
    due: Sequence[Callback], free: Sequence[FreeAgent], now: dt.datetime
) -> list[tuple[Callback, FreeAgent]]:
    """Return which callbacks that are due (soonest first) go to which free agents (longest idle first).

    Everybody's own come first; then those that anybody may keep: the campaign's, expired ones, and ones of an
    agent that are overdue. A strict one waits for its agent. Each agent gets one at most.
    """
    idle = {each.agent_id: each for each in free}
    given: dict[int, FreeAgent] = {}
    for callback in due:
        if callback.agent_id is not None and callback.agent_id in idle:
            given[callback.id] = idle.pop(callback.agent_id)
    for callback in due:
        if callback.id not in given and idle and _is_anybodys(callback, now):
            given[callback.id] = idle.pop(next(iter(idle)))
    return [(callback, given[callback.id]) for callback in due if callback.id in given]


def _is_anybodys(callback: Callback, now: dt.datetime) -> bool:
    if callback.agent_id is None or callback.kind is CallbackKind.CAMPAIGN:
        return True
    return callback.kind is CallbackKind.AGENT and callback.due_at + OVERDUE <= now
