"""Reads a finished run out of its system and makes the figures of the report.

`cli/demo.py` calls it while the program still runs; nothing is written.
"""

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Final

from phonenumbers import parse, region_code_for_country_code

from outrider.contacts import service as contacts
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import ImportFiles
from outrider.db.database import Tx
from outrider.demo import series, store
from outrider.demo.contact_files import ContactFile
from outrider.demo.figures import (
    ImportFigures,
    JobFigures,
    MailFigures,
    OutcomeFigures,
    PoolFigures,
    RunFigures,
    ServerFigures,
    SpeechFigures,
)
from outrider.demo.lending import Lending, lending
from outrider.demo.mail_sink import Behaviour, MailSink
from outrider.demo.series import Sample
from outrider.demo.system import System
from outrider.ids import JobId
from outrider.jobs import board
from outrider.jobs.views import JobView
from outrider.licences import history
from outrider.licences.explained import Recalculation
from outrider.licences.model import LicenceKind, Trigger
from outrider.media import service as media
from outrider.media.model import MediaServer
from outrider.runtime.store import drifts
from outrider.speech.overview import KindOverview, overview

COLUMNS: Final = 60
"""Of the charts."""

PAGE: Final = 500
QUOTED: Final = re.compile(r" '[^']*'")


def import_figures(tx: Tx, data_folder: Path, import_id: int, written: ContactFile) -> ImportFigures:
    """Return one import's figures, with the reasons of its rejects file and the numbers on its list."""
    found = imports.get_import(tx, organization_id=None, import_id=import_id)
    path = ImportFiles(data_folder, found.spool).rejects
    reasons: Counter[str] = Counter()
    if found.rows_rejected and path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            reasons.update(QUOTED.sub("", row["reason"]) for row in csv.DictReader(file))
    numbers = _numbers(tx, found.list_id)
    countries = Counter(region_code_for_country_code(parse(number).country_code or 0) for number in numbers)
    return ImportFigures(
        list_name=written.list_name,
        file_name=found.file_name,
        encoding=str(found.found.get("encoding", "")),
        delimiter=str(found.found.get("delimiter", "")),
        state=found.state.value,
        rows=found.rows_read,
        added=found.rows_added,
        duplicates=found.rows_duplicate,
        rejected=found.rows_rejected,
        rejects_path=str(path),
        reasons=dict(reasons.most_common()),
        countries=dict(countries.most_common()),
        wrong_numbers=len(numbers ^ written.numbers),
        written=written,
    )


def recalculations(tx: Tx, pool_id: int) -> list[Recalculation]:
    """Return the whole history of a pool, oldest first."""
    found: list[Recalculation] = []
    before: int | None = None
    while True:
        page = history.recalculations(tx, pool_id, None, before=before, limit=PAGE)
        found += page.items
        before = page.next
        if before is None:
            return found[::-1]


def run_figures(
    tx: Tx,
    system: System,
    ports: int,
    job_ids: Sequence[JobId],
    imported: Sequence[ImportFigures],
    sink: MailSink,
    seen: Mapping[str, Sequence[Sample]],
    about: Mapping[str, float],
) -> RunFigures:
    """Return everything, from one snapshot.

    `seen` are samples of media servers by name and of speech by kind; `about` gives seed, speed,
    real_seconds and setup_seconds.
    """
    now = system.clock.now()
    views = [board.job(tx, system.rules, job_id, None, now) for job_id in job_ids]
    begin = min(view.started_at or now for view in views)
    end = max(view.ended_at or now for view in views)
    records = recalculations(tx, views[0].tasks[0].pool_id)
    accounts = lending(records, end)
    taken = store.samples(tx, [view.tasks[0].id for view in views])
    for view in views:
        taken[view.tasks[0].id].append(Sample(view.ended_at or now, 0, 0, 0))
    jobs = [_job(view, taken[view.tasks[0].id], accounts, begin, end) for view in views]
    calls = [view for view in views if view.tasks[0].kind is LicenceKind.OUTBOUND_PORTS]
    ours = {str(view.tasks[0].id) for view in calls}
    return RunFigures(
        seed=int(about["seed"]),
        speed=about["speed"],
        real_seconds=about["real_seconds"],
        setup_seconds=about["setup_seconds"],
        simulated_seconds=(end - begin).total_seconds(),
        imports=tuple(imported),
        jobs=tuple(jobs),
        pool=_pool(ports, calls, taken, begin, end),
        mail=_mail(views, sink),
        recalculations=dict(Counter(record.trigger.value for record in records)),
        moves=tuple(
            move for record in records if record.trigger in _LENDING if (move := _move(record, begin, ours))
        ),
        alarms=sum(bool(record.violations) for record in records),
        drifts=tuple(drifts(tx)),
        servers=tuple(
            _server(each, store.calls_of(tx, each.id), seen.get(each.name, ()), begin, end)
            for each in media.servers(tx)
        ),
        speech=tuple(
            _speech(each, seen.get(each.kind, ()), begin, end) for each in overview(tx).kinds if each.licensed
        ),
    )


_LENDING: Final = (Trigger.IDLE, Trigger.RETURN)


def _numbers(tx: Tx, list_id: int) -> frozenset[str]:
    numbers: list[str] = []
    after = 0
    while page := contacts.contacts_page(tx, organization_id=None, list_id=list_id, after=after, limit=PAGE):
        numbers += [contact.phone for contact in page if contact.phone is not None]
        after = page[-1].id
    return frozenset(numbers)


