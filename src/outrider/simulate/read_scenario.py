"""Scenarios as people write them: TOML in, a valid Scenario or every problem out, with its place.

`outrider simulate` calls `parse_scenario`; docs/reference/scenarios.md describes the fields. Pure, but for
strategies that are files, which `load` gives.
"""

import datetime as dt
import json
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping

from outrider.campaigns.document_table import Problems, Table, shown
from outrider.campaigns.strategy import Channel, Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.errors import InvalidInputError
from outrider.licences.model import COUNTED_KINDS, LicenceKind, Policy
from outrider.simulate.read_changes import read_changes, read_faults
from outrider.simulate.read_people import read_hours, read_people
from outrider.simulate.read_teams import read_teams
from outrider.simulate.scenario import MediaServer, Scenario, SimulatedJob

LONGEST = 400 * 86_400.0
MOST_CONTACTS = 100_000_000
MOST_PORTS = 1_000_000
MOST_JOBS, MOST_SERVERS = 50, 50
DEFAULT_START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*)")

Load = Callable[[str], str]
"""Gives the text of a strategy's file by its name; raises OSError."""


def parse_scenario(
    source: str, load: Load, parameters: Mapping[str, float] | None = None, where: str = "the scenario"
) -> Scenario:
    """Return the scenario that a TOML document describes; `parameters` replace those it names itself.

    InvalidInputError, whose facts hold `problems`: all of them as {"where", "problem"}.
    """
    problems = Problems()
    document = _read(source, problems)
    scenario = None
    if document is not None:
        filled = _fill(document, parameters or {}, problems)
        scenario = _scenario(Table(filled, "", problems), load)
    if problems.found or scenario is None:
        raise _refusal(problems, where)
    return scenario


def _read(source: str, problems: Problems) -> dict[str, object] | None:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        problems.add("document", f"is not TOML: {error}")
        return None


def _fill(
    document: dict[str, object], given: Mapping[str, float], problems: Problems
) -> Mapping[str, object]:
    """Put the parameters into their places: the texts that are "$name" and nothing else."""
    named = document.pop("parameters", {})
    table = Table(named if isinstance(named, Mapping) else {}, "parameters", problems)
    if not isinstance(named, Mapping):
        problems.add("parameters", f"must be a table, not {shown(named)}")
    values = {name: value for name, value in table.values.items() if _is_plain(value)}
    for name in table.values.keys() - values.keys():
        table.complain(name, "must be a number or a text")
    for name, value in given.items():
        if name not in values:
            known = ", ".join(sorted(values)) or "none"
            problems.add(name, f"is no parameter of this scenario; its parameters: {known}")
        values[name] = int(value) if value == int(value) else value
    filled = _filled(document, values, "", problems)
    return filled if isinstance(filled, Mapping) else {}


def _filled(value: object, values: Mapping[str, object], where: str, problems: Problems) -> object:
    if isinstance(value, Mapping):
        return {
            name: _filled(each, values, f"{where}.{name}" if where else name, problems)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_filled(each, values, f"{where}[{index}]", problems) for index, each in enumerate(value)]
    match = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    if match[1] not in values:
        problems.add(where, f"asks for the parameter {match[1]}, which [parameters] does not name")
    return values.get(match[1])


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _scenario(table: Table, load: Load) -> Scenario:
    jobs = tuple(_job(each, load) for each in table.tables("jobs", MOST_JOBS))
    if not jobs:
        table.complain("jobs", "are missing: write at least one [[jobs]]")
    names = [job.name for job in jobs]
    teams = read_teams(table, names)
    servers = _servers(table)
    length = table.duration("length", 1, LONGEST)
    if "length" not in table.values:
        table.complain("length", 'is missing: say how long, such as "8h"')
    sharing = table.table("sharing") or Table({}, "sharing", table.problems)
    scenario = Scenario(
        name=table.text("name", required=True, longest=80) or "",
        about=table.text("about", longest=2_000, lines=True) or "",
        seed=table.integer("seed", 1, 0, 2**62),
        start=_start(table),
        length=length or 1.0,
        warm_up=table.duration("warm_up", 0, LONGEST) or 0.0,
        time_zone=_zone(table),
        licences=_licences(table),
        jobs=jobs,
        policy=sharing.choice("policy", Policy.WEIGHTED),
        idle_after=_or(sharing.duration("idle_after", 0, 3_600), 60.0),
        minimum_hold=_or(sharing.duration("minimum_hold", 0, 3_600), 0.0),
        decide_every=_or(table.duration("decide_every", 0, 60), 0.5),
        teams=teams,
        servers=servers,
        changes=read_changes(table, names, [team.name for team in teams]),
        faults=read_faults(table, [server.name for server in servers]),
    )
    sharing.close()
    table.close()
    return scenario


