"""The strategy form: generated from one description, and the document that it is read back into."""

import json
import re
from pathlib import Path

import pytest

from outrider.campaigns.strategy import Channel
from outrider.campaigns.strategy_document import parse_strategy, to_document
from outrider.campaigns.templates import template, templates
from outrider.errors import InvalidInputError
from outrider.web.pages.strategy_document import as_data, as_source, changed, posted, posted_again
from outrider.web.pages.strategy_fields import Field, Node, Part
from outrider.web.pages.strategy_form import Document, read_form
from outrider.web.pages.strategy_schema import LIMITS, STRATEGY, action_nodes
from outrider.web.pages.strategy_view import FormView, Shown, form_view

ROOT = Path(__file__).resolve().parents[3]
(EXAMPLE,) = re.findall(
    r"```toml\n(.*?)```", (ROOT / "docs/reference/strategies.md").read_text("utf-8"), re.DOTALL
)
DOCUMENTS = [*(each.source for each in templates()), EXAMPLE]


def data(source: str) -> Document:
    found = as_data(source)
    assert found is not None
    return found


@pytest.mark.parametrize("source", DOCUMENTS, ids=lambda source: str(source).split('"')[1])
def test_a_document_goes_through_the_form_unharmed(source: str) -> None:
    sent = posted_again(data(source))
    assert as_source(sent, source) == source
    assert posted_again(sent) == sent
    for before in ("", "{}"):
        written = as_source(sent, before)
        assert parse_strategy(written) == parse_strategy(source)
    assert parse_strategy(as_source(sent, "")) == parse_strategy(
        json.dumps(to_document(parse_strategy(source)))
    )


def test_a_change_writes_the_document_anew() -> None:
    source = templates()[0].source
    document = posted_again(data(source))
    document["max_attempts"] = 7
    written = as_source(document, source)
    assert written != source
    assert parse_strategy(written).max_attempts == 7
    assert as_source(document, '{"name": "s"}').startswith("{")


def names(nodes: "tuple[Node, ...] | list[Node]") -> set[str]:
    found: set[str] = set()
    for node in nodes:
        found |= names(list(node.nodes)) if isinstance(node, Part) else {node.name}
    return found


@pytest.mark.parametrize("channel", Channel)
def test_the_description_has_every_field_of_an_action_and_no_other(channel: Channel) -> None:
    """What the parser knows is asked of it: a field that it does not know is a problem."""
    described = names(list(action_nodes(channel)))
    everything = {action.channel: action for action in parse_strategy(EXAMPLE).actions}
    written = to_document(parse_strategy(EXAMPLE))["actions"]
    assert isinstance(written, list)
    for action in written:
        if action["channel"] == channel:
            assert set(action) - {"window"} - described == set(), f"{channel} has fields without a form"
    assert channel in everything
    with pytest.raises(InvalidInputError) as caught:
        parse_strategy(
            json.dumps({"name": "s", "actions": [{**{name: {} for name in described}, "channel": channel}]})
        )
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    unknown = [each["where"] for each in problems if str(each["problem"]).startswith("is unknown")]
    assert unknown == []


def test_the_description_has_every_field_of_a_strategy() -> None:
    described = names([*STRATEGY, *LIMITS])
    assert set(to_document(parse_strategy(EXAMPLE))) - described - {"actions", "description"} == set()
    assert {
        "name",
        "description",
        "goal",
        "finish",
        "max_attempts",
        "retry_counter",
        "restrictions",
    } == described


def fields(view: FormView) -> dict[str, Shown]:
    found: dict[str, Shown] = {}

    def collect(node: Shown) -> None:
        found[node.place] = node
        for child in node.children:
            collect(child)

    for node in (*view.head, *view.actions, *view.tail):
        collect(node)
    return found


def test_problems_are_shown_at_the_nearest_field() -> None:
    document = data(
        'name = "s"\n[[actions]]\nname = "a"\nchannel = "call"\npriority = 11\ncolour = "red"\n'
        'retry.busy.delays = ["5m", "soon"]\nretry.bussy = {}\n'
    )
    wrong = [
        ("actions[0].priority", "P"),
        ("actions[0].retry.busy.delays[1]", "D"),
        ("actions[0].retry.gone.count", "G"),
        ("actions[0].colour", "C"),
        ("actions[0].prompt", "M"),
        ("nowhere", "N"),
    ]
    view = form_view(document, wrong)
    found = fields(view)
    assert found["actions[0].priority"].problems == ["P"]
    assert found["actions[0].retry.busy.delays"].problems == ["D"]
    assert found["actions[0].retry"].problems == ["G"]
    assert found["actions[0]"].problems == ["C"]
    assert found["actions[0].prompt"].problems == ["M"]
    assert view.actions[0].count == 5
    assert view.problems[-1] == ("nowhere", "N", "strategy-form")
    assert found["actions[0].retry.busy.delays"].id == "f-actions-0-retry-busy-delays"


