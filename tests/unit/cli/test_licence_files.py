"""`outrider licences keygen | issue | show | host-id`, run in process."""

import json
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from outrider.cli.licence_files import COMMANDS
from outrider.errors import LicenceFileError, OutriderError

Keys = tuple[Path, Path]


def run(*arguments: object) -> Result:
    group = click.Group(commands=COMMANDS)
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


def refusal(result: Result) -> OutriderError:
    assert isinstance(result.exception, OutriderError)
    return result.exception


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    result = run("keygen", "--private", private, "--public", public)
    assert result.exit_code == 0, result.output
    return private, public


def test_keygen_protects_the_private_key_and_overwrites_nothing(
    keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_text(), public.read_text()
    assert "exists" in refusal(run("keygen", "--private", private, "--public", tmp_path / "new")).message
    assert not (tmp_path / "new").exists()
    assert "exists" in refusal(run("keygen", "--private", tmp_path / "new", "--public", public)).message
    assert not (tmp_path / "new").exists()
    assert (private.read_text(), public.read_text()) == before


def test_keygen_wants_two_files_in_a_folder_that_exists(tmp_path: Path) -> None:
    same = tmp_path / "same"
    assert run("keygen", "--private", same, "--public", same).exit_code == 2
    absent = tmp_path / "absent" / "key"
    assert "cannot write" in refusal(run("keygen", "--private", absent, "--public", same)).message
    assert not same.exists()


def test_issue_and_show(keys: Keys, tmp_path: Path) -> None:
    private, public = keys
    file = tmp_path / "demo.licence"
    issued = run(
        "issue",
        "--key",
        private,
        "--customer",
        "Demo",
        "--count",
        "outbound_ports=60",
        "--count",
        "email=1",
        "--days",
        30,
        "--output",
        file,
    )
    assert issued.exit_code == 0, issued.output
    shown = run("show", file, "--key", public)
    assert shown.exit_code == 0, shown.output
    assert "outbound_ports" in shown.output
    assert "valid here now" in shown.output
    claims = json.loads(run("show", file, "--key", public, "--json").output)
    assert claims["counts"] == {"email": 1, "outbound_ports": 60}
    assert claims["valid"] is True
    assert claims["customer"] == "Demo"


def test_issue_writes_to_standard_output_by_default(keys: Keys) -> None:
    result = run(
        "issue", "--key", keys[0], "--customer", "Demo", "--count", "sms=1", "--expires", "2999-01-01"
    )
    assert result.exit_code == 0
    assert result.output.count(".") == 2


def test_show_tells_what_a_file_for_another_host_or_time_says(
    keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    file = tmp_path / "later.licence"
    run(
        "issue",
        "--key",
        private,
        "--customer",
        "Demo",
        "--count",
        "sms=1",
        "--host-id",
        "h1",
        "--not-before",
        "2998-01-01",
        "--days",
        1,
        "--output",
        file,
    )
    result = run("show", file, "--key", public, "--host-id", "h1", "--json")
    assert refusal(result).facts["reason"] == "not_yet_valid"
    assert json.loads(result.output)["reason"] == "not_yet_valid"
    result = run("show", file, "--key", public, "--host-id", "h2")
    assert refusal(result).facts["reason"] == "foreign_host"
    assert "no (foreign_host)" in result.output


def test_show_prints_nothing_of_a_file_that_is_not_authentic(keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "bad.licence"
    file.write_bytes(b"\x00\xff binary")
    result = run("show", file, "--key", keys[1])
    assert isinstance(refusal(result), LicenceFileError)
    assert result.output == ""
    assert "cannot read" in refusal(run("show", tmp_path / "absent", "--key", keys[1])).message
    assert refusal(run("show", file, "--key", file)).facts["reason"] == "not_text"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--count", "outbound_ports=60"],
        ["--count", "outbound_ports=60", "--days", "0"],
        ["--count", "outbound_ports=60", "--days", "3", "--expires", "2999-01-01"],
        ["--count", "outbound_ports=60", "--expires", "2001-01-01"],
        ["--count", "outbound_ports=60", "--expires", "soon"],
        ["--count", "outbound_ports=-1", "--days", "3"],
        ["--count", "outbound_ports", "--days", "3"],
        ["--count", "ports=1", "--days", "3"],
        ["--count", "sms=1", "--count", "sms=2", "--days", "3"],
        ["--days", "3"],
    ],
)
def test_issue_refuses_what_makes_no_licence(keys: Keys, arguments: list[str]) -> None:
    result = run("issue", "--key", keys[0], "--customer", "Demo", *arguments)
    assert result.exit_code == 2
    assert "Error:" in result.output


def test_the_public_key_does_not_issue(keys: Keys) -> None:
    result = run("issue", "--key", keys[1], "--customer", "Demo", "--count", "sms=1", "--days", 1)
    assert refusal(result).facts["reason"] == "bad_key"


def test_host_id_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_HOST_ID", "rack-7")
    assert run("host-id").output == "rack-7\n"
    monkeypatch.delenv("OUTRIDER_HOST_ID")
    assert len(run("host-id").output) == 25
