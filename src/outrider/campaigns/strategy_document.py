"""Strategies as people write them: TOML or JSON text in, a valid Strategy or every problem out.

The strategy store and API parse with `parse_strategy`; the API answers with `to_document`. Pure.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Literal

from outrider.campaigns.document_table import Problems, Table, meant, shown
from outrider.campaigns.outcome import REACHED, Outcome
from outrider.campaigns.read_rules import read_finish, read_restrictions
from outrider.campaigns.strategy import Action, Channel, FinishCriteria, Goal, RetryCounter, Strategy
from outrider.campaigns.strategy_actions import MOST_ATTEMPTS, read_action
from outrider.campaigns.write_document import to_document
from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT

__all__ = ["LARGEST_DOCUMENT", "document_name", "parse_strategy", "to_document"]

Format = Literal["toml", "json"]

LARGEST_DOCUMENT = 2_000_000
MOST_ACTIONS = 50
LONGEST_NAME = 80
_REACHING: Mapping[Outcome, frozenset[Channel]] = {
    Outcome.ANSWERED: frozenset({Channel.CALL}),
    Outcome.DELIVERED: frozenset({Channel.EMAIL, Channel.SMS}),
    Outcome.SENT: frozenset({Channel.SMS, Channel.WEBHOOK}),
}
_TOML_LINE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


def parse_strategy(source: str | bytes, format: Format | None = None) -> Strategy:  # noqa: A002 - its plain name
    """Return the strategy that a TOML or JSON document describes (None: JSON if it begins with a brace).

    Raises InvalidInputError; its facts hold `problems`, a list of all of them as {"where", "problem"},
    where `where` is a place such as `actions[1].retry.busy.delays[0]`, or `line 3` for broken syntax.
    """
    problems = Problems()
    document = _read(source, format, problems)
    strategy = _strategy(Table(document, "", problems)) if document is not None else None
    if problems.found or strategy is None:
        raise _refusal(problems)
    return strategy


def document_name(source: str | bytes, format: Format | None = None) -> str:  # noqa: A002 - as above
    """Return the name that a document gives itself, whatever else is wrong with it (for drafts).

    Raises InvalidInputError as `parse_strategy` does, for broken syntax and for a missing or unfit name.
    """
    problems = Problems()
    document = _read(source, format, problems)
    name = _document_name(Table(document, "", problems)) if document is not None else None
    if name is None:
        raise _refusal(problems)
    return name


def _read(source: str | bytes, format: Format | None, problems: Problems) -> Mapping[str, object] | None:  # noqa: A002
    if len(source) > LARGEST_DOCUMENT:
        problems.add("document", f"is larger than {LARGEST_DOCUMENT} bytes, which no strategy needs")
        return None
    try:
        content = source if isinstance(source, bytes) else source.encode()
        text = content.decode("utf-8-sig")
    except UnicodeError:
        problems.add("document", "is binary or not UTF-8 text: save it as UTF-8")
        return None
    if not text.strip():
        problems.add("document", "is empty: write at least a name and one action")
        return None
    as_json = format == "json" or (format is None and text.lstrip().startswith("{"))
    return _read_json(text, problems) if as_json else _read_toml(text, problems)


def _read_json(text: str, problems: Problems) -> Mapping[str, object] | None:
    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(name, "stands twice in one table: keep one of them")
        return dict(pairs)

    try:
        document = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        problems.add(f"line {error.lineno}", f"is not JSON: {error.msg} (column {error.colno})")
        return None
    except (ValueError, RecursionError):
        problems.add("document", "has a number too long or tables too deep to be read")
        return None
    if not isinstance(document, dict):
        problems.add("document", f"must be a table with a name and actions, not {shown(document)}")
        return None
    return document


def _read_toml(text: str, problems: Problems) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _TOML_LINE.search(str(error))
        what = _TOML_LINE.sub("", str(error)).strip()
        line = match[1] if match and match[1] else str(text.count("\n") + 1)
        column = f" (column {match[2]})" if match and match[2] else ""
        problems.add(f"line {line}", f"is not TOML: {what}{column}")
    except (ValueError, RecursionError):
        problems.add("document", "has a number too long or tables too deep to be read")
    return None


def _document_name(table: Table) -> str | None:
    return table.text("name", required=True, longest=LONGEST_NAME)


def _strategy(table: Table) -> Strategy:
    name = _document_name(table)
    actions = _actions(table)
    strategy = Strategy(
        name=name or "",
        actions=actions,
        description=table.text("description", longest=2_000, lines=True) or "",
        goal=_goal(table, actions),
        finish=_finish(table, actions),
        max_attempts=table.optional_integer("max_attempts", 1, MOST_ATTEMPTS),
        retry_counter=table.choice("retry_counter", RetryCounter.SHARED),
        restrictions=read_restrictions(table),
    )
    table.close()
    return strategy


def _actions(table: Table) -> tuple[Action, ...]:
    entries = table.entries("actions", required=True) or []
    if len(entries) > MOST_ACTIONS:
        table.complain("actions", f"has {len(entries)} entries, and at most {MOST_ACTIONS} are allowed")
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in entries]
    actions: list[Action] = []
    for index, entry in enumerate(entries):
        where = f"actions[{index}]"
        if not isinstance(entry, Mapping):
            table.complain(where, f"must be a table, not {shown(entry)}")
            continue
        later = [name for name in names[index + 1 :] if isinstance(name, str)]
        action = read_action(Table(entry, where, table.problems), later)
        if action.name and action.name in names[:index]:
            table.complain(f"{where}.name", f"is {action.name} again: give every action its own name")
        actions.append(action)
    return tuple(actions)


def _goal(table: Table, actions: tuple[Action, ...]) -> Goal | None:
    goal = table.table("goal")
    if goal is None:
        return None
    counts = {outcome: goal.optional_integer(outcome.value, 1, LARGEST_COUNT) for outcome in sorted(REACHED)}
    given = {outcome: count for outcome, count in counts.items() if count is not None}
    goal.close()
    if len(given) != 1:
        table.complain("goal", "must have exactly one of answered, delivered and sent")
        return None
    [(outcome, count)] = given.items()
    channels = _REACHING[outcome]
    if actions and all(action.channel not in channels for action in actions):
        names = " or ".join(sorted(channels))
        table.complain(f"goal.{outcome}", f"can never be reached: no action has the channel {names}")
    return Goal(outcome, count)


def _finish(table: Table, actions: tuple[Action, ...]) -> FinishCriteria:
    """Return the finish criteria; a disposition that no menu, agent or web service can give is a problem."""
    finish = read_finish(table)
    agents = [action.agents for action in actions if action.agents is not None]
    any_code = any(not each.completion_codes for each in agents)
    if any_code or any(action.channel is Channel.WEBHOOK for action in actions):
        return finish
    menus = [action.call.menu for action in actions if action.call is not None]
    known = [name for menu in menus if menu is not None for name in menu.dispositions]
    known += [code for each in agents for code in each.completion_codes]
    for name in finish.dispositions:
        if name not in known:
            table.complain(
                f"finish.dispositions.{name}", f"can never be reached: no menu gives it{meant(name, known)}"
            )
    return finish


def _refusal(problems: Problems) -> InvalidInputError:
    first = problems.found[0]
    count = len(problems.found)
    more = "" if count == 1 else f" (and {count - 1} more problem{'s' if count > 2 else ''})"  # noqa: PLR2004
    return InvalidInputError(
        f"the strategy cannot be used: {first['where']} {first['problem']}{more}.", problems=problems.found
    )
