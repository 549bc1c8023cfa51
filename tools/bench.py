"""Measure speed and write docs/benchmarks.md: `python -m tools.bench [PART...]`, or `make bench`.

Each part is a module of tests/bench with `figures() -> [(what, value, target)]`, or rows of its own COLUMNS,
and a NOTE where the figures want an explanation.
Each runs in a process of its own so that none warms or crowds another. Medians and ratios; the machine is
described beside them.
"""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
PARTS = {
    "licences": ("licences_bench", "Sharing licences"),
    "licence_server": ("licence_server_bench", "Licence server"),
    "dialing": ("dialing_bench", "Dialing"),
    "import": ("import_bench", "Importing contacts"),
    "channels": ("channels_bench", "Simulated carrier"),
    "agents": ("agents_bench", "Many agents"),
    "pacing": ("pacing_bench", "Pacing"),
    "calls": ("calls_bench", "Calls over real Asterisk"),
    "email": ("email_bench", "Email"),
    "sms": ("sms_bench", "Text messages"),
    "simulate": ("simulate_bench", "Simulator"),
}
RUN = """
import json, pathlib, sys
from bench import {0} as part
columns = getattr(part, "COLUMNS", ("what", "measured", "target"))
found = [getattr(part, "NOTE", ""), columns, part.figures()]
pathlib.Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
"""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one part found, and what is to be said of it."""

    note: str
    columns: Row
    figures: list[Row]


def measure(module: str) -> Measured:
    """Run one part in a fresh process; return what it found. CalledProcessError when it fails."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "figures.json"
        # What the program logs meanwhile belongs on standard error, not among the figures.
        subprocess.run(
            [sys.executable, "-c", RUN.format(module), str(answer)],
            check=True,
            stdout=sys.stderr,
            cwd=ROOT,
            env=environment,
        )
        note, columns, figures = json.loads(answer.read_text(encoding="utf-8"))
    return Measured(note, tuple(columns), [tuple(row) for row in figures])


def machine() -> str:
    """Describe the machine in one line: processor, cores, memory, system, Python."""
    processor = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def section(title: str, found: Measured) -> str:
    """Return one part of the page: its note, columns and figures."""
    lines = [f"## {title}", "", *([found.note, ""] if found.note else [])]
    lines += [f"| {' | '.join(found.columns)} |", f"|---|{'---:|' * (len(found.columns) - 1)}"]
    lines += [f"| {' | '.join(figure)} |" for figure in found.figures]
    return "\n".join(lines) + "\n"


def page(described: str, results: dict[str, Measured]) -> str:
    """Return the page that shows the results."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    head = (
        "# Benchmarks\n\nWritten by `make bench`; every figure is measured side by side in one run.\n\n"
        f"{today}: {described}.\n"
    )
    return "\n".join([head, *(section(title, found) for title, found in results.items())])


def main(names: list[str]) -> int:
    """Measure the named parts (default: all); write the page when all were measured."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        print(f"bench: there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    described = machine()
    results = {}
    for name in names or PARTS:
        module, title = PARTS[name]
        print(f"{title}:", flush=True)
        results[title] = measure(module)
        for what, value, *rest in results[title].figures:
            print(f"  {what:60} {value:>14}   {'   '.join(rest)}", flush=True)
    if not names:
        PAGE.write_text(page(described, results), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
