"""Three contact files that look like real exports, mistakes included, the same for the same seed.

The demo and the tests call `write_files`; what it returns says what an import of each file must find.
"""

import csv
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from outrider.demo.people import (
    CITIES,
    FIRST_NAMES,
    LAST_NAMES,
    TIME_ZONES,
    Line,
    make_line,
    write_international,
    write_national,
)

GOOD_START: Final = 20
DUPLICATES_IN: Final = 40
MISTAKES_IN: Final = 50
"""One row in so many repeats an earlier one, or has a mistake."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one system exports its contacts."""

    file_name: str
    list_name: str
    country: str
    others: tuple[str, ...]
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    prefix: str
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class ContactFile:
    """A written file, and what is in it: `rows` = `valid` + `duplicates` + `rejected`."""

    path: Path
    list_name: str
    country: str
    encoding: str
    delimiter: str
    rows: int
    valid: int
    duplicates: int
    rejected: int
    numbers: frozenset[str] = field(repr=False)
    """The E.164 numbers of the valid rows."""


SHAPES: Final = (
    Shape(
        "kunden-export.csv",
        "Kunden Deutschland",
        "DE",
        (),
        "cp1252",
        ";",
        (
            "Kundennummer",
            "Vorname",
            "Nachname",
            "Telefon",
            "E-Mail",
            "Ort",
            "Saldo (€)",
            "Zeitzone",
            "Bemerkung",
        ),
        "KD",
        ",",
    ),
    Shape(
        "crm_contacts.csv",
        "UK and US customers",
        "GB",
        ("US",),
        "utf-8-sig",
        ",",
        (
            "Customer ID",
            "First Name",
            "Last Name",
            "Phone Number",
            "Email Address",
            "City",
            "Balance",
            "Time Zone",
            "Notes",
        ),
        "UK-",
    ),
    Shape(
        "fichier_clients.txt",
        "Clients France et Espagne",
        "FR",
        ("ES",),
        "utf-16",
        "\t",
        (
            "N° client",
            "Prénom",
            "Nom",
            "Téléphone",
            "Courriel",
            "Ville",
            "Solde",
            "Fuseau horaire",
            "Remarque",
        ),
        "FR",
        ",",
    ),
)
NOTES: Final = (
    "",
    "",
    "",
    "prefers the morning",
    "moved house,\nnew address unknown",
    'says "call later"',
    "VIP; très important",
)


def write_files(folder: Path, seed: int, rows: int = 2000) -> list[ContactFile]:
    """Write three files of `rows` rows each (at least 100) into `folder` and return what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    return [_write(folder, shape, seed, rows, taken) for shape in SHAPES]


def _write(folder: Path, shape: Shape, seed: int, rows: int, taken: set[str]) -> ContactFile:
    chance = random.Random(f"{seed} {shape.file_name}")  # noqa: S311 - reproducible on purpose
    valid: list[tuple[list[str], Line]] = []
    written: list[list[str]] = []
    duplicates = rejected = 0
    for number in range(rows):
        # The first rows are good, so that there is something to repeat, and a sample shows the shape.
        if number > GOOD_START and number % DUPLICATES_IN == 0:
            row, line = chance.choice(valid)
            written.append([*row[:3], _number(line, shape, chance), *row[4:]])
            duplicates += 1
        elif number > GOOD_START and number % MISTAKES_IN == MISTAKES_IN // 2:
            row, _ = _person(number, shape, chance, taken)
            written.append(_spoilt(row, rejected, shape))
            rejected += 1
        else:
            person = _person(number, shape, chance, taken)
            valid.append(person)
            written.append(person[0])
    path = folder / shape.file_name
    with path.open("w", encoding=shape.encoding, newline="") as file:
        writer = csv.writer(file, delimiter=shape.delimiter)
        writer.writerow(shape.header)
        writer.writerows(written)
    numbers = frozenset(line.e164 for _, line in valid)
    counts = (len(written), len(valid), duplicates, rejected)
    return ContactFile(
        path, shape.list_name, shape.country, shape.encoding, shape.delimiter, *counts, numbers
    )


def _person(number: int, shape: Shape, chance: random.Random, taken: set[str]) -> tuple[list[str], Line]:
    country = chance.choice(shape.others) if shape.others and chance.random() < 0.3 else shape.country  # noqa: PLR2004 - a share
    first, last = chance.choice(FIRST_NAMES[country]), chance.choice(LAST_NAMES[country])
    line = make_line(country, chance, taken)
    mailbox = f"{_ascii(first)}.{_ascii(last)}{number}".lower()
    email = f"{mailbox}@example.{chance.choice(('com', 'org', 'net'))}" if chance.random() < 0.8 else ""  # noqa: PLR2004 - a share
    zone = TIME_ZONES[country] if chance.random() < 0.5 else ""  # noqa: PLR2004 - a share
    balance = f"{chance.randrange(0, 99_999) / 100:.2f}".replace(".", shape.decimal)
    row = [
        f"{shape.prefix}{100_000 + number}",
        _storable(first, shape),
        _storable(last, shape),
        _number(line, shape, chance),
        email,
        _storable(chance.choice(CITIES[country]), shape),
        balance,
        zone,
        chance.choice(NOTES),
    ]
    return row, line


def _number(line: Line, shape: Shape, chance: random.Random) -> str:
    at_home = line.country == shape.country and chance.random() < 0.75  # noqa: PLR2004 - a share
    return write_national(line, chance) if at_home else write_international(line, chance)


def _spoilt(row: Sequence[str], turn: int, shape: Shape) -> list[str]:
    """Return the row with one of the mistakes that real files have, each kind in turn."""
    identity, first, last, phone, email, city, balance, zone, note = row
    kinds = (
        [identity, first, last, phone[:5], email, city, balance, zone, note],
        [identity, first, last, phone, f"{_ascii(first)}(at)example.com", city, balance, zone, note],
        [identity, first, last, phone, email, city, balance, zone, note, ""],
        [
            identity,
            first,
            last,
            "unbekannt" if shape.country == "DE" else "n/a",
            email,
            city,
            balance,
            zone,
            note,
        ],
        [identity, first, last, phone, email, city],
        [identity, first, last, phone, email, city, balance, "Berlin time", note],
        [identity, first, last, "4,9172E+12", email, city, balance, zone, note],
        [identity, first, last, "", "", city, balance, zone, note],
    )
    return list(kinds[turn % len(kinds)])


def _ascii(name: str) -> str:
    spread = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return "".join(character for character in spread if character.isascii() and character.isalpha())


def _storable(text: str, shape: Shape) -> str:
    """Drop the accents that the file's encoding does not have, as exporting systems do."""
    return "".join(
        character if _fits(character, shape.encoding) else (_ascii(character) or "?") for character in text
    )


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