def test_what_is_wrong_or_unknown_is_not_lost() -> None:
    source = (
        '{"name": 3, "extra": [1], "actions": [{"name": "a", "channel": "cal", "colour": "red", '
        '"priority": "high", "allocation": "mine", "retry": {"no way!": {}}}]}'
    )
    sent = posted_again(data(source))
    assert sent["extra"] == [1]
    [action] = sent["actions"] if isinstance(sent["actions"], list) else []
    assert (action["colour"], action["priority"], action["allocation"]) == ("red", "high", "mine")
    assert action["channel"] == "cal"


def test_what_cannot_be_read_has_no_form() -> None:
    assert as_data("name = ") is None
    assert as_data("{") is None
    assert as_data("{} x") is None
    assert as_data('{"a":' * 100_000) is None


def after(document: Document, *commands: str, key: str = "") -> tuple[Document, str]:
    place = ""
    for command in commands:
        place = changed(document, command, key)
    return document, place


def action_names(document: Document) -> list[object]:
    actions = document["actions"]
    assert isinstance(actions, list)
    return [action["name"] for action in actions]


def test_actions_are_added_moved_and_removed() -> None:
    document, place = after({}, "action call", "action sms", "action call")
    assert place == "actions[2]"
    assert action_names(document) == ["call", "text", "call2"]
    document, place = after(document, "up actions[2]")
    assert place == "actions[1]"
    assert action_names(document) == ["call", "call2", "text"]
    after(document, "remove actions[0]", "down actions[0]", "down actions[1]")
    assert action_names(document) == ["text", "call2"]


def test_menus_rules_and_conditions_are_added_and_removed() -> None:
    document: Document = {"actions": [{"name": "a", "channel": "call"}]}
    _, place = after(document, "section actions[0].menu", "item actions[0].menu.choices")
    assert place == "actions[0].menu.choices[1]"
    _, place = after(document, "key actions[0].dispositions", key=" Call later! ")
    assert place == "actions[0].dispositions.call_later"
    assert document == {
        "actions": [
            {
                "name": "a",
                "channel": "call",
                "menu": {"choices": [{}, {}]},
                "dispositions": {"call_later": {}},
            }
        ]
    }
    after(document, "remove actions[0].dispositions.call_later", "remove actions[0].menu.choices[0]")
    after(document, "remove actions[0].menu.choices[0]", "remove actions[0].menu")
    assert document == {"actions": [{"name": "a", "channel": "call"}]}


def test_conditions_are_joined_and_taken_apart() -> None:
    document: Document = {"actions": [{}]}

    def condition() -> object:
        actions = document["actions"]
        assert isinstance(actions, list)
        return actions[0].get("condition")

    plain = {"operator": "equals"}
    after(document, "condition actions[0].condition")
    assert condition() == plain
    after(document, "all actions[0].condition", "any actions[0].condition")
    assert condition() == {"any": [plain, plain]}
    after(document, "not actions[0].condition.any[1]", "item actions[0].condition.any")
    assert condition() == {"any": [plain, {"not": plain}, {}]}
    after(document, "not actions[0].condition.any[1]", "remove actions[0].condition.any[2]")
    assert condition() == {"any": [plain, plain]}
    after(document, "remove actions[0].condition.any[0]", "remove actions[0].condition.any[0]")
    assert condition() is None


@pytest.mark.parametrize(
    "command",
    ["", "remove", "remove ", "up actions[9]", "down nowhere", "item actions[0].name", "key actions[7].retry",
     "action fax", "all actions[0].condition", "remove actions[4].menu", "explode actions[0]",
     "section actions[0].name.x", "remove [0]", "item a[0]b"],
)  # fmt: skip
def test_what_a_button_never_sends_does_no_harm(command: str) -> None:
    document: Document = {"name": "s", "actions": [{"name": "a", "channel": "call"}]}
    changed(document, command, "x")
    assert form_view(document, ()).actions


def test_the_form_reads_what_people_type() -> None:
    sent = posted(form_view({"actions": [{"channel": "call"}]}, ()))
    sent |= {
        "name": ["  Autumn "],
        "actions[0].pacing": [" 2.5 "],
        "actions[0].minimum": ["two"],
        "actions[0].addresses": ["phone, phone2\r\nphone3,"],
        "~actions[0].retry": ["busy"],
        "actions[0].retry.busy.delays": ["30, 5m"],
        "actions[0].retry.busy.count": ["2"],
        "goal": ["answered: 50"],
        "actions[0].prompt.text": ["Hello\r\nyou"],
        "actions[0].detect_machine": ["true"],
        "actions[0].on_machine": ["hangup"],
    }
    document = read_form(sent)
    assert document == {
        "name": "Autumn",
        "goal": {"answered": 50},
        "actions": [
            {
                "channel": "call",
                "pacing": 2.5,
                "minimum": "two",
                "addresses": ["phone", "phone2", "phone3"],
                "prompt": {"text": "Hello\nyou"},
                "detect_machine": True,
                "retry": {"busy": {"delays": [30, "5m"], "count": 2}},
            }
        ],
    }


