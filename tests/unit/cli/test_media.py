"""`outrider media` from registration to removal, and its errors in one line each."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.cli.media import media
from outrider.db.database import Database
from outrider.db.migrate import upgrade
from outrider.errors import OutriderError
from outrider.licences import division_store
from support.web import START

PASSWORD = "s3cret-words"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    database = Database(f"sqlite:///{made / 'outrider.db'}")
    upgrade(database)
    database.write_now(division_store.ensure_defaults, START)
    database.close()
    return made


def run(folder: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(media, [*arguments, "--data-folder", str(folder)], input=typed)


def ok(folder: Path, *arguments: str, typed: str | None = None) -> str:
    result = run(folder, *arguments, typed=typed)
    assert result.exit_code == 0, (result.output, result.exception)
    assert PASSWORD not in result.output
    return result.stdout


def refusal(folder: Path, *arguments: str, typed: str | None = None) -> str:
    error = run(folder, *arguments, typed=typed).exception
    assert isinstance(error, OutriderError)
    return error.message


def test_a_media_server_from_registration_to_removal(folder: Path) -> None:
    assert "simulated carrier" in ok(folder, "list")
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    assert "registered north" in ok(folder, "add", "north", "http://10.0.0.5:8088", typed=typed)
    south = ("south", "https://10.0.0.6:8089", "--ports", "30", "--weight", "2", "--rate", "12.5")
    made = json.loads(ok(folder, "add", *south, "--password-file", "-", "--json", typed=f"{PASSWORD}\n"))
    assert (made["maximum_ports"], made["originations_per_second"], made["standing"]) == (30, 12.5, "new")
    lines = ok(folder, "list").splitlines()
    assert lines[0].split() == [
        "name",
        "zone",
        "standing",
        "quota",
        "granted",
        "in",
        "use",
        "maximum",
        "ports",
        "version",
        "message",
    ]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["north", "default", "new"],
        ["south", "default", "new"],
    ]
    changed = json.loads(ok(folder, "set", "south", "--name", "east", "--rate", "0", "--disable", "--json"))
    assert (changed["name"], changed["originations_per_second"], changed["standing"]) == (
        "east",
        None,
        "disabled",
    )
    assert "starts nothing more" in ok(folder, "drain", "north")
    assert json.loads(ok(folder, "list", "--json"))[1]["standing"] == "draining"
    assert ok(folder, "undrain", "north") == "north works again\n"
    assert ok(folder, "remove", "north") == "removed north\n"
    assert [each["name"] for each in json.loads(ok(folder, "list", "--json"))] == ["east"]


def test_passwords_are_sealed_with_the_key_of_the_folder_or_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(folder, "add", "north", "http://a:1", "--password-file", "-", typed=PASSWORD)
    assert (folder / "secret.key").exists()
    assert PASSWORD.encode() not in (folder / "outrider.db").read_bytes()
    monkeypatch.setenv("OUTRIDER_SECRET_KEY", "short")
    assert "OUTRIDER_SECRET_KEY" in refusal(folder, "set", "north", "--weight", "2")


def test_mistakes_are_one_sentence(folder: Path) -> None:
    ok(folder, "add", "north", "http://a:1", "--password-file", "-", typed=PASSWORD)
    assert "named 'north' already" in refusal(
        folder, "add", "north", "http://b:1", "--password-file", "-", typed=PASSWORD
    )
    assert refusal(folder, "drain", "west") == "there is no media server named 'west'; there are: north"
    assert refusal(folder, "set", "north", "--trunk", "x").startswith("trunk: ")
    assert "say what to change" in refusal(folder, "set", "north")
    assert run(folder, "set", "north", "--weight", "heavy").exit_code == 2


def test_a_check_of_a_server_that_is_not_there_says_so(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ok(folder, "add", "north", f"http://127.0.0.1:{port}", "--password-file", "-", typed=PASSWORD)
        told = run(folder, "check", "north")
        assert told.exit_code == 1
        assert told.stdout.startswith("wrong: ")
        assert PASSWORD not in told.output
        (found,) = json.loads(run(folder, "check", "north", "--json").stdout)
    assert found["level"] == "error"
    assert str(port) in found["message"]


def test_the_configuration_names_user_address_and_carrier(folder: Path) -> None:
    before = ok(folder, "config", "--url", "http://10.0.0.5:8099", "--user", "dialer")
    assert "bindport=8099" in before
    assert "[dialer]" in before
    ok(folder, "add", "north", "http://a:8088", "--password-file", "-", typed=PASSWORD)
    assert "contact=sip:sip.carrier.test" in ok(folder, "config", "north", "--carrier", "sip.carrier.test")
    assert f"password={PASSWORD}" in run(folder, "config", "north", "--reveal").stdout
    files = [part["file"] for part in json.loads(ok(folder, "config", "north", "--json"))]
    assert {"http.conf", "ari.conf", "pjsip.conf"} <= set(files)