def _start(table: Table) -> dt.datetime:
    value = table.get("start")
    if value is None:
        return DEFAULT_START
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        table.complain("start", "must be a time with its offset, such as 2026-03-02T09:00:00Z")
        return DEFAULT_START
    return value.astimezone(dt.UTC)


def _zone(table: Table) -> str:
    name = table.text("time_zone", longest=80) or "UTC"
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        table.complain("time_zone", f"must be a time zone such as Europe/Berlin, not {shown(name)}")
        return "UTC"
    return name


def _licences(table: Table) -> dict[LicenceKind, int]:
    licences = table.table("licences", required=True)
    if licences is None:
        return {}
    counts = {
        kind: licences.integer(kind.value, 0, 0, MOST_PORTS)
        for kind in COUNTED_KINDS
        if kind.value in licences.values or licences.get(kind.value) is not None
    }
    licences.close()
    return counts


def _servers(table: Table) -> tuple[MediaServer, ...]:
    found = []
    for each in table.tables("servers", MOST_SERVERS):
        found.append(
            MediaServer(
                name=each.text("name", longest=40) or "",
                ports=each.optional_integer("ports", 1, MOST_PORTS),
                originations_per_second=each.number("originations_per_second", 0.01, 10_000),
            )
        )
        each.close()
        if found[-1].name in [other.name for other in found[:-1]]:
            each.complain("name", "is taken: give every server its own")
    return tuple(found) or (MediaServer(),)


def _job(table: Table, load: Load) -> SimulatedJob:
    people = table.table("people") or Table({}, table.place("people"), table.problems)
    hours = read_hours(people)
    behaviour = read_people(people)
    waits = table.values.get("starts_at") == "never"
    starts_at = None if waits else _or(table.duration("starts_at", 0, LONGEST), 0.0)
    table.get("starts_at")
    job = SimulatedJob(
        name=table.text("name", required=True, longest=80) or "",
        strategy=_strategy(table, load),
        contacts=table.integer("contacts", 10_000, 1, MOST_CONTACTS),
        people=behaviour,
        hours=hours,
        starts_at=starts_at,
    )
    table.close()
    return job


def _strategy(table: Table, load: Load) -> Strategy:
    """Return a job's strategy: a table as in strategy documents, or the name of a file with one."""
    value = table.get("strategy", required=True)
    empty = Strategy("", ())
    if value is None:
        return empty
    if isinstance(value, str):
        try:
            text = load(value)
        except (OSError, UnicodeError) as error:
            table.complain("strategy", f"cannot be read from {shown(value)}: {error}")
            return empty
    elif isinstance(value, Mapping):
        text = json.dumps({"name": table.values.get("name") or "", **value}, default=str)
    else:
        table.complain("strategy", f"must be a table or the name of a file, not {shown(value)}")
        return empty
    return _parsed(table, text) or empty


def _parsed(table: Table, text: str) -> Strategy | None:
    try:
        strategy = parse_strategy(text)
    except InvalidInputError as error:
        listed = error.facts.get("problems")
        for each in listed if isinstance(listed, list) else ():
            table.complain(f"strategy.{each['where']}", str(each["problem"]))
        return None
    for index, action in enumerate(strategy.actions):
        if action.channel is not Channel.CALL:
            table.complain(f"strategy.actions[{index}].channel", "must be call: only calls are simulated")
        if action.condition is not None:
            table.complain(f"strategy.actions[{index}].condition", "cannot be simulated: people have no data")
    return strategy


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _refusal(problems: Problems, where: str) -> InvalidInputError:
    lines = "; ".join(f"{each['where']} {each['problem']}" for each in problems.found[:5])
    more = len(problems.found) - 5
    rest = f" (and {more} more)" if more > 0 else ""
    return InvalidInputError(f"{where} cannot be simulated: {lines}{rest}", problems=problems.found)
