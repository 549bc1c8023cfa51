"""Reads what changes, and what goes wrong, in the course of a scenario.

`read_scenario` calls it; problems are noted at their place. Pure.
"""

from collections.abc import Sequence

from outrider.campaigns.document_table import Table
from outrider.licences.model import COUNTED_KINDS, HIGHEST_PRIORITY, LARGEST_COUNT, LOWEST_PRIORITY
from outrider.simulate.read_people import read_values
from outrider.simulate.read_teams import MOST_AGENTS, known
from outrider.simulate.scenario import (
    Change,
    Fault,
    FaultKind,
    JobChange,
    LicenceChange,
    PeopleChange,
    TeamChange,
    Verb,
    What,
)

MOST_CHANGES = 1_000
LONGEST = 400 * 86_400.0


def read_changes(table: Table, jobs: Sequence[str], teams: Sequence[str]) -> tuple[Change, ...]:
    """Return the changes in the order of their times. One entry may change several things at once."""
    found: list[Change] = []
    for each in table.tables("changes", MOST_CHANGES):
        at = each.duration("at", 0, LONGEST)
        if "at" not in each.values:
            each.complain("at", 'is missing: say when, such as "2h"')
        what = [*_job(each, jobs), *_team(each, teams), *_licences(each)]
        each.close()
        if not what:
            each.complain("at", "changes nothing: name a job, agents or licences")
        found += [Change(at or 0.0, one) for one in what]
    return tuple(sorted(found, key=lambda change: change.at))


def read_faults(table: Table, servers: Sequence[str]) -> tuple[Fault, ...]:
    """Return what goes wrong, in the order of time."""
    found: list[Fault] = []
    for each in table.tables("faults", MOST_CHANGES):
        server = each.text("server", longest=40) or servers[0]
        known(each, "server", server, servers)
        each.get("kind", required=True)
        each.get("at", required=True)
        found.append(
            Fault(
                at=each.duration("at", 0, LONGEST) or 0.0,
                kind=each.choice("kind", FaultKind.SERVER_AWAY),
                length=each.duration("for", 0, LONGEST) or 0.0,
                server=server,
                seconds=each.number("seconds", 0, 60) or 0.0,
                count=each.integer("count", 1, 1, 1_000),
            )
        )
        each.close()
    return tuple(sorted(found, key=lambda fault: fault.at))


def _job(table: Table, jobs: Sequence[str]) -> list[What]:
    name = table.text("job", longest=80)
    people = table.table("people")
    verb = Verb(table.choice("do", Verb.LIMITS))
    limits = {
        "minimum": table.optional_integer("minimum", 0, LARGEST_COUNT),
        "maximum": table.optional_integer("maximum", 1, LARGEST_COUNT),
        "priority": table.optional_integer("priority", LOWEST_PRIORITY, HIGHEST_PRIORITY),
    }
    if name is None:
        return []
    known(table, "job", name, jobs)
    found: list[What] = []
    if people is not None:
        found.append(PeopleChange(name, read_values(people)))
        people.close()
    if verb is not Verb.LIMITS or any(limit is not None for limit in limits.values()):
        found.append(JobChange(name, verb, **limits))
    return found


def _team(table: Table, teams: Sequence[str]) -> list[What]:
    name = table.text("agents", longest=40)
    present = table.optional_integer("present", 0, MOST_AGENTS)
    if name is None:
        return []
    known(table, "agents", name, teams)
    return [TeamChange(name, present)]


def _licences(table: Table) -> list[What]:
    licences = table.table("licences")
    if licences is None:
        return []
    counts = {
        kind: licences.integer(kind.value, 0, 0, LARGEST_COUNT)
        for kind in COUNTED_KINDS
        if kind.value in licences.values
    }
    for kind in COUNTED_KINDS:
        licences.get(kind.value)
    licences.close()
    return [LicenceChange(counts)]
