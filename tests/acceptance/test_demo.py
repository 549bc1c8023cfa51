"""`outrider demo`, the real command on a small scale: its report, its exit status, its ends."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from outrider.demo.contact_files import write_files

ROWS, SEED = 400, 3
COMMAND = (sys.executable, "-m", "outrider", "demo", "--port", "0", "--rows", str(ROWS), "--seed", str(SEED))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8"}


@contextmanager
def _started(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Give a demo that is being run; whatever happens, it does not outlive the block."""
    with subprocess.Popen(
        (*COMMAND, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(folder),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """Return what the process wrote up to the line with `words`."""
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if words in line:
            return output
    assert process.stderr is not None
    pytest.fail(f"{words!r} never came: {output} {process.stderr.read()}")


@dataclass(frozen=True)
class Finished:
    """One demo that ran to its end, held, was looked at, and was told to stop."""

    folder: Path
    output: str
    errors: str
    status: int
    page: str
    agent: tuple[int, str]
    """How an agent's signing in was answered: HTTP's status, and where it leads."""

    def report(self) -> dict[str, Any]:
        """Return the JSON report."""
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Run the demo once, for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("demo")
    report, own = str(folder / "report.json"), str(folder / "demo")
    with _started(folder, "--speed", "80", "--json", report, "--folder", own, "--hold") as process:
        output = _read_until(process, "The console stays at")
        address = output.rpartition("The console stays at ")[2].split()[0]
        page = httpx.get(f"{address}/", follow_redirects=True).text
        told = _read_until(process, "one-time password: ")
        form = dict(zip(("name", "password"), re.findall(r"(?:as|password): +(\S+)", told), strict=True))
        signed_in = httpx.post(f"{address}/sign-in", data=form, headers={"Origin": address})
        agent = signed_in.status_code, signed_in.headers["location"]
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
    return Finished(folder, output + told + rest, errors, process.returncode, page, agent)


def test_it_succeeds_and_all_jobs_finish(finished: Finished) -> None:
    assert finished.status == 0, finished.output + finished.errors
    assert finished.errors == ""
    report = finished.report()
    assert report["problems"] == []
    assert [job["state"] for job in report["jobs"]] == ["finished"] * 5
    assert [job["end_reason"] for job in report["jobs"]] == ["no contact left to try"] * 5
    for job in report["jobs"]:
        assert job["done"] == job["contacts"] > 0
        assert sum(outcome["final"] for outcome in job["outcomes"].values()) == job["contacts"]
    assert report["drifts"] == []
    assert "no drift" in finished.output


def test_imports_match_what_was_written(finished: Finished, tmp_path: Path) -> None:
    report = finished.report()
    written = write_files(tmp_path, SEED, ROWS)
    assert [
        (each["rows"], each["added"], each["duplicates"], each["rejected"]) for each in report["imports"]
    ] == [(file.rows, file.valid, file.duplicates, file.rejected) for file in written]
    assert all(sum(each["reasons"].values()) == each["rejected"] > 0 for each in report["imports"])
    assert len({each["delimiter"] for each in report["imports"]}) == 3
    assert set().union(*(each["countries"] for each in report["imports"])) == {"DE", "GB", "US", "FR", "ES"}


def test_licences_were_lent_and_given_back(finished: Finished) -> None:
    report = finished.report()
    assert report["recalculations"]["idle"] >= 1
    assert report["recalculations"]["return"] >= 1
    reminders, notices, survey = report["jobs"][:3]
    assert reminders["lending"]["donated"] > 0
    assert reminders["lending"]["returned"] > 0
    assert notices["lending"]["donations"] == 0, "a reserved job never lends"
    assert notices["lending"]["borrowed"] + survey["lending"]["borrowed"] > 0
    assert report["pool"]["most_held"] == report["pool"]["ports"] == 60
    assert all(job["most_in_use"] <= job["maximum"] for job in report["jobs"])


def test_agents_talked_each_with_contacts_of_their_own(finished: Finished) -> None:
    (agents,) = finished.report()["agents"]
    assert agents["most_seated"] == agents["seats"] == 12
    assert agents["talked"] == agents["told"] == sum(agents["codes"].values()) > 20
    assert agents["live"] == agents["talked"] + agents["abandoned"]
    assert (agents["shared_contacts"], agents["doubled_agents"]) == (0, 0)
    assert 0 < agents["busy_share"] <= 1
    assert set(agents["codes"]) <= {"sale", "not_interested", "wrong_number"}


def test_mail_was_counted_alike_on_both_sides(finished: Finished) -> None:
    mail = finished.report()["mail"]
    assert mail["delivered"] == mail["server_accepted"] > 200
    assert mail["hard_bounces"] == mail["server_no_mailbox"]
    assert mail["soft_bounces"] == mail["server_refused_for_now"] > 0
    assert mail["failed"] == mail["server_refused_by_policy"]


def test_check_finds_nothing_afterwards(finished: Finished) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "outrider", "check", "--data-folder", str(finished.folder / "demo")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "no drift")


def test_it_can_be_interrupted(tmp_path: Path) -> None:
    with _started(tmp_path) as process:
        _read_until(process, "Importing")
        assert psutil.Process(process.pid).children(recursive=True) == [], "a kill would leave them behind"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped before its end" in output
    assert errors == ""
    assert _left(tmp_path) == [], "the temporary folder is removed"


def test_the_console_stays_for_looking_around(finished: Finished) -> None:
    assert "sign in" in finished.page.lower()
    report, _, to_try = finished.output.partition("The console stays")
    assert "REPORT" in report
    assert "one-time password: " in to_try
    assert finished.agent == (303, "/password"), "an agent signs in with the password that is told"


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with _started(tmp_path, "--folder", str(tmp_path)) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no demo wrote" in errors
    assert _left(tmp_path) == ["letters.txt"]


def _left(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())
