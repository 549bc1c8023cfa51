"""What differs between two versions of a strategy."""

from outrider.campaigns.changes import Difference, differences
from outrider.campaigns.strategy_document import parse_strategy
from outrider.campaigns.templates import template, templates

CALL = '[[actions]]\nname = "{}"\nchannel = "call"\nprompt = {{ text = "Hi" }}\n'


def test_a_version_differs_in_nothing_from_itself() -> None:
    for each in templates():
        strategy = parse_strategy(each.source)
        assert differences(strategy, strategy) == []


def test_places_are_named_and_defaults_written_out() -> None:
    before = parse_strategy(template("call").source)
    source = (
        template("call").source.replace("priority = 5 ", "priority = 7 ").replace('["5m", "15m"]', '["5m"]')
    )
    after = parse_strategy(source.replace("max_attempts = 4\n", "").replace('"mon", ', ""))
    assert differences(before, after) == [
        Difference("max_attempts", 4, None),
        Difference("actions.call.priority", 5, 7),
        Difference(
            "actions.call.window.days", ["mon", "tue", "wed", "thu", "fri"], ["tue", "wed", "thu", "fri"]
        ),
        Difference("actions.call.retry.busy.delays", [300, 900], [300]),
    ]


def test_actions_are_matched_by_name() -> None:
    first, second = CALL.format("one"), CALL.format("two")
    before, after = (parse_strategy('name = "s"\n' + text) for text in (first + second, second + first))
    assert differences(before, after) == [Difference("actions", ["one", "two"], ["two", "one"])]
    fewer = parse_strategy('name = "s"\n' + first)
    gone = {each.where for each in differences(before, fewer)}
    assert {"actions", "actions.two.prompt.text"} <= gone
    assert not any(place.startswith("actions.one") for place in gone)


def test_templates_are_offered_by_key_with_their_own_words() -> None:
    assert templates()[0].key == "call"
    assert template("survey").title == "Survey by keys"
    assert template("unknown") is templates()[0]
    assert len({each.title for each in templates()}) == len(templates()) == 9
