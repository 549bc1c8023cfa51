"""The strategy form's fields for a call's agents: who dials whom, cards, wrap-up, abandoned calls, callbacks.

`strategy_schema` puts `agents_part` among the parts of a call.
"""

from collections.abc import Sequence

from outrider.campaigns.rule_packs import PACKS
from outrider.campaigns.strategy_agents import CallbackKind
from outrider.web.pages.strategy_fields import Field, Kind, Node, Part, Section

MODES = (
    ("predictive", "Predictive: as many lines as keep agents busy inside the budget"),
    ("progressive", "Progressive: one line for each free agent"),
    ("preview", "Preview: the agent sees the card first"),
    ("manual", "Manual: the agent dials"),
)
CALLBACKS = {
    CallbackKind.AGENT: "The agent's first, anybody's when overdue",
    CallbackKind.STRICT_AGENT: "Only the agent's",
    CallbackKind.CAMPAIGN: "Anybody's",
}
DENOMINATORS = (
    ("", "As the rules say"),
    ("live", "All calls that a person answered"),
    ("uk", "Those that reached an agent and those abandoned, less estimated machines"),
)
ABANDONMENT: Sequence[Node] = (
    Field("pack", "Rules of", Kind.CHOICE, options=[(name, name) for name in PACKS]),
    Field("limit", "Share at most", Kind.NUMBER, hint="As in 0.03; empty: as the rules say."),
    Field("days", "In so many days", Kind.NUMBER),
    Field("denominator", "Share of", Kind.CHOICE, options=DENOMINATORS, wide=True),
    Field("patience", "An answered contact waits", Kind.DURATION, placeholder="2s"),
    Field(
        "lockout",
        "No further call for",
        Kind.DURATION,
        hint="To a number that was abandoned. 0: as retries say; empty: as the rules say.",
        placeholder="72h",
    ),
)


def agents_part(prompt: Sequence[Node]) -> Part:
    """Return the part of a call that makes it one for agents; `prompt` are the fields of what is said."""
    nodes: Sequence[Node] = (
        Field("mode", "Mode", Kind.CHOICE, options=MODES, required=True, wide=True),
        Field(
            "skills",
            "Skills",
            Kind.COUNTS,
            hint="One per line, with the least proficiency.",
            placeholder="german: 5",
        ),
        Field("script", "Script", Kind.LINES, wide=True),
        Field("card", "On the card", Kind.ITEMS, hint="Attributes, in this order; empty: all."),
        Field("preview_time", "Preview for", Kind.DURATION, hint="0: no limit.", placeholder="30s"),
        Field("auto_dial", "Take the card back, not dial, after that", Kind.DENIAL),
        Field("may_skip", "Agents may not skip cards", Kind.DENIAL),
        Field("wrap_up", "Wrap-up for", Kind.DURATION, placeholder="1m"),
        Field("wrap_up_extension", "More time", Kind.DURATION, placeholder="30s"),
        Field("wrap_up_extensions", "More time at most", Kind.NUMBER, hint="times", placeholder="3"),
        Field("completion_codes", "Completion codes", Kind.ITEMS, hint="Empty: all of the organization."),
        Field("default_code", "Code of a wrap-up that runs out"),
        Section(
            "abandoned",
            "When no agent is free",
            prompt,
            hint="Said to a contact who answered; predictive and progressive.",
        ),
        Section("abandonment", "Abandonment budget", ABANDONMENT, hint="Without it: 3 % in 30 days."),
        Field("callbacks", "Callbacks", Kind.MANY, options=list(CALLBACKS.items()), hint="None: all."),
        Field(
            "callback_life",
            "An agent's callback waits",
            Kind.DURATION,
            hint="Then it is the campaign's.",
            placeholder="24h",
        ),
        Field("nail_up_timeout", "The agent's phone rings for", Kind.DURATION, placeholder="45s"),
    )
    hint = "Agents talk to the contacts; no message is needed, and a menu cannot stand beside them."
    return Part("Agents", (Section("agents", "Agents", nodes, hint=hint),))