def _job(
    view: JobView,
    samples: Sequence[Sample],
    accounts: Mapping[str, Lending],
    begin: dt.datetime,
    end: dt.datetime,
) -> JobFigures:
    task = view.tasks[0]
    started = view.started_at or begin
    ended = view.ended_at or end
    seconds = max((ended - started).total_seconds(), 1e-6)
    return JobFigures(
        job_id=view.id,
        task_id=task.id,
        name=view.campaign_name,
        kind=task.kind.value,
        allocation=task.allocation.value,
        priority=task.priority,
        minimum=task.minimum,
        maximum=task.maximum,
        state=view.state.value,
        end_reason=view.end_reason,
        contacts=view.targets,
        done=view.targets_done,
        outcomes={name: OutcomeFigures(count.attempts, count.final) for name, count in view.outcomes.items()},
        seconds=seconds,
        started_after=(started - begin).total_seconds(),
        mean_in_use=series.area(samples, lambda each: each.in_use, ended) / seconds,
        mean_granted=series.area(samples, lambda each: each.granted, ended) / seconds,
        most_in_use=max(each.in_use for each in samples),
        seconds_at_maximum=series.area(samples, lambda each: each.granted == task.maximum, ended),
        lending=accounts.get(str(task.id), Lending()),
        quota_over_time=series.columns(samples, lambda each: each.quota, begin, end, COLUMNS),
        in_use_over_time=series.columns(samples, lambda each: each.in_use, begin, end, COLUMNS),
    )


def _server(
    server: MediaServer, calls: int, samples: Sequence[Sample], begin: dt.datetime, end: dt.datetime
) -> ServerFigures:
    seconds = max((end - begin).total_seconds(), 1e-6)
    return ServerFigures(
        name=server.name,
        version=server.version,
        quota=server.quota,
        calls=calls,
        most_in_use=max((each.in_use for each in samples), default=0),
        mean_in_use=series.area(samples, lambda each: each.in_use, end) / seconds,
        most_above=max((each.in_use - each.quota for each in samples), default=0),
        quota_over_time=series.columns(samples, lambda each: each.quota, begin, end, COLUMNS),
        in_use_over_time=series.columns(samples, lambda each: each.in_use, begin, end, COLUMNS),
    )


def _speech(
    kind: KindOverview, samples: Sequence[Sample], begin: dt.datetime, end: dt.datetime
) -> SpeechFigures:
    seconds = max((end - begin).total_seconds(), 1e-6)
    return SpeechFigures(
        kind=kind.kind.value,
        licensed=kind.licensed,
        refused=sum(each.refused for each in kind.servers),
        most_in_use=max((each.in_use for each in samples), default=0),
        mean_in_use=series.area(samples, lambda each: each.in_use, end) / seconds,
        in_use_over_time=series.columns(samples, lambda each: each.in_use, begin, end, COLUMNS),
    )


def _pool(
    ports: int,
    calls: Sequence[JobView],
    taken: Mapping[int, Sequence[Sample]],
    begin: dt.datetime,
    end: dt.datetime,
) -> PoolFigures:
    tasks = [taken[view.tasks[0].id] for view in calls]
    ends = sorted(view.ended_at or samples[-1].at for view, samples in zip(calls, tasks, strict=True))
    contested = ends[-2]
    sums = series.total(tasks)
    held = series.total(
        [[Sample(each.at, 0, max(each.granted, each.in_use), 0) for each in samples] for samples in tasks]
    )
    early = [each for each in sums if each.at < contested]

    def mean(samples: Sequence[Sample], name: str, until: dt.datetime) -> float:
        seconds = max((until - begin).total_seconds(), 1e-6)
        return series.area(samples, lambda each: float(getattr(each, name)), until) / seconds

    return PoolFigures(
        ports=ports,
        most_granted=max(each.granted for each in sums),
        most_in_use=max(each.in_use for each in sums),
        most_held=max(each.granted for each in held),
        mean_granted=mean(sums, "granted", ends[-1]),
        mean_in_use=mean(sums, "in_use", ends[-1]),
        mean_while_contested=(mean(early, "granted", contested), mean(early, "in_use", contested)),
        in_use_over_time=series.columns(sums, lambda each: each.in_use, begin, end, COLUMNS),
    )


def _mail(views: Sequence[JobView], sink: MailSink) -> MailFigures:
    mails: Counter[str] = Counter()
    for view in views:
        if view.tasks[0].kind is LicenceKind.EMAIL:
            mails.update({name: count.attempts for name, count in view.outcomes.items()})
    return MailFigures(
        delivered=mails["delivered"],
        hard_bounces=mails["hard_bounce"],
        soft_bounces=mails["soft_bounce"],
        failed=mails["failed"],
        server_accepted=sink.counts["accepted"],
        server_no_mailbox=sink.counts[Behaviour.NO_MAILBOX],
        server_refused_for_now=sink.counts[Behaviour.FULL] + sink.counts["greylisted"],
        server_refused_by_policy=sink.counts[Behaviour.POLICY],
    )


def _move(record: Recalculation, begin: dt.datetime, ours: Container[str]) -> str:
    """Tell one idle or return recalculation in a line: when, and how quotas moved, its cause's first.

    Only tasks of `ours` are told; "" when none of them moved (agents who come or leave move seats).
    """
    minutes, seconds = divmod(int((record.at - begin).total_seconds()), 60)
    cause = None if record.task is None else str(record.task.task_id)
    changes = []
    for task, before in sorted(record.before.items(), key=lambda item: item[0] != cause):
        after = record.after.get(task)
        if task in ours and after is not None and after.quota != before.quota:
            name = record.names.get(task, task).split(" / ")[0]
            changes.append(f"{name} {before.quota} > {after.quota}")
    return f"{minutes:>3}:{seconds:02} {record.trigger.value:<6} {', '.join(changes)}" if changes else ""
