"""Scenarios as people write them: what is read, and every problem told with its place."""

import pytest

from outrider.errors import InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.simulate import packaged
from outrider.simulate.read_scenario import parse_scenario
from outrider.simulate.scenario import LicenceChange, PeopleChange, Scenario, Shape

SMALL = """
name = "small"
length = "1h"
[licences]
outbound_ports = 5
[[jobs]]
name = "notices"
contacts = 50
strategy = { actions = [{ name = "call", channel = "call", prompt = { text = "Hello." } }] }
"""


def parse(text: str, **values: float) -> Scenario:
    return parse_scenario(
        text, lambda name: (_ for _ in ()).throw(FileNotFoundError(2, "no file", name)), values
    )


def problems(text: str) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        parse(text)
    found = refused.value.facts["problems"]
    assert isinstance(found, list)
    return {str(each["where"]): str(each["problem"]) for each in found}


@pytest.mark.parametrize("name", packaged.names())
def test_every_ready_scenario_can_be_read(name: str) -> None:
    scenario = packaged.load(name)
    assert scenario.about
    assert scenario.jobs


def test_what_is_left_out_has_its_default() -> None:
    scenario = parse(SMALL)
    assert scenario.licences == {LicenceKind.OUTBOUND_PORTS: 5}
    assert scenario.length == 3_600
    assert [server.name for server in scenario.servers] == [""]
    assert scenario.jobs[0].starts_at == 0


def test_parameters_stand_where_they_are_named_and_can_be_given() -> None:
    text = SMALL.replace("contacts = 50", 'contacts = "$many"') + "\n[parameters]\nmany = 70\n"
    assert parse(text).jobs[0].contacts == 70
    assert parse(text, many=9.0).jobs[0].contacts == 9
    with pytest.raises(InvalidInputError, match="few is no parameter of this scenario; its parameters: many"):
        parse(text, few=1.0)


def test_teams_changes_and_drawn_times_are_read() -> None:
    text = (
        SMALL
        + """
[[agents]]
name = "team"
count = 3
shift = { from = "09:00", to = "17:30" }
breaks = [{ at = "12:00", length = "30m" }]
wrap_up = { mean = 20, shape = "lognormal", cv = 0.5 }
[[changes]]
at = "10m"
job = "notices"
people = { answers = 0.5 }
licences = { outbound_ports = 2 }
"""
    )
    scenario = parse(text)
    team = scenario.teams[0]
    assert team.shift == (540, 1050)
    assert team.wrap_up.shape is Shape.LOGNORMAL
    assert [change.what for change in scenario.changes] == [
        PeopleChange("notices", {"answers": 0.5}),
        LicenceChange({LicenceKind.OUTBOUND_PORTS: 2}),
    ]


def test_all_problems_are_told_with_their_places() -> None:
    text = (
        SMALL.replace("outbound_ports = 5", "outbound_port = 5").replace('"1h"', '"soon"')
        + """
[[agents]]
count = 0
campaigns = ["nobody"]
[[changes]]
at = "5m"
job = "notice"
people = { answers = 2 }
[[faults]]
at = "1m"
kind = "flood"
"""
    )
    found = problems(text)
    assert "did you mean outbound_ports?" in found["licences.outbound_port"]
    assert "must be seconds or a text" in found["length"]
    assert "must be a whole number from 1" in found["agents[0].count"]
    assert "not in this scenario" in found["agents[0].campaigns[0]"]
    assert "did you mean notices?" in found["changes[0].job"]
    assert "must be a number from 0 to 1" in found["changes[0].people.answers"]
    assert "server_away" in found["faults[0].kind"]


def test_problems_of_a_strategy_have_their_place_in_the_scenario() -> None:
    found = problems(SMALL.replace('channel = "call"', 'channel = "email"'))
    assert any(where.startswith("jobs[0].strategy.actions[0]") for where in found)
    lines = ['strategy = "gone.toml"' if line.startswith("strategy") else line for line in SMALL.splitlines()]
    assert "cannot be read" in problems("\n".join(lines))["jobs[0].strategy"]


def test_a_scenario_that_is_not_there_names_the_ready_ones() -> None:
    with pytest.raises(InvalidInputError, match="Ready scenarios: day-with-breaks"):
        packaged.load("nothing")
