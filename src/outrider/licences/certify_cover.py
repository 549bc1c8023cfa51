"""The part of the certificate that concerns accounting: the cover of kinds by types, and what is free.

Called by `certify` only; nine numbers per pool (licensing.md 4.4).
"""

from collections.abc import Mapping

from outrider.licences.model import LicenceKind

MANUAL, PREVIEW, PREDICTIVE = (
    LicenceKind.MANUAL_AGENTS,
    LicenceKind.PREVIEW_AGENTS,
    LicenceKind.PREDICTIVE_AGENTS,
)

STAND_INS = ((PREVIEW, PREDICTIVE), (MANUAL, PREVIEW), (MANUAL, PREDICTIVE))
"""(kind, type): units of the kind may use the dearer type, when they use up all licences of their own."""

Cover = Mapping[LicenceKind, Mapping[LicenceKind, int]]


def check_cover(
    pool: Mapping[LicenceKind, int],
    units: Mapping[LicenceKind, int],
    cover: Cover,
    free: Mapping[LicenceKind, int],
) -> list[str]:
    """Return what is wrong with the cover of `units` (by kind) and with the free counts."""
    found = []
    for kind, row in cover.items():
        for licence, count in row.items():
            if count <= 0:
                found.append(f"the cover of {kind} by {licence} is not positive")
            if licence != kind and (kind, licence) not in STAND_INS:
                found.append(f"a {licence} licence cannot serve {kind}")
    for kind in {*units, *cover}:
        covered = sum(cover.get(kind, {}).values())
        if covered != units.get(kind, 0):
            found.append(f"{covered} of {units.get(kind, 0)} {kind} units are covered")
    used = {licence: sum(row.get(licence, 0) for row in cover.values()) for licence in LicenceKind}
    for licence in LicenceKind:
        left = pool.get(licence, 0) - used[licence]
        if left < 0:
            found.append(f"{used[licence]} {licence} licences are used of {pool.get(licence, 0)}")
        if free.get(licence, 0) != left or (licence in free) != (licence in pool):
            found.append(f"{free.get(licence)} {licence} licences are called free, {left} are")
    return [*found, *_dearer_than_needed(pool, cover, used)]


def _dearer_than_needed(
    pool: Mapping[LicenceKind, int], cover: Cover, used: Mapping[LicenceKind, int]
) -> list[str]:
    """Return where a dear licence stands in although a cheaper one was left for it."""
    found = []
    for kind, licence in STAND_INS:
        if cover.get(kind, {}).get(licence, 0) and cover[kind].get(kind, 0) < pool.get(kind, 0):
            found.append(f"{kind} uses {licence} while {kind} licences are left to it")
    if cover.get(MANUAL, {}).get(PREDICTIVE, 0) and used[PREVIEW] < pool.get(PREVIEW, 0):
        found.append(f"{MANUAL} uses {PREDICTIVE} while {PREVIEW} licences are free")
    return found