def test_no_day_at_all_is_told_and_every_day_is_the_default() -> None:
    window = {"actions": [{"channel": "call", "windows": [{"days": ["mon"]}]}]}
    sent = posted(form_view(window, ()))
    place = "actions[0].windows[0].days"
    assert sent[place] == ["mon"]
    for days, expected in ([""], []), (["", "mon", "tue"], ["mon", "tue"]):
        document = read_form(sent | {place: days})
        assert document["actions"] == [{"channel": "call", "prompt": {}, "windows": [{"days": expected}]}]
    everything = read_form(sent | {place: ["", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]})
    assert everything["actions"] == [{"channel": "call", "prompt": {}, "windows": [{}]}]


def test_the_value_of_a_comparison_follows_its_operator() -> None:
    sent = {
        "~actions[0]": ["1"],
        "actions[0].channel": ["sms"],
        "~actions[0].condition": ["comparison"],
        "actions[0].condition.attribute": ["age"],
        "actions[0].condition.operator": ["in"],
        "actions[0].condition.value": ["18\r\n19, or so"],
    }
    condition = {"operator": "in", "attribute": "age", "values": ["18", "19, or so"]}
    assert read_form(sent)["actions"] == [{"channel": "sms", "condition": condition}]
    none = read_form(sent | {"actions[0].condition.operator": ["is_set"]})
    assert none["actions"] == [{"channel": "sms", "condition": {"operator": "is_set", "attribute": "age"}}]


def test_every_place_has_a_label() -> None:
    for source in DOCUMENTS:
        for shown in fields(form_view(data(source), ())).values():
            assert shown.label or shown.kind == "condition"
            assert not isinstance(shown.node, Field) or shown.node.label


@pytest.mark.parametrize("key", ["predictive", "preview"])
def test_calls_of_agents_have_fields_and_keep_what_has_none(key: str) -> None:
    source = template(key).source
    shown = fields(form_view(data(source), ()))
    assert shown["actions[0].agents.mode"].value == key
    assert shown["actions[0].agents.completion_codes"].value.startswith("sale, not_interested")
    assert shown["actions[0].agents.abandoned"].is_there == (key == "predictive")
    document = posted_again(data(source))
    document["max_attempts"] = 9
    (written,) = parse_strategy(as_source(document, source)).actions
    (read,) = parse_strategy(source).actions
    assert written.agents == read.agents


def test_every_setting_of_agents_has_a_field_and_none_is_lost() -> None:
    abandonment: Document = {
        "pack": "uk",
        "limit": 0.02,
        "days": 7,
        "denominator": "live",
        "patience": 1,
        "lockout": 3600,
    }
    agents: Document = {
        "mode": "preview",
        "skills": {"german": 5},
        "script": "Hello.",
        "card": ["name"],
        "preview_time": 20,
        "auto_dial": False,
        "may_skip": False,
        "wrap_up": 61,
        "wrap_up_extension": 31,
        "wrap_up_extensions": 2,
        "completion_codes": ["sale"],
        "default_code": "sale",
        "abandoned": {"text": "Sorry."},
        "abandonment": abandonment,
        "callbacks": ["campaign"],
        "callback_life": 7200,
        "nail_up_timeout": 20,
    }
    document: Document = {"name": "s", "actions": [{"name": "a", "channel": "call", "agents": agents}]}
    written = to_document(parse_strategy(json.dumps(document)))["actions"]
    assert isinstance(written, list)
    assert set(written[0]["agents"]) == set(agents)
    assert set(written[0]["agents"]["abandonment"]) == set(abandonment)
    shown = fields(form_view(document, ()))
    assert not shown["actions[0].agents"].other
    assert not shown["actions[0].agents.abandonment"].other
    assert shown["actions[0].agents.may_skip"].value == "true"
    assert parse_strategy(json.dumps(posted_again(document))) == parse_strategy(json.dumps(document))


def test_a_message_that_is_left_empty_is_missed_only_where_no_agent_talks() -> None:
    call = {"name": "a", "channel": "call", "prompt": {}}
    alone = posted_again({"name": "s", "actions": [call]})
    assert alone["actions"] == [call]
    talked = posted_again({"name": "s", "actions": [{**call, "agents": {"mode": "manual"}}]})
    assert talked["actions"] == [{"name": "a", "channel": "call", "agents": {"mode": "manual"}}]
    assert parse_strategy(json.dumps(talked)).actions[0].agents is not None
