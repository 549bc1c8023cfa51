"""Numbers that agents dial by hand: whose they are, and a contact for those that are nobody's yet.

`dialing/agent_claims.py` calls it in the transaction of the claim.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from outrider.contacts import service, store
from outrider.db import turns
from outrider.db.database import Tx
from outrider.ids import ContactId

LIST_NAME: Final = "Dialed by hand"
THE_SYSTEM: Final = ""


def find(tx: Tx, organization_id: int, list_ids: Sequence[int], number: str) -> ContactId | None:
    """Return the contact with this main number (E.164): of these lists, else one dialed by hand before."""
    found = store.contact_with_number(tx, list_ids, number)
    made = None if found is not None else store.find_list_by_name(tx, organization_id, LIST_NAME)
    if made is not None:
        found = store.contact_with_number(tx, [made.id], number)
    return None if found is None else ContactId(found)


def add(
    tx: Tx, now: dt.datetime, *, organization_id: int, zone_id: int, number: str, country: str
) -> ContactId:
    """Return the contact of a number in the organization's list "Dialed by hand", made where missing.

    `country` is the list's default country if it is made now. A list that somebody made by that name is used.
    """
    turns.take(tx, f"dialed by hand in {organization_id}")
    made = service.find_list(tx, organization_id=organization_id, name=LIST_NAME)
    if made is None:
        made = service.create_list(
            tx,
            now,
            organization_id=organization_id,
            actor=THE_SYSTEM,
            name=LIST_NAME,
            default_country=country,
            zone_id=zone_id,
        )
    known = store.contact_with_number(tx, [made.id], number)
    return ContactId(known if known is not None else store.add_contact(tx, made.id, number))
