"""What contacts and addresses have been through lately, for the limits of a strategy (rules of contact).

`sorting.py` asks it for a batch of targets at once. Only attempts of the organization are seen.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel
from outrider.db.database import Row, Tx
from outrider.dialing import history_store as store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.restrictions import HistoryNeeded, PastAttempt
from outrider.licences.model import NESTED_KINDS, LicenceKind, OpenKind, TaskKind, task_kind

CHANNELS: Mapping[TaskKind, Channel] = {
    LicenceKind.OUTBOUND_PORTS: Channel.CALL,
    LicenceKind.EMAIL: Channel.EMAIL,
    LicenceKind.SMS: Channel.SMS,
    OpenKind.WEBHOOK: Channel.WEBHOOK,
    **dict.fromkeys(NESTED_KINDS, Channel.CALL),
}


@dataclass(frozen=True, slots=True)
class History:
    """Past attempts by contact and by address; attempts of the same batch are added as they are claimed."""

    by_contact: dict[int, list[PastAttempt]] = field(default_factory=lambda: defaultdict(list))
    by_address: dict[str, list[PastAttempt]] = field(default_factory=lambda: defaultdict(list))

    def of(self, contact_id: int, address: str) -> Sequence[PastAttempt]:
        """Return what a limit on this contact or this address may count, each attempt once."""
        found = dict.fromkeys(self.by_contact.get(contact_id, ()))
        found |= dict.fromkeys(self.by_address.get(address, ()))
        return list(found)

    def add(self, attempt: PastAttempt) -> None:
        """Count one more attempt."""
        self.by_contact[attempt.contact_id].append(attempt)
        self.by_address[attempt.address].append(attempt)


def history(
    tx: Tx,
    plan: TaskPlan,
    needed: HistoryNeeded,
    contact_ids: Sequence[int],
    addresses: Sequence[str],
    now: dt.datetime,
) -> History:
    """Return the attempts that the limits look at, of these contacts and to these addresses."""
    since = now - dt.timedelta(seconds=needed.period)
    campaign = None if needed.organization else plan.campaign_id
    rows: list[Row] = []
    if needed.by_contact:
        rows += store.attempts_of_contacts(tx, plan.organization_id, campaign, contact_ids, since)
    if needed.by_address:
        rows += store.attempts_to(tx, plan.organization_id, campaign, addresses, since)
    found = History()
    for row in {row["id"]: row for row in rows}.values():
        found.add(
            PastAttempt(
                row["claimed_at"],
                CHANNELS[task_kind(row["kind"])],
                row["campaign_id"],
                row["contact_id"],
                row["address"],
                None if row["outcome"] is None else Outcome(row["outcome"]),
            )
        )
    return found
