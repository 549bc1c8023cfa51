"""The scenario can be run: its documents are valid, its clock opens on time, its mail server is fair."""

import datetime as dt
import tomllib
from collections import Counter

import pytest

from outrider.campaigns.hours import window_state
from outrider.campaigns.strategy import Window
from outrider.campaigns.strategy_agents import AgentMode
from outrider.campaigns.strategy_document import parse_strategy
from outrider.channels.simulated.behaviour import parse_profiles
from outrider.clock import ScaledClock
from outrider.completion.model import DEFAULT_CODES
from outrider.demo import scenario, staff
from outrider.demo.contact_files import SHAPES
from outrider.demo.mail_sink import Behaviour
from outrider.licences.model import Allocation


def test_three_calls_a_mail_and_agents_as_announced() -> None:
    actions = [parse_strategy(campaign.source()).actions[0] for campaign in scenario.CAMPAIGNS]
    calls = [action for action in actions if action.call is not None and action.agents is None]
    assert [action.priority for action in calls] == [8, 5, 2]
    assert sorted(action.allocation for action in calls) == sorted(
        [Allocation.RESERVED, Allocation.DYNAMIC, Allocation.DYNAMIC]
    )
    assert sum(action.maximum for action in calls) > scenario.PORTS
    (talk,) = (action for action in actions if action.agents is not None)
    assert (talk.agents is not None and talk.agents.mode, talk.maximum) == (
        AgentMode.PREDICTIVE,
        scenario.AGENTS,
    )
    assert len(actions) == len(calls) + 2


def test_agents_are_as_many_as_seats_and_choose_codes_of_the_campaign() -> None:
    settings = parse_strategy(scenario.RENEWALS.source()).actions[0].agents
    assert settings is not None
    assert len(set(staff.NAMES)) == scenario.AGENTS
    assert staff.CODES.keys() == set(settings.completion_codes)
    assert staff.CODES.keys() <= {code.name for code in DEFAULT_CODES}


def test_every_list_has_a_file_and_a_profile() -> None:
    profiles = parse_profiles(tomllib.loads(scenario.profiles_path().read_text(encoding="utf-8")))
    assert [each.name for each in scenario.LISTS] == [shape.list_name for shape in SHAPES]
    assert {each.carrier_profile for each in scenario.LISTS} < profiles.keys()


@pytest.mark.parametrize("hour", [0, 9, 16, 23])
@pytest.mark.parametrize("speed", [2, 36, 100])
def test_the_demo_opens_at_the_same_hour_whenever_it_is_run(hour: int, speed: float) -> None:
    now = dt.datetime(2026, 3, 4, hour, 30, tzinfo=dt.UTC)
    anchor = scenario.anchor(now, speed)
    clock = ScaledClock(speed, anchor)
    shown = clock.anchor + (now - anchor) * speed
    assert abs(shown - now.replace(hour=16, minute=10)) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize("month", [1, 7])
def test_everybody_may_be_called_for_two_and_a_half_hours(month: int) -> None:
    europe = ("Europe/Berlin", "Europe/London", "Europe/Paris", "Europe/Madrid", "Atlantic/Canary")
    america = ("America/New_York", "America/Chicago", "America/Los_Angeles")
    for minutes in (0, 150):
        opening = dt.datetime.combine(dt.date(2026, month, 15), scenario.OPENING)
        assert window_state(europe + america, Window(), opening + dt.timedelta(minutes=minutes))


def test_the_mail_server_refuses_a_few() -> None:
    counts = Counter(scenario.behaviour_of(f"person.{number}@example.org") for number in range(5_000))
    assert counts[None] > 4_400
    assert {Behaviour.NO_MAILBOX, Behaviour.FULL, Behaviour.GREYLISTED, Behaviour.POLICY} < counts.keys()
    assert scenario.behaviour_of("A@example.org") is scenario.behaviour_of("a@example.org")
