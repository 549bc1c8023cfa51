"""How long an import of a large file takes, and how much memory its processes need at the peak.

`make bench` calls `figures`; alone: `PYTHONPATH=tests python tests/bench/import_bench.py [ROWS]`.
"""

import sys
import tempfile
import threading
from pathlib import Path
from typing import Self

import psutil

from outrider.clock import RealClock, stopwatch
from outrider.contacts.imports.model import ImportState
from outrider.db.database import Database
from outrider.db.migrate import upgrade
from outrider.runtime.importing import ImportRunner
from support.contact_files import Contacts

sys.path.insert(0, str(Path(__file__).parent.parent))

MAXIMUM_SECONDS = 60.0
MAXIMUM_MIB = 300.0
SAMPLE_SECONDS = 0.1

Figure = tuple[str, str, str]

NAMES = ("Jürgen Müller", "Anna Groß", "Zoë Schröder", "Uwe Lang", "Käthe Weiß", "Ümit Yildiz", "Lena Voß")
CITIES = ("Köln", "Berlin", "Würzburg", "Ulm", "Saarbrücken")


def write_file(path: Path, rows: int) -> None:
    """Write `rows` valid contacts in the five ways in which numbers are written; keys are in no order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("Kundennummer;Name;Telefon;E-Mail;Ort;Saldo;Zeitzone\r\n")
        for number in range(rows):
            mixed = number * 7919 % 8_000_000
            phones = (
                f"0171 {2_000_000 + mixed}",
                f"030/{20_000_000 + mixed}",
                f"+49 160 {2_000_000 + mixed}",
                f"0049 30 {40_000_000 + mixed}",
                f"(0152) {20_000_000 + mixed}",
            )
            file.write(
                f"K{mixed:08d};{NAMES[number % 7]};{phones[number % 5]};user{number}@example.com;"
                f"{CITIES[number % 5]};{number % 1000},50;Europe/Berlin\r\n"
            )


class PeakMemory:
    """Samples the memory of this process and its children (proportional set size, MiB) on a thread."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(SAMPLE_SECONDS):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total / 2**20)


def measure(rows: int) -> tuple[float, float]:
    """Import `rows` rows once; return the seconds and the peak memory of all processes in MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Database(f"sqlite:///{folder / 'bench.db'}")
        upgrade(database)
        system = Contacts(database, folder)
        target = system.make_list(duplicates_by="phone")
        write_file(folder / "contacts.csv", rows)
        with PeakMemory() as memory:
            began = stopwatch()
            queued = system.queue_file(target, folder / "contacts.csv")
            runner = ImportRunner(database, folder, RealClock())
            runner.claim_next(queued.id)
            ended = runner.run_one(queued.id)
            seconds = stopwatch() - began
        database.close()
    if ended is None or ended.state is not ImportState.DONE or ended.rows_added != rows:
        raise SystemExit(f"the import did not add all rows: {ended}")
    return seconds, memory.peak


def figures(rows: int = 1_000_000) -> list[Figure]:
    """Return (name, value, target) of one import; about a minute."""
    seconds, peak = measure(rows)
    return [
        (f"import of {rows:,} valid rows into SQLite", f"{seconds:.1f} s", f"<= {MAXIMUM_SECONDS:.0f} s"),
        ("rows imported per second", f"{rows / seconds:,.0f}", ""),
        ("peak memory of all its processes (PSS)", f"{peak:.0f} MiB", f"<= {MAXIMUM_MIB:.0f} MiB"),
    ]


if __name__ == "__main__":
    for figure in figures(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(*figure, sep=" | ")  # noqa: T201 - a bench prints
