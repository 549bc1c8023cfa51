"""What a call action says when agents talk: mode, skills, previews, wrap-up, abandoned calls, callbacks.

Others import it from `campaigns.strategy`; the floor and pacing follow it. Frozen and pure.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.strategy_parts import Prompt
from outrider.licences.model import LicenceKind


class AgentMode(enum.StrEnum):
    """Who dials whom, and when (issue of agents 2)."""

    MANUAL = "manual"
    """The agent dials, whatever number the rules allow."""
    PREVIEW = "preview"
    """The agent sees the card first, then dials it, skips it, or lets time dial."""
    PROGRESSIVE = "progressive"
    """One line for each free agent."""
    PREDICTIVE = "predictive"
    """As many lines as keep agents busy inside the abandonment budget."""

    @property
    def licence(self) -> LicenceKind:
        """Return the seat that an agent of this mode takes (licensing.md 1)."""
        return _LICENCES[self]

    @property
    def is_paced(self) -> bool:
        """Return whether calls are made before an agent is chosen for them."""
        return self in (AgentMode.PROGRESSIVE, AgentMode.PREDICTIVE)


_LICENCES = {
    AgentMode.MANUAL: LicenceKind.MANUAL_AGENTS,
    AgentMode.PREVIEW: LicenceKind.PREVIEW_AGENTS,
    AgentMode.PROGRESSIVE: LicenceKind.PREDICTIVE_AGENTS,
    AgentMode.PREDICTIVE: LicenceKind.PREDICTIVE_AGENTS,
}


class CallbackKind(enum.StrEnum):
    """Whose a callback is."""

    AGENT = "agent"
    """The agent's who promised it, and anybody's of the campaign once it is overdue."""
    STRICT_AGENT = "strict_agent"
    """Only that agent's, until it expires into the campaign."""
    CAMPAIGN = "campaign"
    """Any agent's of the campaign."""


class CallbackState(enum.StrEnum):
    """Where a callback is on its way. It is open in the first three until it is closed."""

    WAITING = "waiting"
    QUEUED = "queued"
    """An agent has it in hand, as a card or a call."""
    EXPIRED = "expired"
    """Its agent did not keep it in time: it is the campaign's now, and its contact one like any other.

    It stays expired when it is closed without a call that reached for the contact.
    """
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class AbandonmentRule:
    """How many answered calls may find no agent: `limit` is a share (0.03) of live answers per campaign.

    `pack` names the rules of contact it comes from, `denominator` what they count ("live": live answers;
    "uk": agent-answered and abandoned, less estimated machines). `days` is the window. `patience` is seconds
    from the answer; then the identification message is said. `lockout` is seconds without a further call to
    an abandoned number (None: only by the retry rules), unless an agent is guaranteed.
    """

    pack: str = "default"
    limit: float = 0.03
    days: int = 30
    denominator: str = "live"
    patience: float = 2.0
    lockout: float | None = 72 * 3600.0


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Everything for agents. Durations are seconds.

    `skills` are the skills that an agent must have, with the least proficiency of each. `preview_time` None:
    no time limit; when it is over the card is dialed (`auto_dial`) or taken back. `completion_codes` are the
    names an agent may choose from, empty: all of the organization; `default_code` ends a wrap-up in which
    none was chosen.
    `abandoned` is said to an answered contact for whom no agent is free.
    """

    mode: AgentMode
    skills: Mapping[str, int] = field(default_factory=dict)
    script: str = ""
    card: tuple[str, ...] = ()
    """Attributes on the card, in this order; empty: all."""
    preview_time: float | None = 30.0
    auto_dial: bool = True
    may_skip: bool = True
    wrap_up: float = 60.0
    wrap_up_extension: float = 30.0
    wrap_up_extensions: int = 3
    completion_codes: tuple[str, ...] = ()
    default_code: str | None = None
    abandoned: Prompt | None = None
    abandonment: AbandonmentRule = field(default_factory=AbandonmentRule)
    callbacks: tuple[CallbackKind, ...] = tuple(CallbackKind)
    callback_life: float = 24 * 3600.0
    nail_up_timeout: float = 45.0
