"""What the loaded licence files authorise together: they add up, and count on for their grace. Pure.

`supply/server/files.py` gives it the files as they verify now; the lease rules share the counts it returns.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Feature
from outrider.supply.claims import ANY_HOST, LicenceFile

FILE_GRACE = dt.timedelta(days=30)
"""How long a file that has expired goes on counting (licensing.md 7)."""

NOTHING_LOADED = "no licence file is loaded"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A licence file as it was loaded, with the key that it was verified with."""

    file_id: str
    text: str
    public_key: str
    loaded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A file that counts no more from `effective_at` on: given up for another host, or replaced.

    One by the same id that was issued after `issued_at` is good again. Times are aware UTC.
    """

    file_id: str
    effective_at: dt.datetime
    issued_at: dt.datetime
    replaced_by: str = ""
    new_host_id: str = ""

    def applies_to(self, licence: LicenceFile) -> bool:
        """Return whether `licence` is the file that was withdrawn, not a later one by its id."""
        return licence.id == self.file_id and licence.issued_at <= self.issued_at

    def sentence(self) -> str:
        """Return why the file does not count, or will not."""
        when = f"{self.effective_at:%Y-%m-%d %H:%M} UTC"
        if self.replaced_by:
            return f"replaced by {self.replaced_by} since {when}"
        return f"given up for the host {self.new_host_id}, counts until {when}"


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """One loaded file with what it says, or with the reason why it is not believed or does not count."""

    stored: StoredFile
    licence: LicenceFile | None
    problem: str = ""
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The counts that a licence server may lease, by feature; empty when no file counts."""

    features: Mapping[LicenceKind, Feature] = field(default_factory=dict)
    customer: str = ""
    message: str = NOTHING_LOADED

    def total(self, kind: LicenceKind) -> int:
        """Return the units of `kind` that there are."""
        feature = self.features.get(kind)
        return 0 if feature is None else feature.count


def problem_of(file: JudgedFile, host_id: str, now: dt.datetime) -> str:
    """Return why `file` does not count on this host at `now`, or nothing when it does."""
    licence, withdrawal = file.licence, file.withdrawal
    if licence is None:
        return file.problem
    if licence.host_id not in {ANY_HOST, host_id}:
        return f"issued for host {licence.host_id}, this is {host_id}"
    if withdrawal is not None and withdrawal.effective_at <= now:
        return withdrawal.sentence()
    if now < licence.not_before:
        return f"not valid before {licence.not_before:%Y-%m-%d %H:%M} UTC"
    if now >= licence.expires_at + FILE_GRACE:
        return f"expired on {licence.expires_at:%Y-%m-%d}, and its grace has ended: load a new file"
    return ""


def add_up(files: Sequence[JudgedFile], host_id: str, now: dt.datetime) -> Entitlement:
    """Return what the files authorise on this host at `now`; those that do not count are told why.

    A file counts from its beginning until FILE_GRACE after its expiry (licensing.md 7). A feature's expiry
    is that of the file which ends first among those that count for it.
    """
    counting: list[LicenceFile] = []
    problems = []
    for file in files:
        problem = problem_of(file, host_id, now)
        if problem:
            problems.append(f"{file.stored.file_id}: {problem}")
        elif file.licence is not None:
            counting.append(file.licence)
    if not files:
        return Entitlement()
    warnings = [_expiry(licence) for licence in counting if licence.expires_at <= now]
    features = {
        kind: feature
        for kind in LicenceKind
        if (feature := _feature(kind, [each for each in counting if each.counts.get(kind, 0) > 0]))
    }
    customer = ", ".join(sorted({licence.customer for licence in counting}))
    return Entitlement(features, customer, "; ".join([*warnings, *problems]))


def withdrawals_of(licence: LicenceFile, now: dt.datetime) -> Iterable[Withdrawal]:
    """Return what loading `licence` withdraws: every file that it says it takes the place of."""
    return [Withdrawal(old, now, licence.issued_at, replaced_by=licence.id) for old in licence.supersedes]


def _feature(kind: LicenceKind, files: Sequence[LicenceFile]) -> Feature | None:
    if not files:
        return None
    return Feature(
        kind=kind,
        count=sum(file.counts[kind] for file in files),
        expires_at=min(file.expires_at for file in files),
        version=max(file.platform_version for file in files),
    )


def _expiry(licence: LicenceFile) -> str:
    return (
        f"{licence.id}: expired on {licence.expires_at:%Y-%m-%d}; it counts until "
        f"{licence.expires_at + FILE_GRACE:%Y-%m-%d}: load a new file before then"
    )
