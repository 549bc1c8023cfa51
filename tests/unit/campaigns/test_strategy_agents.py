"""Call actions with agents in strategy documents: read, written, refused with every problem's place."""

import json

import pytest

from outrider.campaigns.strategy import AgentMode, Strategy
from outrider.campaigns.strategy_document import parse_strategy, to_document
from outrider.errors import InvalidInputError
from outrider.licences.model import LicenceKind

SELL = """
name = "sell"
[[actions]]
name = "call"
channel = "call"
minimum = 2
maximum = 20
[actions.agents]
mode = "predictive"
skills = { spanish = 5 }
script = "Hello {name}"
completion_codes = ["sale", "no_interest"]
default_code = "no_interest"
wrap_up = "45s"
abandoned = { text = "This was a call of Example Ltd." }
[actions.agents.abandonment]
pack = "us"
limit = 0.02
[actions.retry.abandoned]
count = 1
delays = ["4d"]
[actions.dispositions.sale]
then = "done"
"""


def read(source: str = SELL) -> Strategy:
    return parse_strategy(source)


def problems(source: str) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_strategy(source)
    found = caught.value.facts["problems"]
    assert isinstance(found, list)
    return {each["where"]: each["problem"] for each in found}


def test_an_action_with_agents_needs_no_prompt_and_takes_seats() -> None:
    action = read().actions[0]
    assert action.agents is not None
    assert action.agents.mode is AgentMode.PREDICTIVE
    assert action.agents.skills == {"spanish": 5}
    assert action.agents.wrap_up == 45
    assert action.licence is LicenceKind.PREDICTIVE_AGENTS
    assert (action.agents.abandonment.pack, action.agents.abandonment.limit) == ("us", 0.02)
    assert action.agents.abandonment.lockout is None


@pytest.mark.parametrize("mode", list(AgentMode))
def test_what_is_written_reads_the_same(mode: AgentMode) -> None:
    strategy = read(SELL.replace('"predictive"', f'"{mode}"'))
    assert parse_strategy(json.dumps(to_document(strategy))) == strategy


def test_paced_calls_need_their_message() -> None:
    source = SELL.replace('abandoned = { text = "This was a call of Example Ltd." }', "")
    assert problems(source) == {"actions[0].agents.abandoned": "is missing"}
    assert read(source.replace('"predictive"', '"preview"')).actions[0].agents is not None


def test_every_problem_is_found_at_its_place() -> None:
    source = (
        SELL.replace('"predictive"', '"predictiv"')
        .replace("spanish = 5", "spanish = 11")
        .replace('pack = "us"', 'pack = "mars"')
        .replace('default_code = "no_interest"', 'default_code = "other"')
        .replace("limit = 0.02", "limit = 2")
    )
    assert set(problems(source)) == {
        "actions[0].agents.mode",
        "actions[0].agents.skills.spanish",
        "actions[0].agents.abandonment.pack",
        "actions[0].agents.abandonment.limit",
        "actions[0].agents.default_code",
    }


def test_agents_talk_in_calls_only_and_themselves() -> None:
    text = SELL.replace('channel = "call"', 'channel = "sms"\ntext = "x"')
    assert "actions[0].agents" in problems(text)
    menu = SELL.replace(
        "[actions.agents]", '[actions.menu]\nchoices = [{digit = "1", disposition = "yes"}]\n[actions.agents]'
    )
    assert "actions[0].menu" in problems(menu)
