"""Who is logged in and what everybody does: the supervisor's view, read from rows.

`agents/api.py` and the pages call it. What the floor decided in the last 50 ms may be missing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.agents import sessions_store as store
from outrider.agents.model import AgentState, Attachment, NailUp
from outrider.db.database import Row, Tx
from outrider.licences import division_store
from outrider.licences.cover import cover
from outrider.licences.model import NESTED_KINDS, LicenceKind


@dataclass(frozen=True, slots=True)
class LiveAgent:
    """One open session. `since` is when the state began, `seconds` for how long it has lasted.

    `seat` is the kind of task that it has a seat of, and `covered_by` the licence type that covers it: that
    is accounting, done anew at every look, since licences of dearer types stand in (licensing.md 4.4).
    `waits_for` says what a pending move or detachment waits for, or why there is no seat.
    """

    session_id: int
    agent_id: int
    agent: str
    display_name: str
    organization_id: int
    pool_id: int
    zone: str
    api: bool
    started_at: dt.datetime
    state: AgentState
    reason: str
    since: dt.datetime
    seconds: float
    deadline: dt.datetime | None
    nail_up: NailUp
    attachment: Attachment
    waits_for: str
    task_id: int | None
    next_task: int | None
    job_id: int | None
    campaign: str
    action: str
    seat: LicenceKind | None
    covered_by: LicenceKind | None
    attempt_id: str | None


def live(tx: Tx, organization_id: int | None, now: dt.datetime) -> list[LiveAgent]:
    """Return every open session that the caller can see, by agent's name."""
    rows = store.live(tx, organization_id)
    counts = division_store.effective(tx)
    covered: dict[int, LicenceKind] = {}
    for pool_id in sorted({row["pool_id"] for row in rows}):
        seated = [row for row in rows if row["pool_id"] == pool_id and row["kind"] is not None]
        covered |= _covered(seated, counts.get(pool_id, {}))
    return [_live(row, covered.get(row["id"]), now) for row in rows]


def _covered(rows: Sequence[Row], counts: Mapping[LicenceKind, int]) -> dict[int, LicenceKind]:
    """Return the licence type that covers each seat, older sessions first; none after a cut."""
    units = Counter(LicenceKind(row["kind"]) for row in rows)
    rest, _ = cover({kind: counts.get(kind, 0) for kind in NESTED_KINDS}, units)
    found = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        left = rest.get(LicenceKind(row["kind"]), {})
        licence = next((each for each, count in left.items() if count), None)
        if licence is not None:
            left[licence] -= 1
            found[row["id"]] = licence
    return found


def _live(row: Row, covered_by: LicenceKind | None, now: dt.datetime) -> LiveAgent:
    engagement = row["engagement"]
    return LiveAgent(
        session_id=row["id"],
        agent_id=row["agent_id"],
        agent=row["name"],
        display_name=row["display_name"],
        organization_id=row["organization_id"],
        pool_id=row["pool_id"],
        zone=row["zone"],
        api=row["api"],
        started_at=row["started_at"],
        state=AgentState(row["state"]),
        reason=row["reason"],
        since=row["since"],
        seconds=max(0.0, (now - row["since"]).total_seconds()),
        deadline=row["deadline"],
        nail_up=NailUp(row["nail_up"]),
        attachment=Attachment(row["attachment"]),
        waits_for=row["pending_why"],
        task_id=row["task_id"],
        next_task=row["next_task"],
        job_id=row["job_id"],
        campaign=row["campaign"] or "",
        action=row["action"] or "",
        seat=None if row["kind"] is None else LicenceKind(row["kind"]),
        covered_by=covered_by,
        attempt_id=None if engagement is None else engagement["attempt_id"],
    )
