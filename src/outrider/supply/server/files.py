"""Licence files of the server: loaded, removed, given up for another host, and what they authorise now.

The platform's service, the command line and the lease service call these in their transactions
(licensing.md 7). Files are verified again every time: what no longer verifies counts nothing.
"""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, LicenceFileError, NotFoundError
from outrider.events import RecordChanged
from outrider.supply import file as licence_file
from outrider.supply.claims import ANY_HOST, LicenceFile, Refusal, check_use, refusal
from outrider.supply.server import file_store as store
from outrider.supply.server.entitlement import (
    Entitlement,
    JudgedFile,
    StoredFile,
    Withdrawal,
    add_up,
    withdrawals_of,
)

LONGEST_ID, LONGEST_VERSION = 80, 32
"""Characters that the columns hold."""

CLOCK_STEP = dt.timedelta(minutes=1)
"""How often the latest time is noted: what a clock that is set back can gain at most."""


def load_file(tx: Tx, text: str, public_key: str, host_id: str, now: dt.datetime, actor: str) -> LicenceFile:
    """Verify a signed file for this host and keep it; it counts at once. Return what it says.

    Several files add up; one by the same id supersedes the older, unless it was issued earlier. A file that
    names others in `supersedes` withdraws them for good, and is let in for that alone when it is for another
    host and replaces a file of this one. LicenceFileError says why one is refused.
    """
    judged_at = judged_time(tx, now)
    licence = licence_file.read(text, public_key)
    _check_lengths(licence)
    if licence.host_id not in {ANY_HOST, host_id} and _replaces_ours(tx, licence):
        _withdraw(tx, withdrawals_of(licence, now), now, actor)
        return licence
    # A file issued later than all before it proves that a clock which once ran ahead is right again.
    newest = store.newest_issue(tx)
    is_news = (newest is None or licence.issued_at > newest) and licence.issued_at <= now
    check_use(licence, host_id, now if is_news else judged_at)
    _check_newer(tx, licence, now)
    store.save_file(tx, StoredFile(licence.id, text.strip(), public_key, now))
    _record(tx, now, "loaded", licence.id, actor)
    _withdraw(tx, withdrawals_of(licence, now), now, actor)
    if is_news:
        store.note_issue(tx, now, licence.issued_at)
    return licence


def remove_file(tx: Tx, file_id: str, now: dt.datetime, actor: str) -> None:
    """Forget a file on purpose; its counts are gone at once. NotFoundError when there is none by that id."""
    if not store.delete_file(tx, file_id):
        raise NotFoundError(f"there is no licence file {file_id!r}")
    _record(tx, now, "removed", file_id, actor)


def give_up(
    tx: Tx, file_id: str, new_host_id: str, effective_at: dt.datetime, now: dt.datetime, actor: str
) -> tuple[LicenceFile, Withdrawal]:
    """Note that a file counts here until `effective_at` only, as it moves to another host.

    Return the file and until when it counts; repeating that for the same host changes nothing. It cannot be
    taken back here: only a file that was issued later counts again. NotFoundError when there is none by that
    id; ConflictError when it moves elsewhere, was replaced, or is bound to no host.
    """
    store.lock(tx, now)
    found = next((each for each in judged(tx) if each.stored.file_id == file_id), None)
    if found is None:
        raise NotFoundError(f"there is no licence file {file_id!r}")
    if found.licence is None:
        raise ConflictError(f"licence file {file_id} cannot move: {found.problem}")
    if found.withdrawal is not None:
        if found.withdrawal.new_host_id == new_host_id and not found.withdrawal.replaced_by:
            return found.licence, found.withdrawal
        raise ConflictError(f"licence file {file_id} cannot move: {found.withdrawal.sentence()}")
    if found.licence.host_id == ANY_HOST:
        raise ConflictError(f"licence file {file_id} is for any host: copy it, and remove it here")
    withdrawal = Withdrawal(file_id, effective_at, now, new_host_id=new_host_id)
    _withdraw(tx, [withdrawal], now, actor)
    return found.licence, withdrawal


