"""Static files: vendored ones are exactly those that were checked, and colours can be read by everybody."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from outrider.web.assets import FOLDER, asset
from support.web import Site, open_site

VENDOR = FOLDER / "vendor"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, tmp_path) as opened:
        yield opened


def test_vendored_files_have_their_checksums_and_licences() -> None:
    lines = (VENDOR / "checksums.txt").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    present = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert present - {"checksums.txt"} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    for library in ("htmx.org", "htmx-ext-sse", "uplot"):
        texts = [path.read_text() for path in (VENDOR / "licences").glob(f"{library}-*.txt")]
        assert len(texts) == 1
        assert "THE SOFTWARE IS PROVIDED" in texts[0]


def test_an_address_with_a_version_may_be_kept_for_ever(site: Site) -> None:
    kept = site.api().get(asset("app.css"))
    assert kept.status_code == 200
    assert "immutable" in kept.headers["cache-control"]
    assert site.api().get("/static/app.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/", "/static/vendor", "/static/nothing.js", "/static/%2e%2e/app.py"]
)
def test_nothing_else_is_served(site: Site, path: str) -> None:
    assert site.api().get(path).status_code == 404


def test_templates_and_scripts_keep_to_the_content_security_policy() -> None:
    for path in (FOLDER.parent / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:|hx-on", text), path
        assert not re.search(r"(src|href)=\"https?://", text), path


PAIRS = [
    ("text", "background", 4.5),
    ("text", "surface", 4.5),
    ("text", "surface-sunken", 4.5),
    ("text", "surface-raised", 4.5),
    ("text-muted", "background", 4.5),
    ("text-muted", "surface", 4.5),
    ("text-muted", "surface-sunken", 4.5),
    ("text-muted", "neutral-soft", 4.5),
    ("accent-text", "surface", 4.5),
    ("accent-text", "background", 4.5),
    ("accent-text", "accent-soft", 4.5),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    ("good", "good-soft", 4.5),
    ("warn", "warn-soft", 4.5),
    ("bad", "bad-soft", 4.5),
    ("bad", "surface", 4.5),
    ("info", "info-soft", 4.5),
    ("border-strong", "surface", 3.0),
    *[(f"series-{number}", "surface", 3.0) for number in range(1, 7)],
]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = (FOLDER / "app.css").read_text().split("@media (prefers-color-scheme: dark)")[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark.split("\n}\n")[0]))
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast_meets_wcag_aa(scheme: str, front: str, back: str, least: float) -> None:
    colours = tokens(scheme)
    bright, dim = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= least
