"""Writes the contact files of the real demo: people whose numbers lead to the test bed's public network."""

import csv
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from outrider.demo.contact_files import ContactFile
from outrider.demo.people import FIRST_NAMES, LAST_NAMES
from tools.real_demo.scenario import PEOPLE, REAL, SIZES, Share
from tools.testbed.numbering import number

HEADER = ("Customer ID", "First Name", "Last Name", "Phone Number", "Email Address", "Balance")
COUNTRY = "DE"


def write_files(folder: Path, seed: int, contacts: int) -> list[ContactFile]:
    """Write one CSV file for each list of the scenario, the longest of `contacts` rows, by `seed`."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)  # noqa: S311 - made-up people
    serials = itertools.count()
    return [
        _write(folder, each.name, contacts * SIZES[each.name] // 100, chance, serials) for each in REAL.lists
    ]


def _write(
    folder: Path, list_name: str, contacts: int, chance: random.Random, serials: Iterator[int]
) -> ContactFile:
    numbers = [number(each.fate, next(serials), each.detail) for each in spread(PEOPLE[list_name], contacts)]
    chance.shuffle(numbers)
    path = folder / f"{list_name.lower().replace(' ', '-')}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for place, phone in enumerate(numbers):
            first, last = chance.choice(FIRST_NAMES[COUNTRY]), chance.choice(LAST_NAMES[COUNTRY])
            mail = f"person.{phone.removeprefix('+')}@example.org"
            balance = f"{chance.randrange(99_999) / 100:.2f}"
            writer.writerow((f"{list_name[:2].upper()}-{place:04}", first, last, phone, mail, balance))
    count = len(numbers)
    return ContactFile(path, list_name, COUNTRY, "utf-8", ",", count, count, 0, 0, frozenset(numbers))


def spread(shares: Sequence[Share], contacts: int) -> list[Share]:
    """Return one share for each contact, in the proportions of the shares; every share has one at least."""
    total = sum(each.share for each in shares)
    counts = [max(1, contacts * each.share // total) for each in shares]
    counts[0] += contacts - sum(counts)
    return [each for each, count in zip(shares, counts, strict=True) for _ in range(count)]
