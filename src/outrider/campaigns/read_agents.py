"""Reads the agents part of a call action: mode, skills, previews, wrap-up, abandoned calls, callbacks.

`strategy_actions.read_action` calls `read_agents`; problems are noted at their place. Pure.
"""

from outrider.campaigns.document_table import LONGEST_DELAY, Table, shown
from outrider.campaigns.read_call import read_prompt
from outrider.campaigns.read_rules import is_disposition
from outrider.campaigns.rule_packs import PACKS
from outrider.campaigns.strategy_agents import AbandonmentRule, AgentMode, AgentSettings, CallbackKind

MOST_SKILLS, MOST_CODES, MOST_CARD = 20, 50, 50
LONGEST_PREVIEW, LONGEST_WRAP_UP = 600, 3600
LONGEST_PATIENCE = 10
LONGEST_NAIL_UP = 300


def read_agents(table: Table) -> AgentSettings:
    """Return what an action says of its agents."""
    defaults = AgentSettings(AgentMode.PREDICTIVE)
    table.get("mode", required=True)
    mode = table.choice("mode", AgentMode.PREDICTIVE)
    abandoned = table.table("abandoned", required=mode.is_paced)
    rule = table.table("abandonment")
    preview = table.duration("preview_time", 0, LONGEST_PREVIEW)
    codes = _names(table, "completion_codes", MOST_CODES)
    for index, code in enumerate(codes):
        is_disposition(table, f"completion_codes[{index}]", code)
    default_code = table.text("default_code", longest=40)
    if default_code is not None and codes and default_code not in codes:
        table.complain("default_code", f"must be one of completion_codes, not {shown(default_code)}")
    callbacks = table.choices("callbacks", CallbackKind) if "callbacks" in table.values else None
    table.get("callbacks")
    settings = AgentSettings(
        mode=mode,
        skills=_skills(table),
        script=table.text("script", longest=20_000, lines=True) or "",
        card=_names(table, "card", MOST_CARD),
        preview_time=defaults.preview_time if preview is None else preview or None,
        auto_dial=table.flag("auto_dial", default=True),
        may_skip=table.flag("may_skip", default=True),
        wrap_up=_seconds(table, "wrap_up", defaults.wrap_up, LONGEST_WRAP_UP),
        wrap_up_extension=_seconds(table, "wrap_up_extension", defaults.wrap_up_extension, LONGEST_WRAP_UP),
        wrap_up_extensions=table.integer("wrap_up_extensions", defaults.wrap_up_extensions, 0, 20),
        completion_codes=codes,
        default_code=default_code,
        abandoned=None if abandoned is None else read_prompt(abandoned),
        abandonment=AbandonmentRule() if rule is None else _abandonment(rule),
        callbacks=defaults.callbacks
        if callbacks is None
        else tuple(each for each in CallbackKind if each in callbacks),
        callback_life=_seconds(table, "callback_life", defaults.callback_life, LONGEST_DELAY),
        nail_up_timeout=_seconds(table, "nail_up_timeout", defaults.nail_up_timeout, LONGEST_NAIL_UP),
    )
    table.close()
    return settings


def _abandonment(table: Table) -> AbandonmentRule:
    """Return the rule of contact: a pack's, with what the document says otherwise."""
    name = table.text("pack") or "default"
    if name not in PACKS:
        table.complain("pack", f"must be one of {', '.join(sorted(PACKS))}, not {shown(name)}")
    pack = PACKS.get(name, PACKS["default"]).abandonment
    limit = table.number("limit", 0, 0.2)
    denominator = table.text("denominator") or pack.denominator
    if denominator not in ("live", "uk"):
        table.complain("denominator", f"must be live or uk, not {shown(denominator)}")
    patience = table.duration("patience", 0, LONGEST_PATIENCE)
    lockout = table.duration("lockout", 0, LONGEST_DELAY)
    rule = AbandonmentRule(
        pack=name,
        limit=pack.limit if limit is None else limit,
        days=table.integer("days", pack.days, 1, 90),
        denominator=denominator,
        patience=pack.patience if patience is None else patience,
        lockout=pack.lockout if lockout is None else lockout or None,
    )
    table.close()
    return rule


def _skills(table: Table) -> dict[str, int]:
    """Return the skills that an agent must have, with the least proficiency of each."""
    found = table.table("skills")
    if found is None:
        return {}
    if len(found.values) > MOST_SKILLS:
        table.complain("skills", f"has {len(found.values)} entries, and at most {MOST_SKILLS} are allowed")
    return {name: found.integer(name, 1, 1, 10) for name in found.values}


def _names(table: Table, name: str, most: int) -> tuple[str, ...]:
    entries = table.entries(name) or []
    if len(entries) > most:
        table.complain(name, f"has {len(entries)} entries, and at most {most} are allowed")
    found: list[str] = []
    for index, value in enumerate(entries):
        if not isinstance(value, str) or not value.strip():
            table.complain(f"{name}[{index}]", f"must be a name, not {shown(value)}")
        elif value in found:
            table.complain(f"{name}[{index}]", f"names {value} again")
        else:
            found.append(value)
    return tuple(found)


def _seconds(table: Table, name: str, default: float, longest: float) -> float:
    value = table.duration(name, 0, longest)
    return default if value is None else value
