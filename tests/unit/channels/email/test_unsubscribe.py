"""Unsubscribe tokens: sealed, URL-safe, and refused when they are not ours."""

import re

import pytest

from outrider.channels.email.unsubscribe import Unsubscribe, make_token, verify_token
from outrider.errors import InvalidInputError
from outrider.ids import JobId, OrganizationId

SECRET = b"0123456789abcdef"
WISH = Unsubscribe(OrganizationId(3), JobId(17), "ann+ü@cust.test")


def test_a_token_says_what_it_was_made_of() -> None:
    token = make_token(WISH, SECRET)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    assert verify_token(token, SECRET) == WISH


@pytest.mark.parametrize("token", ["", ".", "abc", "abc.def", "ü.ü", "W10.", "=.=", "a.b.c"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidInputError, match="damaged"):
        verify_token(token, SECRET)


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="damaged"):
        verify_token(make_token(WISH, b"another secret of 16"), SECRET)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        make_token(WISH, b"short")
