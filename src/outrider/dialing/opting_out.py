"""People who want no more of this, said in a call: onto their organization's do-not-contact list.

Results (a key that was pressed) and wrap-ups (a completion code) call it in their transactions.
"""

import datetime as dt
from typing import Final

from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db.database import Tx
from outrider.dialing.attempt import TaskPlan

LIST_NAME: Final = "Opted out"
BY_KEY: Final = "asked for it in a call"
BY_AGENT: Final = "told an agent"
THE_CONTACT: Final = "the contact"


def opt_out(tx: Tx, plan: TaskPlan, address: str, source: str, now: dt.datetime) -> None:
    """Put an address on the organization's list of those who opted out; `source` says where it was told."""
    do_not_contact.opt_out(
        tx,
        now,
        organization_id=plan.organization_id,
        list_name=LIST_NAME,
        addresses=[address],
        source=source,
        actor=THE_CONTACT,
    )
