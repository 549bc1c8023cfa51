"""What a run left behind, checked from both sides: the carrier's own ledger against our database.

Acceptance tests call it after processes were killed. Nothing here trusts a cached sum or a log line.
"""

import datetime as dt
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import case, func, select

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import AnsweredBy, EndCause
from outrider.channels.simulated.ledger import read_ledger
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.dialing.engine import UNANSWERED


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the carrier saw it."""

    id: str
    address: str
    made_at: dt.datetime
    ended_at: dt.datetime
    outcome: Outcome
    """What it truly came to."""


@dataclass(frozen=True, slots=True)
class Books:
    """A carrier's whole ledger."""

    calls: Mapping[str, Call]
    refused: Sequence[str]
    up: frozenset[str] = frozenset()
    """Calls without an end: still up, or dead with the carrier, and nobody knows what they would come to."""

    def most_at_once(self) -> int:
        """Return the largest number of calls that existed at the same time."""
        changes = [(call.made_at, 1) for call in self.calls.values()]
        changes += [(call.ended_at, -1) for call in self.calls.values()]
        most = present = 0
        for _, change in sorted(changes):
            present += change
            most = max(most, present)
        return most

    def up_at(self, moment: dt.datetime) -> list[Call]:
        """Return the calls that were up at a moment, those made at it included."""
        return [call for call in self.calls.values() if call.made_at <= moment < call.ended_at]


def read_books(path: Path, *, unended: bool = False) -> Books:
    """Read a ledger; AssertionError for an id that was accepted twice.

    Every call must be over, unless there may be `unended` ones: the carrier works, or was killed.
    """
    made: dict[str, Mapping[str, str | int | None]] = {}
    calls: dict[str, Call] = {}
    refused = []
    for entry in read_ledger(path):
        number = str(entry["id"])
        if entry["what"] == "made":
            assert number not in made, f"the carrier made call {number} twice"
            made[number] = entry
        elif entry["what"] == "refused":
            refused.append(f"{number}: {entry['reason']}")
        else:
            assert number not in calls, f"call {number} ended twice"
            calls[number] = _call(entry)
    up = made.keys() - calls.keys()
    assert unended or not up, "a call is still up"
    return Books(calls, refused, frozenset(up))


def _call(entry: Mapping[str, str | int | None]) -> Call:
    if entry["answered"] is None:
        outcome = UNANSWERED[EndCause(str(entry["cause"]))]
    else:
        outcome = Outcome.MACHINE if entry["by"] == AnsweredBy.MACHINE.value else Outcome.ANSWERED
    times = [dt.datetime.fromisoformat(str(entry[name])) for name in ("made", "at")]
    return Call(str(entry["id"]), str(entry["address"]), times[0], times[1], outcome)


def attempts(tx: Tx) -> dict[str, Row]:
    """Return all attempts by id."""
    return {row["id"]: row for row in tx.execute(select(schema.attempts)).mappings()}


def targets(tx: Tx) -> list[Row]:
    """Return all targets."""
    return list(tx.execute(select(schema.targets)).mappings())


def check_run(database: Database, ledger: Path, contacts: int) -> tuple[Books, dict[str, Row]]:
    """Check everything about a run that has ended; return the carrier's books and the attempts."""
    books, tried, found = read_books(ledger), database.read_now(attempts), database.read_now(targets)
    assert books.refused == [], "the carrier was asked for a call twice"
    assert len(found) == contacts
    check_attempts(books, tried)
    check_targets(found, tried)
    check_counts(database, found)
    return books, tried


def check_attempts(books: Books, tried: Mapping[str, Row]) -> None:
    """Every call is one attempt, to its address, with its true outcome or `interrupted`; none is open.

    An interrupted attempt was closed when its call, if there was one, was over: no unit was free too early.
    """
    assert books.calls.keys() | books.up <= tried.keys(), "the carrier made calls that no attempt asked for"
    for number, attempt in tried.items():
        assert attempt["ended_at"] is not None, f"attempt {number} is open"
        call = books.calls.get(number)
        if number in books.up:
            continue
        if call is None:
            untold = (Outcome.INTERRUPTED.value, Outcome.CONGESTION.value)
            assert attempt["outcome"] in untold, f"{number} was never made: {attempt}"
            continue
        assert call.address == attempt["address"]
        assert call.ended_at <= attempt["ended_at"], f"{number} was closed while its call was up"
        assert attempt["outcome"] in (call.outcome.value, Outcome.INTERRUPTED.value), (call, attempt)


def check_targets(found: Sequence[Row], tried: Mapping[str, Row]) -> None:
    """Every target has one final outcome, that of its last attempt, and attempts numbered 1, 2, 3..."""
    made: dict[int, list[Row]] = defaultdict(list)
    for attempt in sorted(tried.values(), key=lambda row: int(row["number"])):
        made[attempt["target_id"]].append(attempt)
    assert len({(target["job_id"], target["contact_id"]) for target in found}) == len(found)
    for target in found:
        numbers = [attempt["number"] for attempt in made[target["id"]]]
        assert numbers == list(range(1, target["attempts"] + 1)), f"target {target['id']}: {numbers}"
        assert target["outcome"] == made[target["id"]][-1]["outcome"]


def check_counts(database: Database, found: Sequence[Row]) -> None:
    """The outcome counts per job say what the targets say."""
    truth = Counter((target["job_id"], target["outcome"]) for target in found)
    T, O = schema.tasks.c, schema.outcome_counts.c  # noqa: E741, N806 - tables' columns

    def counted(tx: Tx) -> dict[tuple[int, str], int]:
        query = (
            select(T.job_id, O.outcome, func.sum(O.final))
            .join(schema.tasks, T.id == O.task_id)
            .group_by(T.job_id, O.outcome)
        )
        return {(row[0], row[1]): int(row[2]) for row in tx.execute(query) if row[2]}

    assert database.read_now(counted) == truth


@dataclass(slots=True)
class Usage:
    """The largest sums that were seen in any pool while a run went on."""

    samples: int = 0
    most_in_use: int = 0
    most_charged: int = 0
    """Of max(granted, in use), which licensing.md 2.1 limits."""
    most_draining: int = 0


@contextmanager
def watched(database: Database, every: float = 0.05) -> Iterator[Usage]:
    """Sample the units of all pools from another thread, about 20 times a second, during the block."""
    usage = Usage()
    end = threading.Event()

    def watch() -> None:
        while not end.wait(every):
            for in_use, charged, draining in database.read_now(_usage):
                usage.most_in_use = max(usage.most_in_use, in_use)
                usage.most_charged = max(usage.most_charged, charged)
                usage.most_draining = max(usage.most_draining, draining)
            usage.samples += 1

    thread = threading.Thread(target=watch, name="usage")
    thread.start()
    try:
        yield usage
    finally:
        end.set()
        thread.join()


def _usage(tx: Tx) -> list[tuple[int, int, int]]:
    T = schema.tasks.c  # noqa: N806 - a table's columns
    charged = case((T.granted > T.in_use, T.granted), else_=T.in_use)
    draining = case((T.in_use > T.quota, T.in_use - T.quota), else_=0)
    query = select(func.sum(T.in_use), func.sum(charged), func.sum(draining)).group_by(T.pool_id)
    return [(int(row[0]), int(row[1]), int(row[2])) for row in tx.execute(query)]
