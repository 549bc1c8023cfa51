"""Filters: every operator, and messages that name the place of a mistake."""

import pytest

from outrider.contacts.model import Contact
from outrider.contacts.selection import matches, parse_filter
from outrider.errors import InvalidInputError

ANNA = Contact(
    id=1,
    list_id=1,
    external_id="007",
    phone="+491712345678",
    other_phones=("+49301234567",),
    email="anna@example.com",
    time_zone="Europe/Berlin",
    attributes={"city": "Köln", "balance": "12,50", "since": "2025-03-01", "code": "7"},
)


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "expected"),
    [
        ("city", "=", "köln", True),
        ("city", "!=", "Köln", False),
        ("missing", "!=", "x", True),
        ("missing", "=", "x", False),
        ("balance", "<", 100, True),
        ("balance", "=", "12.5", True),
        ("balance", ">", "9", True),
        ("balance", ">=", 12.5, True),
        ("balance", "<=", 12.49, False),
        ("since", "between", ["2025-01-01", "2025-12-31"], True),
        ("since", "<", "2025-03-01", False),
        ("balance", "between", [13, 20], False),
        ("city", "in", ["Bonn", "KÖLN"], True),
        ("code", "in", [6, 8], False),
        ("city", "contains", "öl", True),
        ("phone", "starts_with", "+4917", True),
        ("phone2", "starts_with", "+4930", True),
        ("phone3", "is_empty", True, True),
        ("phone3", "is_empty", None, True),
        ("email", "is_empty", False, True),
        ("external_id", "=", "7", False),
        ("external_id", "=", "007", True),
        ("time_zone", "starts_with", "europe/", True),
    ],
)
def test_operators(attribute: str, operator: str, value: object, *, expected: bool) -> None:
    conditions = parse_filter([{"attribute": attribute, "operator": operator, "value": value}])
    assert matches(ANNA, conditions) is expected
    assert parse_filter([condition.document() for condition in conditions]) == conditions


def test_all_conditions_must_hold_and_none_means_everybody() -> None:
    yes = {"attribute": "city", "operator": "=", "value": "Köln"}
    no = {"attribute": "city", "operator": "=", "value": "Bonn"}
    assert matches(ANNA, parse_filter(None))
    assert matches(ANNA, parse_filter([yes, yes]))
    assert not matches(ANNA, parse_filter([yes, no]))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("city = 1", "filter: must be a list"),
        ({"attribute": "a"}, "filter: must be a list"),
        ([1], r"filter\[0\]: must be a condition"),
        ([{"attribute": "", "operator": "=", "value": "x"}], r"filter\[0\]\.attribute"),
        ([{"attribute": "a", "operator": "==", "value": "x"}], r"filter\[0\]\.operator: '=='"),
        ([{"attribute": "a", "operator": [], "value": "x"}], r"filter\[0\]\.operator"),
        ([{"attribute": "a", "operator": "="}], r"filter\[0\]\.value"),
        ([{"attribute": "a", "operator": "=", "value": True}], r"filter\[0\]\.value"),
        ([{"attribute": "a", "operator": "in", "value": "x"}], r"filter\[0\]\.value: must be a list"),
        ([{"attribute": "a", "operator": "in", "value": ["x", {}]}], r"filter\[0\]\.value\[1\]"),
        ([{"attribute": "a", "operator": "between", "value": [1]}], "lowest and the highest"),
        ([{"attribute": "a", "operator": "is_empty", "value": "yes"}], "true or false"),
        ([{"attribute": "a", "operator": "=", "value": "x", "values": 1}], r"filter\[0\]\.values"),
        ([{"attribute": "a", "operator": "=", "value": "x"}] * 51, "at most 50"),
    ],
)
def test_mistakes_name_their_place(document: object, place: str) -> None:
    with pytest.raises(InvalidInputError, match=place):
        parse_filter(document)
