"""Which licence type covers which unit: accounting over nine numbers, redone at each recalculation.

Called by `share` after the quotas are known, and by pages that show seats by type (licensing.md 4.4).
"""

from collections.abc import Mapping

from outrider.licences.model import COVERED_BY, LicenceKind


def cover(
    pool: Mapping[LicenceKind, int], units: Mapping[LicenceKind, int]
) -> tuple[dict[LicenceKind, dict[LicenceKind, int]], dict[LicenceKind, int]]:
    """Cover `units` (by task kind) from `pool`, cheapest first; return the cover and the free counts by type.

    Predictive units take predictive licences; preview takes preview, then predictive; manual takes manual,
    preview, predictive (4.4). The units must fit; the cover has no zero entries.
    """
    free = dict(pool)
    covered: dict[LicenceKind, dict[LicenceKind, int]] = {}
    for kind, types in COVERED_BY.items():
        missing = units.get(kind, 0)
        row: dict[LicenceKind, int] = {}
        for licence in types:
            taken = min(missing, free.get(licence, 0))
            if taken > 0:
                row[licence] = taken
                free[licence] -= taken
                missing -= taken
        if row:
            covered[kind] = row
    return covered, free
