"""The parts of the real demo that need nothing real: its people, its documents, its comparison of counts."""

from collections import Counter
from pathlib import Path

import phonenumbers
import pytest
from tools.real_demo import scenario
from tools.real_demo.contact_list import spread, write_files
from tools.real_demo.counting import calls, texts
from tools.testbed.numbering import Outcome as Fate
from tools.testbed.numbering import number
from tools.testbed.public_network import Tally

from outrider.campaigns.strategy_document import parse_strategy
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.ledger import Ledger
from outrider.demo.figures import CountedTwice


def _tally(**changes: int) -> Tally:
    outcomes = {fate: changes.pop(fate.name, 0) for fate in Fate}
    counts = {"cancelled": 0, "unknown": 0, "far_hangups": 0, "current": 0, "succeeded": 0, "failed": 0}
    return Tally(outcomes, **{"offered": sum(outcomes.values()), **counts, **changes})


def _differing(counted: list[CountedTwice]) -> list[str]:
    return [each.what for each in counted if each.ours != each.theirs]


def test_its_strategies_are_valid_and_compete_for_the_ports() -> None:
    actions = [parse_strategy(campaign.source()).actions[0] for campaign in scenario.REAL.campaigns]
    channels = Counter(action.channel.value for action in actions)
    assert channels == {"call": 3, "sms": 1, "email": 1}
    ports = sum(action.maximum for action in actions if action.call is not None)
    assert ports > scenario.PORTS == scenario.REAL.ports


def test_every_prompt_file_is_spoken_and_every_fate_has_a_name() -> None:
    for campaign in scenario.REAL.campaigns:
        call = parse_strategy(campaign.source()).actions[0].call
        if call is not None:
            assert call.prompt.file in scenario.PROMPTS
    assert {share.fate for shares in scenario.PEOPLE.values() for share in shares} == set(scenario.WE_CALL_IT)


@pytest.mark.parametrize("contacts", [9, 20, 100, 333])
def test_people_are_spread_as_told(contacts: int) -> None:
    for shares in scenario.PEOPLE.values():
        counts = Counter(spread(shares, contacts))
        assert sum(counts.values()) == contacts
        assert set(counts) == set(shares)


def test_files_have_different_valid_numbers(tmp_path: Path) -> None:
    files = write_files(tmp_path, 1, 100)
    assert [file.rows for file in files] == [45, 80, 100]
    numbers = [each for file in files for each in file.numbers]
    assert len(set(numbers)) == 225
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(each)) for each in numbers)
    assert write_files(tmp_path / "again", 1, 100)[2].path.read_text() == files[2].path.read_text()


def test_equal_counts_agree_and_each_difference_is_found() -> None:
    busy, yes = number(Fate.BUSY, 1), number(Fate.SAYS_YES, 2, 5)
    key = number(Fate.PRESSES, 3, 1)
    ours = {(busy, "busy", ""): 2, (yes, "answered", "liked"): 1, (key, "answered", "confirmed"): 1}
    called = [(busy, "")] * 2 + [(yes, ""), (key, "")]
    tally = _tally(BUSY=2, SAYS_YES=1, PRESSES=1)
    assert _differing(list(calls(tally, called, ours))) == []
    assert _differing(list(calls(_tally(BUSY=3, SAYS_YES=1, PRESSES=1), called, ours))) == [
        "calls that came to SIPp",
        "SIPp: busy (486)",
    ]
    misheard = {**ours, (yes, "answered", "liked"): 0, (yes, "answered", "disliked"): 1}
    assert _differing(list(calls(tally, called, misheard))) == ["SIPp said yes", "SIPp said no"]
    wrong_name = {**ours, (busy, "busy", ""): 0, (busy, "failed", ""): 2}
    assert _differing(list(calls(tally, called, wrong_name))) == ["SIPp: busy (486)"]
    broken = _tally(BUSY=2, SAYS_YES=1, PRESSES=1, failed=1)
    assert _differing(list(calls(broken, called, ours))) == ["dialogues not as SIP prescribes"]


def test_texts_are_compared_with_the_centre() -> None:
    ledger = Ledger()
    ledger.counts.update(submitted=2, taken=1, refused=1)
    ours = {("+4915551000001", "delivered", ""): 1, ("+4915551000007", "undelivered", ""): 1}
    assert _differing(list(texts(ledger, CentreBehaviour(), ours))) == []
    lost = {("+4915551000001", "no_receipt", ""): 1, ("+4915551000007", "undelivered", ""): 1}
    assert _differing(list(texts(ledger, CentreBehaviour(), lost))) == ["texts that arrived, by receipt"]
