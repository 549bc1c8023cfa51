"""Bounces and complaints that come after a mail server took a mail. The bounce listener's sink calls it.

A contact that waits for its mail's fate moves on; an address that is bad for good, or whose owner complained,
goes on the organization's do-not-contact list, so that no campaign mails it again.
"""

import datetime as dt

from outrider.campaigns.outcome import Outcome
from outrider.channels.email.news import MailBounced, MailNews
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db.database import Tx
from outrider.dialing import receipts, store
from outrider.errors import ConflictError, NotFoundError
from outrider.licences.service import SharingRules

BOUNCED, COMPLAINED = "Bounced", "Complained"
MAIL_SYSTEM = "the mail system"


def take(tx: Tx, rules: SharingRules, news: MailNews, now: dt.datetime) -> None:
    """Take one bounce or complaint; repeating it changes nothing. NotFoundError for a mail that is not ours.

    ConflictError for a bounce that was faster than the result of its mail: it is to be told again later.
    """
    row = store.awaited(tx, news.message_id)
    task = None if row is None else store.task_row(tx, row["task_id"])
    if row is None or task is None:
        raise NotFoundError(f"there is no message {news.message_id}")
    list_name = COMPLAINED
    if isinstance(news, MailBounced):
        if row["outcome"] is None:
            raise ConflictError(
                f"message {news.message_id} is still being sent: report its bounce again later"
            )
        outcome = Outcome.HARD_BOUNCE if news.permanent else Outcome.SOFT_BOUNCE
        receipts.settle(tx, rules, news.message_id, outcome, f"{news.status} {news.detail}".strip(), now)
        if not news.permanent:
            return
        list_name = BOUNCED
    do_not_contact.opt_out(
        tx,
        now,
        organization_id=task["organization_id"],
        list_name=list_name,
        addresses=[row["address"]],
        source=news.detail or list_name,
        actor=MAIL_SYSTEM,
    )
