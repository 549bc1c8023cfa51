"""Sign-in leads to pages of ours only, and page helpers show values as people read them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.web.pages import count, moment, own_address


@pytest.mark.parametrize("address", ["/", "/users", "/users/3?x=1&y=2", "/why/3#facts"])
def test_an_address_of_ours_is_kept(address: str) -> None:
    assert own_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "users",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/users\r\nSet-Cookie: x=y",
        "/api/users",
        "/sign-out",
    ],
)
def test_any_other_address_leads_to_the_board(address: str) -> None:
    assert own_address(address) == "/"


@given(st.text())
def test_no_address_leaves_this_server(address: str) -> None:
    kept = own_address(address)
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))
    assert "\n" not in kept


def test_values_as_people_read_them() -> None:
    at = dt.datetime(2026, 3, 2, 13, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert moment(at) == "2026-03-02 11:05 UTC"
    assert moment(None) == "never"
    assert count(1234567) == "1,234,567"