def judged(tx: Tx) -> list[JudgedFile]:
    """Return the loaded files with what they say, or the reason why they are not believed now."""
    withdrawn = store.withdrawals(tx)
    found = []
    for stored in store.files(tx):
        said = _read(stored.text, stored.public_key)
        if isinstance(said, str):
            found.append(JudgedFile(stored, None, said))
            continue
        withdrawal = withdrawn.get(said.id)
        applies = withdrawal is not None and withdrawal.applies_to(said)
        found.append(JudgedFile(stored, said, withdrawal=withdrawal if applies else None))
    return found


def files(tx: Tx) -> list[tuple[LicenceFile | None, StoredFile, str]]:
    """Return the loaded files with what they say, and what is wrong with them now (nothing: "")."""
    return [
        (each.licence, each.stored, each.problem or (each.withdrawal.sentence() if each.withdrawal else ""))
        for each in judged(tx)
    ]


def authorised(tx: Tx, host_id: str, now: dt.datetime) -> Entitlement:
    """Return what the loaded files authorise on this host at `now`, by feature, with a message.

    A clock that was set back does not make an expired file valid: the latest time that was noted counts,
    until a file is loaded that was issued since.
    """
    latest = store.latest_time(tx)
    return add_up(judged(tx), host_id, now if latest is None else max(now, latest))


def judged_time(tx: Tx, now: dt.datetime) -> dt.datetime:
    """Take the server's lock, note the time, and return the one to judge files by: never an earlier one."""
    latest = store.lock(tx, now)
    if now >= latest + CLOCK_STEP:
        store.note_time(tx, now)
    return max(now, latest)


@lru_cache(maxsize=256)
def _read(text: str, public_key: str) -> LicenceFile | str:
    """Verify and read one file; the same text and key always give the same answer."""
    try:
        return licence_file.read(text, public_key)
    except LicenceFileError as error:
        return error.message


def _check_lengths(licence: LicenceFile) -> None:
    if max(map(len, (licence.id, *licence.supersedes))) > LONGEST_ID or (
        len(licence.platform_version) > LONGEST_VERSION
    ):
        raise LicenceFileError(
            f"the licence file's id has more than {LONGEST_ID} characters, or its platform version more than "
            f"{LONGEST_VERSION}: ask the issuer for one with shorter names",
            reason=Refusal.BAD_CLAIM.value,
        )


def _check_newer(tx: Tx, licence: LicenceFile, now: dt.datetime) -> None:
    """LicenceFileError when this very file was withdrawn, or a later one by its id is loaded."""
    withdrawal = store.withdrawals(tx).get(licence.id)
    if withdrawal is not None and withdrawal.applies_to(licence) and withdrawal.effective_at <= now:
        raise refusal(
            Refusal.WITHDRAWN,
            f"the licence file {licence.id} counts here no more: {withdrawal.sentence()}; load the file that"
            " the issuer made for this host since.",
            replaced_by=withdrawal.replaced_by,
        )
    for each in judged(tx):
        if each.licence is not None and each.licence.id == licence.id:
            if each.licence.issued_at > licence.issued_at:
                raise refusal(
                    Refusal.OLDER_ISSUE,
                    f"the licence file {licence.id} was issued at {licence.issued_at:%Y-%m-%d %H:%M} UTC, and"
                    " a later one by this id is loaded: remove that one first if you mean it.",
                )
            return


def _replaces_ours(tx: Tx, licence: LicenceFile) -> bool:
    """Say whether a file for another host takes the place of a loaded one."""
    own = {each.stored.file_id for each in judged(tx) if each.licence is not None}
    return any(old in own for old in licence.supersedes)


def _withdraw(tx: Tx, withdrawals: Iterable[Withdrawal], now: dt.datetime, actor: str) -> None:
    for withdrawal in withdrawals:
        store.save_withdrawal(tx, withdrawal)
        _record(tx, now, "withdrawn", withdrawal.file_id, actor)


def _record(tx: Tx, now: dt.datetime, change: str, file_id: str, actor: str) -> None:
    event = RecordChanged(record="licence_file", record_id=0, change=change, name=file_id, actor=actor)
    log.append(tx, now, event)
