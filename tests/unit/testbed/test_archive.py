"""Archives of the test bed: what is unpacked is what was packed, and damage is always noticed."""

import os
import tarfile
from pathlib import Path

import pytest
from tools.testbed import archive
from tools.testbed.archive import MANIFEST, DamagedError


@pytest.fixture
def bed(tmp_path: Path) -> Path:
    """Give a small bed with a program, a file and a link, described by its manifest."""
    folder = tmp_path / "bed"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "program").write_bytes(b"run")
    (folder / "bin" / "program").chmod(0o755)
    (folder / "sounds" / "en_US").mkdir(parents=True)
    (folder / "sounds" / "en_US" / "hello").write_bytes(b"hello")
    (folder / "sounds" / "en").symlink_to("en_US")
    archive.write(archive.describe(folder, 1, "sid", "amd64", {"asterisk": "1:22"}), folder)
    return folder


def test_what_is_unpacked_is_what_was_packed(bed: Path, tmp_path: Path) -> None:
    archive.pack(bed, tmp_path / "a.tar.gz")
    manifest = archive.unpack(tmp_path / "a.tar.gz", tmp_path / "again")
    assert manifest == archive.verify(bed)
    assert manifest.programs == ["bin/program"]
    assert os.access(tmp_path / "again" / "bin" / "program", os.X_OK)
    assert (tmp_path / "again" / "sounds" / "en" / "hello").read_bytes() == b"hello"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "again", "bed"]


def test_a_changed_file_is_noticed(bed: Path) -> None:
    (bed / "bin" / "program").write_bytes(b"ruin")
    with pytest.raises(DamagedError, match="bin/program has changed"):
        archive.verify(bed)


def test_a_missing_file_is_noticed(bed: Path) -> None:
    (bed / "sounds" / "en_US" / "hello").unlink()
    with pytest.raises(DamagedError, match="hello cannot be read"):
        archive.verify(bed)


def test_a_link_that_points_elsewhere_is_noticed(bed: Path) -> None:
    (bed / "sounds" / "en").unlink()
    (bed / "sounds" / "en").symlink_to("de_DE")
    with pytest.raises(DamagedError, match="sounds/en points elsewhere"):
        archive.verify(bed)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_cut_archive_is_noticed(bed: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.tar.gz"
    archive.pack(bed, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedError, match=r"a\.tar\.gz cannot be unpacked"):
        archive.unpack(path, tmp_path / "again")


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "a/../../b"])
def test_a_manifest_never_leads_outside(bed: Path, name: str, tmp_path: Path) -> None:
    text = (bed / MANIFEST).read_text(encoding="utf-8").replace("bin/program", name)
    (bed / MANIFEST).write_text(text, encoding="utf-8")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(bed / MANIFEST, MANIFEST)
    with pytest.raises(DamagedError, match="outside"):
        archive.unpack(tmp_path / "a.tar.gz", tmp_path / "again")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": 1, "unknown": 2}'])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(DamagedError, match="is not a manifest"):
        archive.read(text)
