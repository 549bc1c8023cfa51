"""Roles, names, passwords, and when a session is prolonged."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import InvalidInputError, NotAllowedError
from outrider.people.model import (
    SESSION_LIFE,
    SESSION_MAXIMUM,
    Caller,
    Role,
    check_new_password,
    clean_token_name,
    clean_user_name,
    prolonged,
)
from outrider.people.passwords import hash_password, new_password, verify_password

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_each_role_includes_those_before_it() -> None:
    table = [[mine.includes(other) for other in Role] for mine in Role]
    assert table == [[rank >= other for other in range(4)] for rank in range(4)]
    assert list(Role)[:2] == [Role.AGENT, Role.VIEWER]


def test_a_caller_of_an_organization_sees_only_its_own() -> None:
    own, everywhere = Caller(1, "a", Role.ADMINISTRATOR, 7), Caller(2, "b", Role.VIEWER, None)
    assert [own.sees(each) for each in (7, 8, None)] == [True, False, False]
    assert [everywhere.sees(each) for each in (7, 8, None)] == [True, True, True]
    assert not own.is_system_administrator
    assert not everywhere.is_system_administrator
    with pytest.raises(NotAllowedError, match="supervisor"):
        everywhere.require(Role.SUPERVISOR)


@given(st.text())
def test_a_cleaned_name_is_clean(text: str) -> None:
    try:
        name = clean_user_name(text)
    except InvalidInputError:
        return
    assert clean_user_name(name) == name
    assert 1 <= len(name) <= 80
    assert not any(character.isspace() or character == "\x00" for character in name)


@pytest.mark.parametrize("text", ["", " ", "a b", ".a", "a/b", "a\x00", "a" * 81, "<script>"])
def test_a_bad_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_user_name(text)


def test_a_name_is_stored_in_lower_case_without_blanks() -> None:
    assert clean_user_name(" Sam@Example.COM\n") == "sam@example.com"


@pytest.mark.parametrize("text", ["", "\x00", "a\nb", "x" * 81])
def test_a_bad_token_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_token_name(text)


def test_one_time_passwords_are_good_and_different() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_new_password(password, "admin")


def test_passwords_are_salted_and_nobody_has_none() -> None:
    first, second = hash_password("a long sentence"), hash_password("a long sentence")
    assert first != second
    assert verify_password(first, "a long sentence")
    assert not verify_password(first, "a long sentenc")
    assert not verify_password(None, "a long sentence")
    assert not verify_password("no hash at all", "a long sentence")


@given(age=st.timedeltas(dt.timedelta(0), SESSION_MAXIMUM), left=st.timedeltas(dt.timedelta(0), SESSION_LIFE))
def test_a_session_never_shrinks_nor_outlives_its_maximum(age: dt.timedelta, left: dt.timedelta) -> None:
    now = START + age
    expires_at = min(now + left, START + SESSION_MAXIMUM)
    end = prolonged(START, expires_at, now)
    if end is not None:
        assert expires_at < end <= min(START + SESSION_MAXIMUM, now + SESSION_LIFE)
