"""Connections are checked when they are made, and the field that is wrong is named."""

from typing import Any

import pytest

from outrider.channels.sms.connection_settings import SmppSettings
from outrider.errors import InvalidInputError

GOOD: dict[str, Any] = {"name": "main", "host": "smpp.example", "port": 2775, "system_id": "out"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("host", ""),
        ("host", "a b"),
        ("host", "smpp://a"),
        ("port", 0),
        ("port", 65_536),
        ("system_id", ""),
        ("system_id", "x" * 16),
        ("system_id", "ü"),
        ("password", "x" * 65),
        ("password", "a\n"),
        ("system_type", "x" * 13),
        ("sender", "x" * 22),
        ("window", 0),
        ("window", 10_001),
        ("rate", 0.0),
        ("rate", -1.0),
        ("priority", 0),
        ("priority", 11),
        ("source_ton", 256),
        ("destination_npi", -1),
        ("connect_timeout", 0.0),
        ("response_timeout", -1.0),
        ("enquire_interval", 0.0),
        ("reconnect_first", 0.0),
        ("reconnect_longest", 0.5),
        ("throttle_patience", -1.0),
    ],
)
def test_what_is_wrong_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SmppSettings(**{**GOOD, field: value})
    assert str(caught.value.facts["where"]).rpartition(".")[2] == field
    assert field in caught.value.message


def test_the_password_is_never_shown() -> None:
    assert "secret" not in repr(SmppSettings(**GOOD, password="secret"))
    with pytest.raises(InvalidInputError) as caught:
        SmppSettings(**GOOD, password="secret\n")
    assert "secret" not in caught.value.message
