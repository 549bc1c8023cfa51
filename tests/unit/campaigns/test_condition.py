"""Conditions on contacts: how values are compared, and how comparisons are joined."""

import pytest

from outrider.campaigns.condition import AllOf, AnyOf, Comparison, Not, Operator, attributes_of, matches
from outrider.contacts.model import Contact

PEOPLE = {
    "age": "30",
    "name": " Ada Lovelace",
    "born": "1815-12-10",
    "zip": "0123",
    "rate": "1,5",
    "none": " ",
}


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "expected"),
    [
        ("age", "equals", ["30.0"], True),
        ("age", "less", ["100"], True),
        ("name", "less", ["b"], True),
        ("age", "greater", ["29.9"], True),
        ("age", "at_least", ["30"], True),
        ("age", "at_most", ["29"], False),
        ("age", "between", ["18", "30"], True),
        ("age", "between", ["31", "99"], False),
        ("age", "in", ["1", "30"], True),
        ("age", "not_in", ["1", "30"], False),
        ("age", "not_equals", ["31"], True),
        ("rate", "equals", ["1.5"], True),
        ("zip", "equals", ["123"], False),
        ("zip", "begins_with", ["01"], True),
        ("name", "equals", ["ada lovelace"], True),
        ("name", "begins_with", ["ADA"], True),
        ("name", "contains", ["love"], True),
        ("name", "contains", ["hate"], False),
        ("born", "less", ["1815-12-10T00:00:01Z"], True),
        ("born", "equals", ["1815-12-10T01:00:00+01:00"], True),
        ("born", "greater", ["1815-12-9"], False),
        ("born", "between", ["1815-01-01", "1815-12-31"], True),
        ("name", "is_set", [], True),
        ("none", "is_set", [], False),
        ("none", "is_empty", [], True),
        ("missing", "is_empty", [], True),
        ("missing", "equals", ["x"], False),
        ("missing", "not_equals", ["x"], True),
        ("missing", "not_in", ["x"], True),
        ("missing", "less", ["5"], False),
        ("missing", "contains", [""], False),
    ],
)
def test_a_comparison(attribute: str, operator: str, values: list[str], expected: bool) -> None:  # noqa: FBT001 - a table
    comparison = Comparison(attribute, Operator(operator), tuple(values))
    assert matches(comparison, PEOPLE) is expected
    assert matches(Not(comparison), PEOPLE) is not expected


def test_joining() -> None:
    adult, ada = (
        Comparison("age", Operator.AT_LEAST, ("18",)),
        Comparison("name", Operator.CONTAINS, ("Ada",)),
    )
    old = Comparison("age", Operator.GREATER, ("90",))
    assert matches(None, {})
    assert matches(AllOf((adult, ada)), PEOPLE)
    assert not matches(AllOf((adult, old)), PEOPLE)
    assert matches(AnyOf((old, ada)), PEOPLE)
    assert not matches(AnyOf((old, Not(ada))), PEOPLE)
    assert attributes_of(AllOf((adult, Not(AnyOf((old, ada)))))) == {"age", "name"}
    assert attributes_of(None) == frozenset()


def test_fields_of_a_contact_are_looked_up_by_function() -> None:
    contact = Contact(
        id=1, list_id=1, phone="+4930123456", time_zone="Europe/Berlin", attributes={"age": "7"}
    )
    assert matches(Comparison("phone", Operator.BEGINS_WITH, ("+49",)), contact.field)
    assert matches(Comparison("time_zone", Operator.EQUALS, ("europe/berlin",)), contact.field)
    assert matches(Comparison("age", Operator.LESS, ("18",)), contact.field)
    assert matches(Comparison("email", Operator.IS_EMPTY), contact.field)
