"""The explicit column mapping as people write it: HEADER=FIELD. Pure; the CLI and the API share it."""

from collections.abc import Iterable

from outrider.errors import InvalidInputError


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Return header to field; the last "=" separates, as headers may hold one. InvalidInputError."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        header, equals, field = pair.rpartition("=")
        if not equals or not header.strip() or not field.strip():
            raise InvalidInputError(
                f"map: {pair!r} is not HEADER=FIELD, as in 'Rufnummer=phone'", where="map"
            )
        if header.strip() in mapping:
            raise InvalidInputError(f"map: {header.strip()!r} is mapped twice", where="map")
        mapping[header.strip()] = field.strip()
    return mapping
