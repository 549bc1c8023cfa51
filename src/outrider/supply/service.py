"""The platform manager on the database: what a poll brought is judged, kept, divided and told of.

`runtime/platform.py` polls the licence server and calls `apply_poll`; pages, API and jobs read
(licensing.md 7).
"""

import datetime as dt
from dataclasses import replace

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError
from outrider.events import AlarmRaised, PlatformStateChanged
from outrider.licences import division
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.supply import alarm_store, entitlement, store
from outrider.supply.alarms import AlarmKind, alarms, days_left
from outrider.supply.effective_time import Elapsed, effective
from outrider.supply.model import Supply, SupplyState
from outrider.supply.platform_state import Outcome, PollRules, after_poll
from outrider.supply.server import files as server_files
from outrider.supply.server import service as licence_server
from outrider.supply.server.files import files

__all__ = [
    "apply_poll",
    "current",
    "figures",
    "files",
    "is_licensed",
    "load_file",
    "poll",
    "refusal",
    "refuse_elsewhere",
    "remove_file",
    "request_poll",
]

ALARMS_KEPT = dt.timedelta(days=400)
DEFAULT_RULES = PollRules()


def apply_poll(
    tx: Tx,
    rules: SharingRules,
    outcome: Outcome,
    now: dt.datetime,
    *,
    poll_rules: PollRules = DEFAULT_RULES,
    elapsed: Elapsed | None = None,
    cause: str = "poll",
    actor: str = "",
) -> Supply:
    """Judge what a poll brought at `now`, put what follows in force, and raise the alarms that are due.

    `outcome` is the licence server's answer, or the error that came instead. `elapsed` is what really passed
    since a reading of the clock, so that a clock that was set does not change how long grace is.
    Counts that changed are divided, and the pools that are touched recalculate.
    """
    division.lock(tx)
    before = store.current(tx)
    found = after_poll(before, outcome, now, poll_rules, elapsed)
    found = entitlement.put_in_force(tx, rules, found, now, cause=cause, actor=actor)
    if found.state is not before.state:
        event = PlatformStateChanged(
            before=before.state.value, after=found.state.value, message=found.message, actor=actor
        )
        log.append(tx, now, event)
    _raise_alarms(tx, found, now)
    return found


def load_file(
    tx: Tx, rules: SharingRules, text: str, public_key: str, host_id: str, now: dt.datetime, actor: str
) -> Supply:
    """Load a signed file into the embedded licence server, and put what it authorises in force at once.

    Raises what `server.files.load_file` does.
    """
    licence = server_files.load_file(tx, text, public_key, host_id, now, actor)
    return poll(tx, rules, host_id, now, cause=f"licence file {licence.id} loaded", actor=actor)


def remove_file(
    tx: Tx, rules: SharingRules, file_id: str, host_id: str, now: dt.datetime, actor: str
) -> Supply:
    """Remove a file from the embedded licence server on purpose. NotFoundError when there is none by that id.

    What other files authorise counts at once. Without any other, the last known values stay in force for
    the grace period (licensing.md 7).
    """
    server_files.remove_file(tx, file_id, now, actor)
    return poll(tx, rules, host_id, now, cause=f"licence file {file_id} removed", actor=actor)


def refuse_elsewhere(server_url: str) -> None:
    """Raise ConflictError when licences come from a licence server over the network, not from files here."""
    if server_url:
        raise ConflictError(
            f"this platform has its licences from the licence server {server_url}:"
            " load and remove files there"
        )


def poll(
    tx: Tx, rules: SharingRules, host_id: str, now: dt.datetime, *, cause: str = "poll", actor: str = ""
) -> Supply:
    """Ask the embedded licence server in the caller's transaction, and put what it says in force.

    A file that no longer verifies (another host, a damaged database) counts nothing; the message says why.
    """
    answer = licence_server.acquire_local(tx, host_id, now)
    return apply_poll(tx, rules, answer, now, cause=cause, actor=actor)


def current(tx: Tx) -> Supply:
    """Return what the last poll found."""
    return store.current(tx)


def request_poll(tx: Tx, now: dt.datetime) -> None:
    """Ask for a poll at once: whichever process polls does it within about a second."""
    store.request_poll(tx, now)


def is_licensed(supply: Supply) -> bool:
    """Return whether anything may start at all."""
    return supply.is_licensed


def refusal(tx: Tx) -> str:
    """Return why nothing may start: the platform has no valid licence; "" when it has."""
    found = store.current(tx)
    if found.is_licensed:
        return ""
    return f"the platform has no valid licence, so nothing starts: {found.message}"


def figures(tx: Tx, now: dt.datetime) -> dict[str, float]:
    """Return the platform's figures of the moment for Prometheus, by the names of their gauges.

    States are 1 or 0, `platform_days_left` counts to the end of grace or of the licence (-1: no licence).
    """
    found, ports = store.current(tx), entitlement.telephony(tx)
    left = days_left(found, effective(replace(found.known.clock, seen_at=now)))
    figures = {f"platform_state_{state}": float(state is found.state) for state in SupplyState}
    figures |= {
        "platform_licensed": float(found.is_licensed),
        "platform_days_left": -1.0 if left is None else left,
        "platform_missed_polls": float(found.known.missed_polls),
        "platform_alarms_undelivered": float(alarm_store.count_undelivered(tx)),
        "telephony_ports_usable": float(ports.usable),
        "telephony_ports_sip": float(ports.sip),
        "telephony_ports_h323": float(ports.h323),
    }
    return figures | {f"{kind}_authorised": float(found.authorised.get(kind, 0)) for kind in LicenceKind}


def _raise_alarms(tx: Tx, found: Supply, now: dt.datetime) -> None:
    failed, newest_event = store.failed_certificates(tx)
    at = effective(replace(found.known.clock, seen_at=now))
    due = alarms(found, at, alarm_store.last_sent(tx), failed)
    if newest_event and (not failed or any(each.kind is AlarmKind.CERTIFICATE for each in due)):
        store.note_events_seen(tx, newest_event)
    alarm_store.add(tx, due, now, at)
    if due:
        alarm_store.drop(tx, now - ALARMS_KEPT)
    for each in due:
        event = AlarmRaised(alarm=each.kind.value, severity=each.severity.value, message=each.message)
        log.append(tx, now, event)
