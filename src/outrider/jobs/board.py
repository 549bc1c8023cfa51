"""The read side of jobs: the live board in one answer, single jobs, and their charts.

The API, the pages and the board's event stream call it in read transactions. The whole board costs ten
statements, however many jobs there are.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.db.types import MICROSECOND
from outrider.errors import NotFoundError
from outrider.jobs import board_store, service, store
from outrider.jobs.model import Job, possible_commands
from outrider.jobs.views import (
    Board,
    Chart,
    JobPage,
    JobView,
    OutcomeCount,
    PoolKind,
    PoolView,
    SeatKind,
    Series,
    SupplyLine,
    TaskView,
)
from outrider.licences import division_store
from outrider.licences.cover import cover
from outrider.licences.division_store import PoolRow
from outrider.licences.model import (
    COUNTED_KINDS,
    NESTED_KINDS,
    UNSHARED_KINDS,
    LicenceKind,
    Standing,
    TaskState,
    task_kind,
)
from outrider.licences.need import need_of
from outrider.licences.service import SharingRules
from outrider.supply import service as supply

ENDED_SHOWN = dt.timedelta(hours=1)
"""How long the board shows a job that has ended, of the system's clock."""

MOST_JOBS = 1_000
CHART_POINTS = 600


def board(tx: Tx, rules: SharingRules, organization_id: int | None, now: dt.datetime) -> Board:
    """Return what the live board shows: supply, pools, and jobs that live or ended within the last hour."""
    event_id = log.latest_id(tx)
    found = store.jobs(tx, organization_id, ended_since=now - ENDED_SHOWN, limit=MOST_JOBS)
    return Board(
        at=now,
        event_id=event_id,
        supply=supply_line(tx),
        pools=pools(tx, organization_id),
        jobs=_views(tx, rules, found, now),
    )


def supply_line(tx: Tx) -> SupplyLine:
    """Return the state of the supply, without any count (those are the system's)."""
    found = supply.current(tx)
    return SupplyLine(
        state=found.state.value,
        version=found.version,
        last_poll_at=found.last_poll_at,
        last_success_at=found.last_success_at,
        last_changed_at=found.last_changed_at,
        grace_ends_at=found.grace_ends_at,
        message=found.message,
    )


def pools(tx: Tx, organization_id: int | None) -> tuple[PoolView, ...]:
    """Return the pools that a caller may see, by zone and organization, with counts, use and what is free."""
    rows = [row for row in division_store.pools(tx) if organization_id in (None, row.organization_id)]
    effective = division_store.effective(tx)
    use = board_store.pool_use(tx, [row.id for row in rows])
    use |= board_store.api_use(tx, [row.id for row in rows])
    return tuple(_pool(row, effective.get(row.id, {}), use) for row in rows)


def job(tx: Tx, rules: SharingRules, job_id: int, organization_id: int | None, now: dt.datetime) -> JobView:
    """Return one job with tasks and outcomes. NotFoundError when this caller can see none by that id."""
    return _views(tx, rules, [service.job(tx, job_id, organization_id)], now)[0]


