"""Whole runs on the virtual clock: repeatable, truthful to what is known in closed form, and told in full."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from outrider.cli.simulate import simulate
from outrider.errors import InvalidInputError
from outrider.simulate import packaged
from outrider.simulate.report_page import as_compared_page, as_page
from outrider.simulate.report_text import as_compared_text, as_text
from outrider.simulate.result import to_json
from outrider.simulate.running import run
from outrider.simulate.scenario import Fault, FaultKind, Scenario


def short(name: str, hours: float = 0.5, **values: float) -> Scenario:
    return replace(packaged.load(name, values), length=hours * 3_600, warm_up=0.0)


@pytest.mark.parametrize("name", packaged.names())
def test_the_same_scenario_and_seed_give_the_same_figures(name: str) -> None:
    scenario = short(name, 0.2)
    first, second = (json.dumps(to_json(run(scenario))) for _ in range(2))
    assert first == second
    assert first != json.dumps(to_json(run(replace(scenario, seed=99))))


def test_progressive_dialing_keeps_agents_as_busy_as_its_closed_form_says() -> None:
    """H / (H + Ta + (1/p - 1) Tn) of pacing R1, less the second that a phone and a decision take."""
    scenario = short("s2", 6.0, N=10)
    action = scenario.jobs[0].strategy.actions[0]
    assert action.agents is not None
    agents = replace(action.agents, mode=type(action.agents.mode).PROGRESSIVE)
    strategy = replace(scenario.jobs[0].strategy, actions=(replace(action, agents=agents),))
    result = run(replace(scenario, jobs=(replace(scenario.jobs[0], strategy=strategy),), decide_every=0.0))
    assert result.jobs[0].busy == pytest.approx(120 / (120 + 10 + 4 * 22), abs=0.03)
    assert result.abandonment == 0


def test_predictive_dialing_is_far_busier_inside_its_budget() -> None:
    result = run(short("s2", 3.0, N=20))
    assert result.jobs[0].busy > 0.75
    assert result.jobs[0].abandonment <= 0.035
    assert result.jobs[0].outcomes["answered"] + result.jobs[0].outcomes["abandoned"] == result.jobs[0].live


def test_licences_bound_jobs_without_agents_and_move_by_priority() -> None:
    result = run(short("three-jobs", 2.0))
    by_name = {job.name: job for job in result.jobs}
    assert result.ports_most <= 30
    assert by_name["notices"].lines_mean > by_name["survey"].lines_mean
    assert by_name["reminders"].contacts_left == 0
    assert by_name["survey"].bounds["licences"] > 0.5


def test_a_worker_that_crashes_and_a_server_that_is_away_lose_no_contact() -> None:
    scenario = short("s2", 0.5, N=5)
    faults = (
        Fault(400.0, FaultKind.WORKER_CRASH, 2.0),
        Fault(800.0, FaultKind.SERVER_AWAY, 30.0),
        Fault(1_000.0, FaultKind.CALLS_DROPPED),
        Fault(1_200.0, FaultKind.SERVER_SLOW, 60.0, seconds=0.4),
    )
    result = run(replace(scenario, faults=faults))
    assert result.jobs[0].live > 20
    assert result.jobs[0].outcomes.get("failed", 0) > 0


def test_reports_say_what_was_found_and_need_nothing_else() -> None:
    first, second = run(short("licence-cut", 0.3)), run(short("licence-cut", 0.3))
    text = as_text(first)
    assert "busy share of agents" in text
    assert "waiting for agents" in text
    assert "difference" in as_compared_text(first, second)
    for page in (as_page(first), as_compared_page(first, second)):
        assert page.count("<svg") >= 4
        assert "http" not in page
        assert 'name="viewport"' in page


def test_the_command_writes_its_reports_and_lists_scenarios(tmp_path: Path) -> None:
    page, document = tmp_path / "report.html", tmp_path / "report.json"
    asked = ["s1", "--set", "N=4", "--hours", "0.2", "--html", str(page), "--json", str(document)]
    answer = CliRunner().invoke(simulate, asked)
    assert answer.exit_code == 0, answer.output
    assert "abandonment" in answer.output
    assert json.loads(document.read_text(encoding="utf-8"))["format"] == 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    compared = CliRunner().invoke(simulate, [*asked[:5], "--compare", "s3", "--json", str(document)])
    assert "difference" in compared.output
    assert set(json.loads(document.read_text(encoding="utf-8"))) == {"format", "first", "second"}
    assert "three-jobs" in CliRunner().invoke(simulate, ["--list"]).output


def test_a_fault_seed_is_played_again() -> None:
    answer = CliRunner().invoke(simulate, ["--fault-seed", "3"])
    assert answer.exit_code == 0
    assert "every invariant held" in answer.output


def test_a_parameter_must_be_a_number() -> None:
    answer = CliRunner().invoke(simulate, ["s1", "--set", "N=many"])
    assert isinstance(answer.exception, InvalidInputError)
