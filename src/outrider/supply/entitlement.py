"""Puts what is authorised in force: as far as connections carry it, divided over zones and organizations.

`supply/service.py` calls it after every poll, `supply/connections/service.py` after every change.
"""

import datetime as dt
from dataclasses import replace

from outrider.db.database import Tx
from outrider.licences import division, division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.supply import store
from outrider.supply.connections import store as connection_store
from outrider.supply.model import Supply
from outrider.supply.ports import TelephonyPorts, in_force, telephony_ports


def telephony(tx: Tx, supply: Supply | None = None) -> TelephonyPorts:
    """Return the telephony ports that are authorised and can be used now (licensing.md 7)."""
    authorised = (supply or store.current(tx)).authorised
    ports = authorised.get(LicenceKind.TELEPHONY_PORTS, 0)
    return telephony_ports(ports, connection_store.connections(tx))


def put_in_force(
    tx: Tx, rules: SharingRules, found: Supply, now: dt.datetime, *, cause: str, actor: str = ""
) -> Supply:
    """Divide what `found` authorises, recalculate the pools that it touches, and store and return it.

    The caller has called `division.lock` before it read what `found` was made from.
    """
    counts = in_force(found.authorised, telephony(tx, found))
    moved = counts != found.counts or found.last_changed_at is None
    found = replace(found, counts=counts, last_changed_at=now if moved else found.last_changed_at)
    store.save(tx, found)
    division_store.ensure_defaults(tx, now)
    division.apply(tx, rules, found.counts, now, cause=cause, actor=actor)
    return found


def divide_anew(tx: Tx, rules: SharingRules, now: dt.datetime, *, cause: str, actor: str) -> Supply:
    """Put what is known in force again, after connections changed."""
    division.lock(tx)
    requested = store.poll_requested_at(tx)
    found = put_in_force(tx, rules, store.current(tx), now, cause=cause, actor=actor)
    if requested is not None:
        store.request_poll(tx, requested)
    return found
