"""The facts of an explanation as one plain sentence for a supervisor (licensing.md 8).

Called by `explain` and by the pages, which show the sentence beside the same facts.
"""

from collections.abc import Sequence

from outrider.licences.model import Binding, LicenceKind, Reason, Rule

NOUNS = {
    LicenceKind.OUTBOUND_PORTS: "outbound port",
    LicenceKind.MANUAL_AGENTS: "manual agent licence",
    LicenceKind.PREVIEW_AGENTS: "preview agent licence",
    LicenceKind.PREDICTIVE_AGENTS: "predictive agent licence",
    LicenceKind.AGENT_WEB_API: "Agent Web API licence",
}

NAMED = 3
"""Tasks that a sentence names before it counts the others."""


def sentence_of(reason: Reason) -> str:
    """Return one sentence that says what the task has and why it does not have more."""
    text = _main_clause(reason)
    if reason.draining:
        over = _count(reason.draining, "unit")
        text += f"; {over} of its {reason.in_use} in use must drain before it starts anything"
    if reason.next_in_line == reason.id:
        text += "; it is next in line for a freed unit"
    elif reason.next_in_line is not None and reason.binding is not Binding.HELD:
        text += f"; next in line for a freed unit is {reason.next_in_line}"
    return f"{text}."


def _main_clause(reason: Reason) -> str:
    noun = NOUNS.get(reason.kind, reason.kind.value)
    has = f"{reason.id} has {_count(reason.quota, noun)}"
    could = f"{has} of the {_wanted(reason)} it could use"
    match reason.binding:
        case Binding.WAITING:
            return (
                f"{reason.id} waits: it starts with its whole minimum of {_count(reason.minimum, noun)}, "
                f"and {_left(reason.left or 0)} beside the minimums that come before it"
            )
        case Binding.HELD:
            missing = reason.quota - reason.granted
            return (
                f"{has} by right and may use {reason.granted} now: {_still(missing)} "
                f"{_holders(reason.held_by)}"
            )
        case Binding.MAXIMUM:
            return f"{has}, its maximum"
        case Binding.NEED:
            return f"{has}{_enough(reason)}"
        case Binding.AGENTS:
            return f"{could}: {_agents(reason.size or 0)}"
        case Binding.POOL | Binding.SEATS:
            return f"{could}: {_used_up(reason)}{_share_rule(reason)}"


def _agents(count: int) -> str:
    if count <= 1:
        return "the only agent logged in is given out" if count else "no agent is logged in and ready"
    return f"all {count} agents logged in are given out"


def _enough(reason: Reason) -> str:
    if reason.rule is Rule.SURPLUS:
        kept = reason.quota - max(reason.need, reason.minimum)
        return f": it needs {reason.need} now and keeps {kept} more that nobody else needs"
    if reason.rule is Rule.MINIMUM and reason.quota > reason.need:
        return f", its minimum, although it needs {reason.need} now"
    return ", all that it needs now"


def _wanted(reason: Reason) -> int:
    return max(reason.minimum, min(reason.need, reason.maximum))


def _used_up(reason: Reason) -> str:
    if not reason.size:
        return f"there is no {NOUNS.get(reason.limit[-1], 'licence')}"
    if len(reason.limit) == 1:
        return f"all {_count(reason.size, NOUNS[reason.limit[0]])} are given out"
    names = " and ".join(kind.value.removesuffix("_agents") for kind in reason.limit)
    return f"all {_count(reason.size, 'licence')} of the types {names} are given out"


def _share_rule(reason: Reason) -> str:
    if reason.quota < reason.minimum:
        return ", and the minimums of more important or older tasks come first"
    return f", shared by priority (this one has {reason.priority})"


def _left(left: int) -> str:
    return "none is left" if left == 0 else f"only {left} {'is' if left == 1 else 'are'} left"


def _still(missing: int) -> str:
    return f"{missing} {'is' if missing == 1 else 'are'} still with"


def _holders(names: Sequence[str]) -> str:
    if not names:
        return "tasks that have not given them back yet"
    shown = ", ".join(names[:NAMED])
    others = len(names) - NAMED
    return f"{shown} and {_count(others, 'other task')}" if others > 0 else shown


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
