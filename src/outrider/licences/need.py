"""What a task could use now, when it is quiet, and when that alone calls for a recalculation.

Pure rules over frozen task states (licensing.md 3 and 5), used by replay and by the database service
alike. Times are seconds on the caller's axis.
"""

from collections.abc import Iterable, Sequence

from outrider.licences.model import (
    NESTED_KINDS,
    Allocation,
    LicenceKind,
    Standing,
    TaskShare,
    TaskState,
    shared_kind,
)

IDLE_AFTER: float = 60
"""Seconds without a call attempt after which a dynamic outbound-port task is quiet (3)."""


def quiet_at(state: TaskState, idle_after: float = IDLE_AFTER) -> float | None:
    """Return the time from which `state` is quiet unless it attempts a call, None when it never is (3)."""
    if (
        state.allocation is Allocation.RESERVED
        or state.kind is not LicenceKind.OUTBOUND_PORTS
        or state.standing is not Standing.ADMITTED
    ):
        return None
    attempt, admission = state.last_attempt_at, state.admitted_at
    if admission is None or (attempt is not None and attempt > admission):
        return None if attempt is None else attempt + idle_after
    return admission + idle_after


def is_quiet(state: TaskState, now: float, idle_after: float = IDLE_AFTER) -> bool:
    """Say whether `state` has made no call attempt for `idle_after` seconds (3)."""
    since = quiet_at(state, idle_after)
    return since is not None and now >= since


def need_of(state: TaskState, now: float, idle_after: float = IDLE_AFTER) -> int:
    """Return the units `state` could use now, 0 or more; none when it is paused or stopped (3)."""
    if state.standing is Standing.OUT:
        return 0
    if state.kind is not LicenceKind.OUTBOUND_PORTS:
        # Reserved or not: a seat that no agent asks for would keep an agent from another job.
        return min(state.maximum, state.asking)
    if state.allocation is Allocation.RESERVED:
        return state.maximum
    if is_quiet(state, now, idle_after):
        return max(state.minimum, state.in_use)
    if state.contacts_left is None:
        return max(state.maximum, state.in_use)
    return max(state.in_use, min(state.maximum, state.contacts_left))


def as_share(state: TaskState, now: float, idle_after: float = IDLE_AFTER) -> TaskShare:
    """Return `state` as a task of a sharing problem at `now`; its quota is what it held (4.3)."""
    return TaskShare(
        id=state.id,
        kind=shared_kind(state.kind),
        minimum=state.minimum,
        maximum=state.maximum,
        priority=state.priority,
        need=need_of(state, now, idle_after),
        held=state.quota,
        running=state.standing is Standing.ADMITTED,
        started=state.started,
        allocation=state.allocation,
    )


def right_now(state: TaskState, need: int) -> int:
    """Return the units a competing task may claim before all needs, given its need (3 and 4.1)."""
    return min(state.minimum, need) if state.kind in NESTED_KINDS else state.minimum


def next_quiet_at(states: Iterable[TaskState], after: float, idle_after: float = IDLE_AFTER) -> float | None:
    """Return the next time after `after` at which some task becomes quiet, None when none will."""
    times = [time for state in states if (time := quiet_at(state, idle_after)) is not None and time > after]
    return min(times, default=None)


def idle_due(states: Sequence[TaskState], now: float, idle_after: float = IDLE_AFTER) -> str | None:
    """Return the quiet task that should donate now, None when nobody has or nobody needs licences (5).

    A quiet task with quota > max(minimum, in use) is due while another task of its kind is admitted with
    quota < need, or waits. Of several the one that fell quiet first is named, then the least
    important (lowest priority), then by age and id.
    """
    donors = [
        state
        for state in states
        if is_quiet(state, now, idle_after) and state.quota > max(state.minimum, state.in_use)
    ]
    if not donors or not any(_wants_more(state, now, idle_after) for state in states):
        return None
    first = min(
        donors, key=lambda state: (quiet_at(state, idle_after), state.priority, state.started, state.id)
    )
    return first.id


def wants_return(state: TaskState, now: float, idle_after: float = IDLE_AFTER) -> bool:
    """Say whether a call attempt of `state` at `now` asks for licences back: quiet, quota < maximum (5)."""
    return is_quiet(state, now, idle_after) and state.quota < state.maximum


def next_hold_end(states: Iterable[TaskState], after: float) -> float | None:
    """Return the next time after `after` at which a minimum hold ends, None when none will (5)."""
    times = [state.raised_until for state in states if state.raised_until is not None]
    return min((time for time in times if time > after), default=None)


def deferred_return(states: Sequence[TaskState], now: float, idle_after: float = IDLE_AFTER) -> str | None:
    """Return the task whose return waited for a minimum hold that has ended by `now`, None otherwise (5).

    A hold can leave a dynamic task that asks below its need; when the hold ends its return is due. Of
    several the first by priority, age, id is named.
    """
    if not any(state.raised_until is not None and state.raised_until <= now for state in states):
        return None
    asking = [
        state
        for state in states
        if state.allocation is Allocation.DYNAMIC
        and state.standing is Standing.ADMITTED
        and _wants_more(state, now, idle_after)
    ]
    first = min(asking, key=lambda state: (-state.priority, state.started, state.id), default=None)
    return None if first is None else first.id


def _wants_more(state: TaskState, now: float, idle_after: float) -> bool:
    """Say whether an outbound-port task waits, or is admitted with less than it could use."""
    if state.kind is not LicenceKind.OUTBOUND_PORTS or state.standing is Standing.OUT:
        return False
    need = min(state.maximum, need_of(state, now, idle_after))
    return state.standing is Standing.WAITING or state.quota < need
