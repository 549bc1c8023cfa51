"""The worked cases of licensing.md 10: the project's own copy, and the shared folder where it exists."""

import json
import os
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent.parent / "licensing_cases"

FOLDER = "OUTRIDER_LICENSING_CASES"
"""Environment variable that names another folder of cases to run as well."""


def folders() -> list[Path]:
    """Return the folders of cases: the copy, one that the environment names, one beside the checkout."""
    found = [OWN]
    named = os.environ.get(FOLDER)
    beside = OWN.parent.parent.parent / "shared" / "licensing"
    for folder in (Path(named) if named else None, beside):
        if folder is not None and (folder / "share").is_dir() and folder not in found:
            found.append(folder)
    return found


def share_cases() -> list[Path]:
    """Return the files with one sharing problem each."""
    return [path for folder in folders() for path in sorted((folder / "share").glob("*.json"))]


def replay_cases() -> list[Path]:
    """Return the timelines; the expected lines are in `*.expected.jsonl` beside each."""
    return [
        path
        for folder in folders()
        for path in sorted((folder / "replay").glob("*.jsonl"))
        if not path.name.endswith(".expected.jsonl")
    ]


def expected_lines(timeline: Path) -> list[dict[str, Any]]:
    """Return the expected records of a timeline."""
    text = timeline.with_suffix(".expected.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def case_name(path: Path) -> str:
    """Return a short name of a case for test reports."""
    origin = "" if OWN in path.parents else "shared-"
    return f"{origin}{path.parent.name}-{path.stem}"
