"""Secrets sealed under a key outside the database."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outrider.db.sealed import KEY_FILE, load_sealer, new_key
from outrider.errors import InvalidInputError, StoreError


def test_what_is_sealed_opens_again_and_never_looks_the_same(tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path)
    first, second = sealer.seal("pässword", "media server"), sealer.seal("pässword", "media server")
    assert first != second
    assert "pässword" not in first
    assert sealer.open(first, "media server") == sealer.open(second, "media server") == "pässword"


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    sealed = load_sealer(tmp_path).seal("word", "x")
    file = tmp_path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_sealer(tmp_path).open(sealed, "x") == "word"
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]
    assert load_sealer(tmp_path / "elsewhere", file.read_text()).open(sealed, "x") == "word"


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        sealers = [made.result() for made in [threads.submit(load_sealer, tmp_path) for _ in range(24)]]
    sealed = sealers[0].seal("word", "x")
    assert {each.open(sealed, "x") for each in sealers} == {"word"}


@pytest.mark.parametrize("change", ["key", "purpose", "damage", "rubbish"])
def test_what_cannot_be_opened_says_why_and_not_what(tmp_path: Path, change: str) -> None:
    sealer = load_sealer(tmp_path)
    sealed = sealer.seal("word", "x")
    opener = load_sealer(tmp_path, new_key()) if change == "key" else sealer
    damaged = sealed[:-3] + ("AA=" if not sealed.endswith("AA=") else "BB=")
    text = {"damage": damaged, "rubbish": "v1:!"}.get(change, sealed)
    with pytest.raises(StoreError, match="sealed with another key") as refused:
        opener.open(text, "y" if change == "purpose" else "x")
    assert "word" not in str(refused.value)


def test_a_bad_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="OUTRIDER_SECRET_KEY"):
        load_sealer(tmp_path, "c2hvcnQ=")
    (tmp_path / KEY_FILE).write_text("not a key")
    with pytest.raises(InvalidInputError, match="32 bytes"):
        load_sealer(tmp_path)
    with pytest.raises(StoreError, match="cannot be read or made"):
        load_sealer(tmp_path / "missing")
    assert "Sealer" in repr(load_sealer(tmp_path, new_key()))
