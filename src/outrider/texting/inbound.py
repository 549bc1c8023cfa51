"""What people text back: stop, start again, help. Stop words put the number on the do-not-contact list.

`runtime/text_news.py` calls it. A wish holds for every organization that texted the number lately, and for
all of them when none did (47 CFR 64.1200(a)(10): any reasonable way of saying it).
"""

import datetime as dt
from dataclasses import dataclass

from outrider.channels.model import InboundText
from outrider.channels.sms.keywords import Keyword, Meaning, may_mean_stop, meaning, reply
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db import log
from outrider.db.database import Tx
from outrider.events import TextReceived
from outrider.ids import OrganizationId
from outrider.licences import division_store
from outrider.texting import store

REMEMBERED = dt.timedelta(days=365)
"""How long an organization that texted a number is the one that an answer speaks to."""

LIST_NAME = "Opted out by text"
"""A list of its own, so that START takes back nothing but a STOP."""
SOURCE = "asked for it by text"
ACTOR = "the contact"
ANSWERED_ONCE_IN = dt.timedelta(hours=1)
"""A text that repeats the last one's wish within this time gets no answer: machines answer machines."""
REVIEW = "review"
"""The meaning of a text that may be a wish to be left alone in the person's own words: people should look."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A confirmation to be sent: to whom, from which of our numbers and over which connection."""

    address: str
    sender: str
    connection: str
    text: str


def take(tx: Tx, text: InboundText, now: dt.datetime) -> Reply | None:
    """Keep an inbound text and do what it asks for; return the confirmation to be sent, if any."""
    address = e164(text.sender)
    senders = store.last_senders(tx, address, now - REMEMBERED)
    languages = tuple(dict.fromkeys(sender.language for sender in senders))
    keyword = meaning(text.text, languages)
    understood = _understood(keyword, text.text, languages)
    repeated = understood == store.last_meaning(tx, address, text.recipient, text.at - ANSWERED_ONCE_IN)
    store.add_news(tx, text, understood)
    organizations = [OrganizationId(sender.organization_id) for sender in senders]
    concerned = organizations or sorted(division_store.organizations(tx).values())
    for organization_id in concerned:
        log.append(
            tx, now, TextReceived(organization_id=organization_id, address=address, meaning=understood)
        )
    if keyword is None:
        return None
    for organization_id in concerned:
        if keyword.meaning is Meaning.STOP:
            do_not_contact.opt_out(
                tx,
                now,
                organization_id=organization_id,
                list_name=LIST_NAME,
                addresses=[address],
                source=SOURCE,
                actor=ACTOR,
            )
        elif keyword.meaning is Meaning.START:
            do_not_contact.opt_in(
                tx, now, organization_id=organization_id, list_name=LIST_NAME, address=address, actor=ACTOR
            )
    if repeated:
        return None
    return Reply(
        address, text.recipient, text.connection, reply(keyword, _name(tx, organizations), text.recipient)
    )


def e164(number: str) -> str:
    """Return a number as the contacts have it; message centres often leave the plus out."""
    digits = number.strip()
    return (
        f"+{digits}" if digits.isascii() and digits.isdecimal() and len(digits) > MOST_SHORT_CODE else digits
    )


MOST_SHORT_CODE = 6
"""Digits of the longest short code, which has no country."""


def _understood(keyword: Keyword | None, text: str, languages: tuple[str, ...]) -> str:
    if keyword is not None:
        return keyword.meaning.value
    return REVIEW if may_mean_stop(text, languages) else ""


def _name(tx: Tx, organizations: list[OrganizationId]) -> str:
    """Return the name of the organization that speaks: the one that texted last."""
    names = {number: name for name, number in division_store.organizations(tx).items()}
    return names.get(organizations[0], "") if organizations else ""
