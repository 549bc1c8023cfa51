"""The host id: stable, not the machine id itself, and overridable."""

from pathlib import Path

import pytest

from outrider.supply.host import host_id


def test_it_depends_on_the_machine_id_only_and_does_not_disclose_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("0123456789abcdef0123456789abcdef\n")
    second.write_text("fedcba9876543210fedcba9876543210\n")
    assert host_id(files=[first]) == host_id(files=[tmp_path / "absent", first])
    assert host_id(files=[first]) != host_id(files=[second])
    assert len(host_id(files=[first])) == 24
    assert host_id(files=[first]) not in first.read_text()


@pytest.mark.parametrize("content", ["", "uninitialized\n"])
def test_a_machine_without_id_gets_one_from_its_name_and_card(tmp_path: Path, content: str) -> None:
    file = tmp_path / "machine-id"
    file.write_text(content)
    assert host_id(files=[file]) == host_id(files=[])
    assert len(host_id(files=[])) == 24


def test_an_override_is_taken_as_it_is() -> None:
    assert host_id(" rack-7 ") == "rack-7"
    assert host_id("  ") == host_id()
