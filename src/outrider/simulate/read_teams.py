"""Reads the agents of a scenario: teams with skills, shifts, breaks and how long they take.

`read_scenario` calls it; problems are noted at their place. Pure.
"""

from collections.abc import Sequence

from outrider.agents.model import HIGHEST_PROFICIENCY, LOWEST_PROFICIENCY
from outrider.campaigns.document_table import Table, is_number, meant, shown
from outrider.campaigns.strategy import ALL_DAYS, DAY_NAMES
from outrider.simulate.read_people import read_clock
from outrider.simulate.scenario import DAY, Break, Duration, Shape, Team

MOST_TEAMS, MOST_AGENTS, MOST_BREAKS = 50, 5_000, 20
LONGEST_WRAP_UP = 3_600.0


def read_teams(table: Table, jobs: Sequence[str]) -> tuple[Team, ...]:
    """Return the teams; the campaigns that they prefer are jobs of the scenario."""
    found: list[Team] = []
    for each in table.tables("agents", MOST_TEAMS):
        found.append(_team(each, jobs))
        if found[-1].name in [other.name for other in found[:-1]]:
            each.complain("name", "is taken: give every team its own")
    return tuple(found)


def known(table: Table, field: str, name: str, names: Sequence[str]) -> None:
    """Note it when a name is none of those that there are."""
    if name not in names:
        hint = meant(name, list(names)) or f"; there are: {', '.join(names) or 'none'}"
        table.complain(field, f"names {shown(name)}, which is not in this scenario{hint}")


def _team(table: Table, jobs: Sequence[str]) -> Team:
    campaigns = []
    for index, name in enumerate(table.entries("campaigns") or () if "campaigns" in table.values else ()):
        known(table, f"campaigns[{index}]", str(name), jobs)
        campaigns.append(str(name))
    team = Team(
        name=table.text("name", longest=40) or "agents",
        count=table.integer("count", 1, 1, MOST_AGENTS),
        skills=_skills(table),
        campaigns=tuple(campaigns),
        shift=_shift(table),
        days=_days(table),
        breaks=tuple(_break(each) for each in table.tables("breaks", MOST_BREAKS)),
        stagger=table.duration("stagger", 0, DAY) or 0.0,
        wrap_up=_duration(table, "wrap_up", Duration(0.0, Shape.FIXED)),
        preview=_duration(table, "preview", Duration(5.0, Shape.FIXED)),
    )
    table.close()
    return team


def _skills(table: Table) -> dict[str, int]:
    skills = table.table("skills")
    if skills is None:
        return {}
    return {
        name: skills.integer(name, LOWEST_PROFICIENCY, LOWEST_PROFICIENCY, HIGHEST_PROFICIENCY)
        for name in skills.values
    }


def _shift(table: Table) -> tuple[int, int] | None:
    shift = table.table("shift")
    if shift is None:
        return None
    begin, end = read_clock(shift, "from", 0), read_clock(shift, "to", 24 * 60)
    shift.close()
    if end <= begin:
        shift.complain("to", "must be later than from, on the same day")
    return begin, end


def _days(table: Table) -> frozenset[int]:
    if "days" not in table.values:
        return ALL_DAYS
    found = set()
    for index, name in enumerate(table.entries("days") or ()):
        if name in DAY_NAMES:
            found.add(DAY_NAMES.index(str(name)))
        else:
            table.complain(f"days[{index}]", f"must be one of {', '.join(DAY_NAMES)}, not {shown(name)}")
    return frozenset(found)


def _break(table: Table) -> Break:
    begin = read_clock(table, "at", 12 * 60)
    length = table.duration("length", 1, DAY)
    table.close()
    return Break(begin, 900.0 if length is None else length)


def _duration(table: Table, name: str, default: Duration) -> Duration:
    """Return a time that is drawn: a number is a mean around which it is exponential; or a table."""
    value = table.values.get(name)
    if is_number(value) or isinstance(value, str):
        mean = table.duration(name, 0, LONGEST_WRAP_UP)
        return default if mean is None else Duration(mean)
    found = table.table(name)
    if found is None:
        return default
    mean = found.duration("mean", 0, LONGEST_WRAP_UP)
    cv = found.number("cv", 0.01, 10)
    drawn = Duration(mean or 0.0, found.choice("shape", Shape.EXPONENTIAL), 0.7 if cv is None else cv)
    found.close()
    return drawn
