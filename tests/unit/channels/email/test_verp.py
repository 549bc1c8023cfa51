"""Bounce addresses: made, read, and told from others."""

import pytest

from outrider.channels.email.verp import bounce_address, is_ours, read_bounce_address
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId

ID = AttemptId("0192a3b4c5d60123456789abcdef0123")


def test_an_address_names_the_attempt() -> None:
    address = bounce_address(ID, "bounce.out.test")
    assert address == f"bounces+{ID}@bounce.out.test"
    assert read_bounce_address(address) == read_bounce_address(f"<{address}>") == ID
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "address",
    ["", "bounces@b.test", "bounces+@b.test", "x+1@b.test", "bounces+a b@b.test", "bounces+ü@b.test"],
)
def test_others_name_none(address: str) -> None:
    assert read_bounce_address(address) is None


@pytest.mark.parametrize("name", ["", "a b", "a@b", "x" * 57, "a\r\nb"])
def test_ids_that_no_address_can_hold(name: str) -> None:
    with pytest.raises(InvalidInputError):
        bounce_address(AttemptId(name), "b.test")


def test_whose_mail_is_taken() -> None:
    for local in ("bounces", "Bounces+m1", "complaints"):
        assert is_ours(f"{local}@B.test", "b.test")
    for address in (
        "ann@b.test",
        "bounces@c.test",
        "bounces+@b.test",
        "bounces",
        "@b.test",
        "postmaster@b.test",
    ):
        assert not is_ours(address, "b.test")
