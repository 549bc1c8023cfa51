"""Reads the call part of an action: prompt, answering machines, menu, caller ids and speech connections.

`strategy_actions.read_action` calls `read_call`; problems are noted at their place. Pure.
"""

import re

from outrider.campaigns.document_table import Table, shown
from outrider.campaigns.read_condition import read_condition
from outrider.campaigns.read_rules import is_disposition
from outrider.campaigns.strategy import CallerRule, CallSettings, Menu, MenuChoice, OnMachine, Prompt
from outrider.campaigns.strategy_channels import DEFAULT_RING, SHORTEST_RING

LONGEST_RING = 300
LONGEST_SILENCE = 60
LONGEST_RESOURCE_WAIT = 300
MOST_REPEATS = 5
MOST_CALLER_IDS = 50
DIGITS = "1234567890*#"
REMOVED = "removed"
"""The disposition of a choice that only says `do_not_contact`."""

_CALLER_ID = re.compile(r"\+?[0-9]{2,15}")
_WORD = re.compile(r"[^\W\d_]+([ '\-][^\W\d_]+)*")
_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.\-]{0,39}")


def read_call(table: Table, *, with_agents: bool = False) -> CallSettings:
    """Return the call part of an action; with agents it needs no prompt, and has no menu."""
    defaults = CallSettings(Prompt())
    prompt = table.table("prompt", required=not with_agents)
    ring_timeout = table.number("ring_timeout", SHORTEST_RING, LONGEST_RING)
    menu = table.table("menu")
    if with_agents and menu is not None:
        table.complain("menu", "cannot stand beside agents, who talk to the contact themselves")
    resource_wait = table.duration("resource_wait", 0, LONGEST_RESOURCE_WAIT)
    voice = table.text("voice", longest=40)
    if voice is not None and not _VOICE.fullmatch(voice):
        table.complain("voice", f"must name a voice or language of the speech engine, not {shown(voice)}")
    return CallSettings(
        prompt=read_prompt(prompt) if prompt is not None else Prompt(),
        ring_timeout=DEFAULT_RING if ring_timeout is None else ring_timeout,
        on_machine=table.choice("on_machine", OnMachine.HANGUP),
        detect_machine=table.flag("detect_machine"),
        menu=_menu(menu) if menu is not None else None,
        caller_id=_caller_id(table, required=False),
        caller_ids=_caller_ids(table),
        no_resource=table.choice("no_resource", defaults.no_resource),
        resource_wait=defaults.resource_wait if resource_wait is None else resource_wait,
        voice=voice or "",
    )


def folder_name(table: Table, name: str, value: str, folder: str) -> bool:
    """Say whether `value` names a file inside a folder; what is wrong is noted at the field `name`."""
    if value.startswith(("/", "\\", "~")) or ".." in re.split(r"[/\\]", value):
        table.complain(name, f"must be a name inside the folder of {folder}, not a path that leaves it")
        return False
    return True


def read_prompt(table: Table) -> Prompt:
    """Return a prompt: exactly one of a text to be spoken and a file."""
    text = table.text("text", longest=10_000, lines=True)
    file = table.text("file")
    if ("text" in table.values) == ("file" in table.values):
        table.problems.add(table.where, "must have exactly one of text and file")
    if file is not None:
        folder_name(table, "file", file, "prompts")
    table.close()
    return Prompt(text=text, file=file)


def _menu(table: Table) -> Menu:
    defaults = Menu(())
    table.entries("choices", required=True)
    choices: list[MenuChoice] = []
    for each in table.tables("choices", len(DIGITS)):
        choice = _choice(each)
        for other in choices:
            if choice.digit and choice.digit == other.digit:
                each.complain("digit", f"is {choice.digit} again: give every choice its own key")
            if choice.word is not None and choice.word == other.word:
                each.complain("word", f"is {choice.word} again: give every choice its own word")
        choices.append(choice)
    timeout = table.duration("timeout", 1, LONGEST_SILENCE)
    speech = table.flag("speech")
    words = [choice.word for choice in choices if choice.word is not None]
    if speech and not words:
        table.complain("speech", "is true, but no choice has a word to listen for")
    if words and not speech:
        table.complain("speech", "must be true, as choices have words")
    no_input = table.text("no_input", longest=40)
    if no_input is not None:
        is_disposition(table, "no_input", no_input)
    menu = Menu(
        choices=tuple(choices),
        timeout=defaults.timeout if timeout is None else timeout,
        repeats=table.integer("repeats", defaults.repeats, 0, MOST_REPEATS),
        speech=speech,
        no_input=no_input,
    )
    table.close()
    return menu


def _choice(table: Table) -> MenuChoice:
    value = table.get("digit", required=True)
    digit = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if value is not None and (len(digit) != 1 or digit not in DIGITS):
        table.complain("digit", f"must be one of the keys 0 to 9, * and #, not {shown(value)}")
    word = table.text("word", longest=30)
    if word is not None and not _WORD.fullmatch(word):
        table.complain("word", f"must be a spoken word such as yes, not {shown(word)}")
    removes = table.flag("do_not_contact")
    disposition = table.text("disposition", required=not removes, longest=40)
    if disposition is not None:
        is_disposition(table, "disposition", disposition)
    say = table.table("say")
    choice = MenuChoice(
        digit=digit,
        disposition=disposition or REMOVED,
        word=None if word is None else word.lower(),
        say=None if say is None else read_prompt(say),
        do_not_contact=removes,
    )
    table.close()
    return choice


def _caller_id(table: Table, *, required: bool) -> str | None:
    value = table.text("caller_id", required=required, longest=16)
    if value is not None and not _CALLER_ID.fullmatch(value):
        table.complain("caller_id", f"must be a number such as +12025550100, not {shown(value)}")
    return value


def _caller_ids(table: Table) -> tuple[CallerRule, ...]:
    rules: list[CallerRule] = []
    for each in table.tables("caller_ids", MOST_CALLER_IDS):
        caller_id = _caller_id(each, required=True)
        condition_table = each.table("condition", required=True)
        condition = None if condition_table is None else read_condition(condition_table)
        each.close()
        if caller_id is not None and condition is not None:
            rules.append(CallerRule(condition, caller_id))
    return tuple(rules)
