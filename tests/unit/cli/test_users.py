"""`outrider users` from creation to revocation, and its errors in one line each."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.cli.users import users
from outrider.errors import OutriderError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(folder: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(users, [*arguments, "--data-folder", str(folder)], input=typed)


def ok(folder: Path, *arguments: str, typed: str | None = None) -> str:
    result = run(folder, *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(folder: Path, *arguments: str, typed: str | None = None) -> str:
    error = run(folder, *arguments, typed=typed).exception
    assert isinstance(error, OutriderError)
    return error.message


def test_a_user_from_creation_to_the_end(folder: Path) -> None:
    assert "one-time password" in ok(folder, "create", "Root", "--role", "administrator")
    ok(folder, "create", "vera", "--role", "viewer", "--ask-password", typed="a long sentence\n" * 2)
    assert ok(folder, "list").splitlines() == [
        "root\tadministrator\tall organizations\tactive",
        "vera\tviewer\tall organizations\tactive",
    ]
    assert ok(folder, "disable", "vera") == "disabled vera\n"
    assert "vera\tviewer\tall organizations\tdisabled" in ok(folder, "list")
    ok(folder, "enable", "vera")
    assert "one-time password" in ok(folder, "password", "vera")


def test_a_token_is_shown_once_alone_on_standard_output(folder: Path) -> None:
    ok(folder, "create", "root", "--role", "administrator")
    secret = ok(folder, "token", "create", "root", "script", "--days", "30").strip()
    assert secret.startswith("or_")
    assert "\n" not in secret
    listed = ok(folder, "token", "list")
    assert listed.startswith("root\tscript\texpires 20")
    assert secret not in listed
    assert ok(folder, "token", "revoke", "root", "script") == "revoked script of root\n"
    assert ok(folder, "token", "list") == ""


def test_refusals_say_what_to_do(folder: Path) -> None:
    ok(folder, "create", "root", "--role", "administrator")
    assert "exists already" in refusal(folder, "create", "ROOT")
    assert "user name" in refusal(folder, "create", "a b")
    assert "no organization named 'x'" in refusal(folder, "create", "b", "--organization", "x")
    assert "12 characters" in refusal(folder, "create", "b", "--ask-password", typed="short\nshort\n")
    assert "last administrator" in refusal(folder, "disable", "root")
    assert "no user named 'eve'" in refusal(folder, "password", "eve")
    assert "token list" in refusal(folder, "token", "revoke", "root", "x")
    ok(folder, "create", "b")
    ok(folder, "disable", "b")
    assert "disabled" in refusal(folder, "token", "create", "b", "x")