def jobs(
    tx: Tx,
    rules: SharingRules,
    organization_id: int | None,
    now: dt.datetime,
    *,
    ended: bool | None,
    before: int | None,
    limit: int,
) -> JobPage:
    """Return up to `limit` jobs with tasks and outcomes, newest first, with ids below `before`."""
    found = store.jobs(tx, organization_id, ended=ended, before=before, limit=limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return JobPage(_views(tx, rules, found[:limit], now), following)


def task(tx: Tx, rules: SharingRules, task_id: int, now: dt.datetime) -> TaskView:
    """Return one task. NotFoundError when it does not exist; visibility was checked by the caller."""
    found = board_store.task_row(tx, task_id)
    if found is None:
        raise NotFoundError(f"there is no task {task_id}")
    return _task(*found, rules, now)


def job_chart(
    tx: Tx, job_id: int, organization_id: int | None, since: dt.datetime | None, now: dt.datetime
) -> Chart:
    """Return the samples of every task of a job since then (default: its start), thinned to 600 points."""
    found = service.job(tx, job_id, organization_id)
    begin = since or found.started_at or found.created_at
    tasks = store.tasks(tx, None, job_ids=[found.id])
    names = {int(each.id): (int(found.id), f"{each.action} in {each.zone_name}", each.kind) for each in tasks}
    end = min(now, found.ended_at + dt.timedelta(minutes=1)) if found.ended_at else now
    return _chart(tx, names, begin, max(begin, end), per_task=True)


def board_chart(
    tx: Tx, organization_id: int | None, kind: LicenceKind, since: dt.datetime, now: dt.datetime
) -> Chart:
    """Return the samples of one licence type per job of the board, thinned to 600 points."""
    found = store.jobs(tx, organization_id, ended_since=now - ENDED_SHOWN, limit=MOST_JOBS)
    tasks = store.tasks(tx, None, job_ids=[each.id for each in found])
    names = {
        int(each.id): (int(each.job_id), each.campaign_name, each.kind) for each in tasks if each.kind == kind
    }
    return _chart(tx, names, since, max(since, now), per_task=False)


def _views(tx: Tx, rules: SharingRules, found: Sequence[Job], now: dt.datetime) -> tuple[JobView, ...]:
    ids = [each.id for each in found]
    if not ids:
        return ()
    tasks: dict[int, list[TaskView]] = {}
    for row, state in board_store.task_rows(tx, ids):
        tasks.setdefault(row["job_id"], []).append(_task(row, state, rules, now))
    outcomes, dispositions = store.outcomes(tx, ids), store.dispositions(tx, ids)
    views = []
    for each in found:
        plain = {name: getattr(each, name) for name in Job.__dataclass_fields__}
        own = tuple(tasks.get(each.id, ()))
        view = JobView(
            **plain,
            organization_name=own[0].organization_name if own else "",
            commands=possible_commands(each.state),
            tasks=own,
            outcomes=_counts(outcomes.get(each.id, {})),
            dispositions=_counts(dispositions.get(each.id, {})),
        )
        views.append(view)
    return tuple(views)


def _counts(found: Mapping[str, tuple[int, int]]) -> dict[str, OutcomeCount]:
    return {name: OutcomeCount(attempts, final) for name, (attempts, final) in found.items()}


def _task(row: Row, state: TaskState, rules: SharingRules, now: dt.datetime) -> TaskView:
    return TaskView(
        id=row["id"],
        job_id=row["job_id"],
        campaign_name=row["campaign_name"],
        pool_id=row["pool_id"],
        zone_name=row["zone_name"],
        organization_name=row["organization_name"],
        action=row["action"],
        kind=state.kind,
        allocation=state.allocation,
        priority=state.priority,
        minimum=state.minimum,
        maximum=state.maximum,
        standing=state.standing,
        waiting=state.standing is Standing.WAITING,
        quota=state.quota,
        granted=state.granted,
        in_use=state.in_use,
        draining=state.draining,
        need=_need(state, now, rules),
        contacts_left=row["contacts_left"],
        bound=row["bound"],
        admitted_at=row["admitted_at"],
        last_attempt_at=row["last_attempt_at"],
    )


def _need(state: TaskState, now: dt.datetime, rules: SharingRules) -> int:
    if state.kind not in UNSHARED_KINDS:
        return need_of(state, now.timestamp(), rules.idle_after)
    if state.standing is Standing.OUT:
        return 0
    return max(
        state.in_use,
        min(state.maximum, state.maximum if state.contacts_left is None else state.contacts_left),
    )


def _pool(
    row: PoolRow, counts: dict[LicenceKind, int], use: dict[tuple[int, LicenceKind], tuple[int, int, int]]
) -> PoolView:
    kept = {kind: use.get((row.id, kind), (0, 0, 0))[2] for kind in COUNTED_KINDS}
    _, free = cover({kind: counts.get(kind, 0) for kind in COUNTED_KINDS}, kept)
    kinds = []
    for kind in LicenceKind:
        granted, in_use, _ = use.get((row.id, kind), (0, 0, 0))
        count = counts.get(kind, 0)
        if count or granted or in_use:
            kinds.append(PoolKind(kind, count, granted, in_use, free.get(kind, count)))
    return PoolView(
        id=row.id,
        zone_id=row.zone_id,
        zone=row.zone,
        organization_id=row.organization_id,
        organization=row.organization,
        policy=row.policy,
        kinds=tuple(kinds),
        seats=_seats({kind: use.get((row.id, kind), (0, 0, 0)) for kind in NESTED_KINDS}, counts),
    )


def _seats(
    use: Mapping[LicenceKind, tuple[int, int, int]], counts: Mapping[LicenceKind, int]
) -> tuple[SeatKind, ...]:
    """Return the seats of each agent kind that tasks have, with the licences that cover those in use."""
    covered, _ = cover(
        {kind: counts.get(kind, 0) for kind in NESTED_KINDS},
        {kind: in_use for kind, (_, in_use, _) in use.items()},
    )
    return tuple(
        SeatKind(kind, granted, in_use, covered.get(kind, {}))
        for kind, (granted, in_use, _) in use.items()
        if granted or in_use
    )


def _chart(
    tx: Tx,
    names: Mapping[int, tuple[int, str, str]],
    since: dt.datetime,
    until: dt.datetime,
    *,
    per_task: bool,
) -> Chart:
    # One point fewer: steps begin at multiples of their length, so that both ends may be partial.
    step = max(1, -(-((until - since) // MICROSECOND) // (CHART_POINTS - 1)))
    rows = board_store.samples(tx, sorted(names), since, until, step)
    times: dict[int, int] = {}
    for row in rows:
        times[row["at"] // step] = row["at"]
    places = {bucket: index for index, bucket in enumerate(sorted(times))}
    lines: dict[tuple[int, int | None], list[list[int | None]]] = {}
    for row in rows:
        key = (names[row["task_id"]][0], row["task_id"] if per_task else None)
        columns = lines.setdefault(key, [[None] * len(places) for _ in range(3)])
        place = places[row["at"] // step]
        for column, name in zip(columns, ("quota", "granted", "in_use"), strict=True):
            column[place] = (column[place] or 0) + row[name]
    about = {
        (job_id, task_id if per_task else None): (name, kind)
        for task_id, (job_id, name, kind) in names.items()
    }
    return Chart(
        since,
        until,
        tuple(times[bucket] / 1e6 for bucket in places),
        tuple(_series(key, about[key], lines[key]) for key in sorted(lines, key=_order)),
    )


def _order(key: tuple[int, int | None]) -> tuple[int, int]:
    return key[0], key[1] or 0


def _series(
    key: tuple[int, int | None], about: tuple[str, str], columns: Iterable[list[int | None]]
) -> Series:
    quota, granted, in_use = (tuple(column) for column in columns)
    return Series(key[0], key[1], about[0], task_kind(about[1]), quota, granted, in_use)
