"""A demo only ever empties folders of demos."""

from pathlib import Path

import pytest

from outrider.demo import folder
from outrider.errors import InvalidInputError


def test_a_new_folder_is_claimed_and_emptied_the_next_time(tmp_path: Path) -> None:
    chosen = tmp_path / "demo"
    folder.claim(chosen)
    (chosen / "files").mkdir()
    (chosen / "files" / "one.csv").write_text("x")
    (chosen / "outrider.db").write_text("x")
    folder.claim(chosen)
    assert [path.name for path in chosen.iterdir()] == [folder.MARKER]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(InvalidInputError, match="no demo wrote"):
        folder.claim(tmp_path)
    folder.remove(tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_a_link_inside_is_removed_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letters.txt").write_text("dear")
    chosen = tmp_path / "demo"
    folder.claim(chosen)
    (chosen / "link").symlink_to(other)
    folder.claim(chosen)
    assert not (chosen / "link").exists()
    assert (other / "letters.txt").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="--folder"):
        folder.claim(tmp_path / "file")


def test_a_temporary_folder_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    chosen = folder.temporary_folder()
    assert chosen.parent == tmp_path
    folder.remove(chosen)
    assert not chosen.exists()
