"""`outrider licences clients | usage | files | rehost-request | rehost | server-key`, run in process."""

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from outrider.cli import licence_files, licence_server, licence_server_files
from outrider.errors import OutriderError
from outrider.supply.file import issue as sign
from outrider.supply.file import read


class Outrider:
    """Runs commands over one data folder, and over issuer's files in `folder`."""

    def __init__(self, folder: Path, host: str = "") -> None:
        self.folder, self.host = folder, host

    def run(self, *arguments: object) -> Result:
        modules = (licence_files, licence_server, licence_server_files)
        commands: list[click.Command] = [command for module in modules for command in module.COMMANDS]
        environment = {"OUTRIDER_DATA_FOLDER": str(self.folder / f"data-{self.host}")}
        if self.host:
            environment["OUTRIDER_HOST_ID"] = self.host
        group = click.Group(commands=commands)
        return CliRunner(env=environment).invoke(group, [str(argument) for argument in arguments])

    def text(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def refusal(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert isinstance(result.exception, OutriderError), result.output
        return result.exception.message


@pytest.fixture
def old(tmp_path: Path) -> Outrider:
    made = Outrider(tmp_path, "old-host")
    made.text("keygen", "--private", tmp_path / "key", "--public", tmp_path / "pub")
    issue(made, "first", "old-host")
    return made


def issue(outrider: Outrider, name: str, host: str) -> Path:
    output = outrider.folder / name
    key = outrider.folder / "key"
    counts = ("--count", "outbound_ports=60", "--count", "email=1")
    arguments = ("--key", key, "--customer", "ACME", *counts, "--days", 90, "--host-id", host)
    outrider.text("issue", *arguments, "--output", output)
    return output


def load(outrider: Outrider, file: Path) -> str:
    """Load a file, and return its id."""
    key = outrider.folder / "pub"
    said = outrider.text("files", "add", file, "--public-key", key)
    return said.split()[2]


def test_clients_and_usage(old: Outrider) -> None:
    load(old, old.folder / "first")
    assert "token:  orl_" in old.text("clients", "add", "north", "--about", "Call centre")
    assert "minimum 10, maximum 20" in old.text(
        "clients", "minimum", "north", "outbound_ports", 10, "--maximum", 20
    )
    assert "token:  orl_" in old.text("clients", "token", "north")
    listed = old.text("clients", "list")
    assert "north  away, heard never" in listed
    assert "outbound_ports: 0 (minimum 10, maximum 20)" in listed
    shown = json.loads(old.text("usage", "--json"))
    ports = next(each for each in shown["features"] if each["kind"] == "outbound_ports")
    assert (ports["total"], ports["reserved"], ports["free"]) == (60, 10, 50)
    assert json.loads(old.text("clients", "list", "--json"))[0]["name"] == "north"
    table = old.text("usage").splitlines()
    assert table[1].split() == ["outbound_ports", "60", "0", "10", "50", "0", "0", "0", "0"]
    assert table[2].split()[:2] == ["email", "open"]
    assert "it held nothing" in old.text("clients", "remove", "north")
    assert "there is no client 'north'" in old.refusal("clients", "remove", "north")
    assert "holds nothing now" in old.text("clients", "release", "north")


def test_a_move_from_host_to_host(old: Outrider, tmp_path: Path) -> None:
    first = load(old, tmp_path / "first")
    key, request = tmp_path / "server.pub", tmp_path / "request"
    key.write_text(old.text("server-key"))
    move = ("rehost-request", first, "--new-host-id", "new-host", "--output", request)
    assert "the files count here until" in old.text(*move)
    assert "exists and is not overwritten" in old.refusal(*move)
    assert "given up for the host new-host" in old.text("files", "list")
    issuer = ("--request", request, "--public-key", tmp_path / "pub", "--key", tmp_path / "key")
    arguments = (
        "rehost",
        *issuer,
        "--server-key",
        key,
        "--file",
        tmp_path / "first",
        "--output",
        tmp_path / "new",
    )
    assert f"for host new-host, instead of {first}" in old.text(*arguments)
    (moved,) = (tmp_path / "new").iterdir()
    new = Outrider(tmp_path, "new-host")
    load(new, moved)
    assert "outbound_ports 60" in new.text("files", "list")
    assert "replaced by" in new.refusal(
        "files", "add", _copy_for_any(new, first), "--public-key", tmp_path / "pub"
    )
    load(old, moved)
    assert "does not count: replaced by" in old.text("files", "list")
    assert "counts here no more" in old.refusal(
        "files", "add", tmp_path / "first", "--public-key", tmp_path / "pub"
    )
    assert f"{first} is removed" in old.text("files", "remove", first)


def _copy_for_any(outrider: Outrider, file_id: str) -> Path:
    """Sign a file for any host by the id of one that was replaced, as issued before."""
    text = (outrider.folder / "first").read_text()
    licence = read(text, (outrider.folder / "pub").read_text())
    assert licence.id == file_id
    copy = outrider.folder / "copy"
    copy.write_text(sign(replace(licence, host_id="any"), (outrider.folder / "key").read_text()))
    return copy


def test_refusals(old: Outrider, tmp_path: Path) -> None:
    file = load(old, tmp_path / "first")
    request = tmp_path / "request"
    assert "is this very host" in old.refusal(
        "rehost-request", file, "--new-host-id", "old-host", "--output", request
    )
    assert "there is no licence file 'other'" in old.refusal(
        "rehost-request", "other", "--new-host-id", "new-host", "--output", request
    )
    assert not request.exists()
    anywhere = load(old, issue(old, "second", "any"))
    assert "is for any host" in old.refusal(
        "rehost-request", anywhere, "--new-host-id", "new-host", "--output", request
    )
    assert old.text("admin-token").startswith("orr_")
    assert old.text("server-key") == old.text("server-key")
