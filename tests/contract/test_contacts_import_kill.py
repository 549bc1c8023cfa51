"""An import whose process is killed at any moment ends, by another process, like an uninterrupted one."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from outrider.clock import RealClock, VirtualClock
from outrider.contacts.imports.model import Import, ImportOptions, ImportState
from outrider.db.database import Database
from support import killed_import
from support.contact_files import Contacts, german_rows, plain


def kill_when(system: Contacts, queued: Import, state: str, lines: int) -> list[psutil.Process]:
    """Start the import in a process, kill it after `lines` reports in `state`; return its children."""
    url = system.database.url.render_as_string(hide_password=False)
    command = [sys.executable, killed_import.__file__, url, str(system.folder), str(queued.id)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines -= line.startswith(state)
            if lines == 0:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    return children


def later() -> VirtualClock:
    """Return a clock at which the leases of killed processes have run out."""
    return VirtualClock(RealClock().now() + dt.timedelta(minutes=5))


@pytest.mark.parametrize(
    ("state", "lines"), [("reading", 1), ("reading", 5), ("applying", 1), ("applying", 4)]
)
def test_killed_and_finished_by_another(database: Database, tmp_path: Path, state: str, lines: int) -> None:
    system = Contacts(database, tmp_path)
    content = (
        german_rows(4_000) + b"\n" + german_rows(2_000, start=3_000).split(b"\n", 1)[1] + b"\nbad;row;1;x\n"
    )
    options = ImportOptions(keep_good=True)
    whole = system.make_list("uninterrupted")
    expected = system.run(whole, content, options)
    target = system.make_list("killed")
    queued = system.queue(target, content, options)
    kill_when(system, queued, state, lines)
    assert system.runner().claim_next() is None, "the lease still holds"
    runner = system.runner(lease_clock=later())
    assert runner.claim_next() == queued.id
    ended = runner.run_one(queued.id)
    assert ended is not None
    assert ended.state is ImportState.DONE
    for name in ("rows_read", "rows_added", "rows_updated", "rows_duplicate", "rows_rejected"):
        assert getattr(ended, name) == getattr(expected, name), name
    assert (ended.rows_added, ended.rows_duplicate, ended.rows_rejected) == (5_000, 1_000, 1)
    assert [plain(contact) for contact in system.contacts(target)] == [
        plain(contact) for contact in system.contacts(whole)
    ]
    assert system.counted(target) == 5_000
    assert system.rejects(ended) == system.rejects(expected)
    assert system.working_files() == []


def test_worker_processes_end_with_their_killed_parent(sqlite_database: Database, tmp_path: Path) -> None:
    system = Contacts(sqlite_database, tmp_path)
    content = german_rows(150_000)
    assert len(content) > 4 << 20
    children = kill_when(system, system.queue(system.make_list(), content), "reading", 3)
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
