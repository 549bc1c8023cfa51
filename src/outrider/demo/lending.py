"""Who lent how many licences to whom, read from the history of recalculations. Pure.

`figures` calls it for the report, `progress` for the moment. The words, exactly:

- A task **donates** what an `idle` recalculation takes from its quota, and another **borrows** what the same
  recalculation adds to its own (licensing.md 5).
- A loan ends as quotas move back: what a donor gains later is given back, what a borrower loses later is paid
  back, whatever the trigger. A task that stops has no loans, and never more is borrowed than donated.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from outrider.licences.explained import Recalculation
from outrider.licences.model import Standing, Trigger


@dataclass(slots=True)
class Lending:
    """One task's account: units now and in all, and unit-seconds (units times the system's seconds)."""

    donating: int = 0
    borrowing: int = 0
    donations: int = 0
    """How many `idle` recalculations took units from it."""
    donated: int = 0
    returned: int = 0
    """Units that it got back by `return`: by needing them again."""
    borrowed: int = 0
    donated_seconds: float = 0.0
    borrowed_seconds: float = 0.0


def lending(history: Iterable[Recalculation], until: dt.datetime) -> dict[str, Lending]:
    """Return the account of every task (by id as text) in one pool's `history`, oldest record first."""
    accounts: dict[str, Lending] = {}
    last: dt.datetime | None = None
    for record in history:
        _pass_time(accounts, 0.0 if last is None else (record.at - last).total_seconds())
        last = record.at
        for task in sorted(record.before.keys() | record.after.keys()):
            _move(accounts.setdefault(task, Lending()), record, task)
        _end_what_nobody_lends(accounts)
    if last is not None:
        _pass_time(accounts, max(0.0, (until - last).total_seconds()))
    return accounts


def _pass_time(accounts: Mapping[str, Lending], seconds: float) -> None:
    for account in accounts.values():
        account.donated_seconds += account.donating * seconds
        account.borrowed_seconds += account.borrowing * seconds


def _move(account: Lending, record: Recalculation, task: str) -> None:
    """Enter what one recalculation did to one task."""
    after = record.after.get(task)
    if after is None or after.standing is Standing.OUT:
        account.donating = account.borrowing = 0
        return
    before = record.before.get(task)
    change = after.quota - (after.quota if before is None else before.quota)
    idle = record.trigger is Trigger.IDLE
    if change < 0:
        paid_back = min(account.borrowing, -change)
        account.borrowing -= paid_back
        given = -change - paid_back
        if idle and given:
            account.donating += given
            account.donated += given
            account.donations += 1
    elif change > 0:
        got_back = min(account.donating, change)
        account.donating -= got_back
        if record.trigger is Trigger.RETURN:
            account.returned += got_back
        if idle:
            account.borrowing += change - got_back
            account.borrowed += change - got_back


def _end_what_nobody_lends(accounts: Mapping[str, Lending]) -> None:
    """A borrower keeps what its donor no longer asks for: then it is its own."""
    excess = sum(account.borrowing - account.donating for account in accounts.values())
    for _, account in sorted(accounts.items(), key=lambda item: (-item[1].borrowing, item[0])):
        owned = max(0, min(excess, account.borrowing))
        account.borrowing -= owned
        excess -= owned
