"""The cache: fetched once however many ask, mended from the archive, fetched again when that is damaged."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tools.testbed import cache, contents, packages
from tools.testbed.__main__ import main
from tools.testbed.errors import UnavailableError
from tools.testbed.packages import Download, Report


class Supply:
    """Stands for the network: hands out a tiny bed, and counts how often it was asked."""

    def __init__(self) -> None:
        self.fetches = 0
        self.version = "1:22.1.0-1"
        self.broken = False

    def download(self, folder: Path, _report: Report) -> Download:
        self.fetches += 1
        folder.mkdir(parents=True)
        if self.broken:
            raise UnavailableError("the package lists of sid could not be fetched: no network")
        return Download("sid", "amd64", {"asterisk": self.version}, ())

    def unpack(self, _files: Sequence[Path], tree: Path) -> None:
        tree.mkdir(parents=True)

    def collect(self, _tree: Path, bed: Path) -> None:
        (bed / "bin").mkdir(parents=True)
        (bed / "bin" / "asterisk").write_text(self.version, encoding="utf-8")


@pytest.fixture
def supply(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Supply:
    """Give a counted supply behind an empty cache."""
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "cache"))
    found = Supply()
    monkeypatch.setattr(packages, "download", found.download)
    monkeypatch.setattr(packages, "unpack", found.unpack)
    monkeypatch.setattr(contents, "collect", found.collect)
    return found


def test_a_bed_is_fetched_once_and_named_by_its_version(supply: Supply, tmp_path: Path) -> None:
    first, second = cache.ensure(), cache.ensure()
    assert first == second
    assert supply.fetches == 1
    name = f"asterisk-22.1.0-sid-amd64-recipe{contents.RECIPE}"
    assert first.folder == tmp_path / "cache" / name
    assert sorted(path.name for path in first.folder.parent.iterdir()) == [name, f"{name}.tar.gz", "lock"]


def test_callers_at_the_same_time_wait_for_one_fetch(supply: Supply) -> None:
    with ThreadPoolExecutor(8) as pool:
        beds = list(pool.map(lambda _: cache.ensure(), range(8)))
    assert len({bed.folder for bed in beds}) == 1
    assert supply.fetches == 1


def test_a_damaged_folder_is_mended_from_the_archive(supply: Supply) -> None:
    bed = cache.ensure()
    (bed.folder / "bin" / "asterisk").write_text("damaged", encoding="utf-8")
    assert (cache.ensure().folder / "bin" / "asterisk").read_text(encoding="utf-8") == supply.version
    assert supply.fetches == 1


def test_a_damaged_archive_is_fetched_again(supply: Supply) -> None:
    bed = cache.ensure()
    bed.folder.with_name(bed.folder.name + ".tar.gz").write_bytes(b"damaged")
    (bed.folder / "bin" / "asterisk").unlink()
    assert (cache.ensure().folder / "bin" / "asterisk").exists()
    assert supply.fetches == 2


def test_only_a_refresh_brings_a_newer_version(supply: Supply) -> None:
    cache.ensure()
    supply.version = "1:22.2.0-1"
    assert "22.1.0" in cache.ensure().folder.name
    assert "22.2.0" in cache.ensure(refresh=True).folder.name
    assert "22.2.0" in cache.ensure().folder.name


def test_a_failed_fetch_leaves_nothing_and_says_why(
    supply: Supply, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supply.broken = True
    assert main(["fetch"]) == 1
    assert capsys.readouterr().err == (
        "test bed: the package lists of sid could not be fetched: no network\n"
    )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


@pytest.mark.usefixtures("supply")
def test_a_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(UnavailableError, match=f"cannot be used .*set {cache.FOLDER_VARIABLE}"):
        cache.ensure()


def test_the_command_line_prints_the_folder(supply: Supply, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["path"]) == 0
    printed = capsys.readouterr()
    assert Path(printed.out.strip()) == cache.ensure().folder
    assert not printed.err, "progress is for terminals"
    assert supply.fetches == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run"], ["run", "ls"]])
def test_a_wrong_command_line_shows_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_machines_without_apt_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match="this machine has no apt-get"):
        packages.download(tmp_path, cache.silent)
