"""What may be registered as a media server."""

from dataclasses import replace
from typing import Any

import pytest

from outrider.errors import InvalidInputError
from outrider.media.model import Connection, Driver, MediaServerId, Plan, check

GOOD = Plan(name="North 1", url="http://10.0.0.5:8088", username="outrider", secret="s3cret-words")


def test_a_good_plan_passes() -> None:
    check(GOOD)
    check(replace(GOOD, url="https://media.example.org/prefix", caller_id="+4930123456", weight=3))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " x"),
        ("name", "a\nb"),
        ("name", "x" * 81),
        ("name", "<b>"),
        ("url", "10.0.0.5:8088"),
        ("url", "ftp://10.0.0.5"),
        ("url", "http://"),
        ("url", "http://[::1"),
        ("url", "http://a:99999"),
        ("url", "http://a/?b=c"),
        ("username", ""),
        ("secret", ""),
        ("secret", "x" * 201),
        ("app", "two words"),
        ("trunk", "PJSIP/trunk"),
        ("trunk", "PJSIP/{number}{number}"),
        ("trunk", "PJSIP/{number}@{host}"),
        ("caller_id", "+49\n30"),
        ("maximum_ports", 0),
        ("maximum_ports", 100_001),
        ("weight", 0),
        ("originations_per_second", 0.0),
        ("originations_per_second", float("nan")),
        ("originations_per_second", 5000.0),
    ],
)
def test_a_bad_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(replace(GOOD, **{field: value}))
    assert refused.value.facts["where"] == field
    assert refused.value.message.startswith(f"{field}: ")


def test_credentials_in_the_address_are_refused_without_repeating_them() -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(replace(GOOD, url="http://user:hush@10.0.0.5:8088"))
    assert "hush" not in refused.value.message


def test_a_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(GOOD)
    known = Connection(
        MediaServerId(1), "n", Driver.ASTERISK, "http://a", "u", "s3cret", "app", "t", "", 1, wanted=True
    )
    assert "s3cret" not in repr(known)
