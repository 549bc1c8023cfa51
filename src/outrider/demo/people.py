"""Made-up people and numbers of five countries, for the demo's contact files. Seeded: no real data.

`contact_files.py` uses it. Numbers are valid by the numbering plans, in the ways people write them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import phonenumbers

FIRST_NAMES: Final = {
    "DE": (
        "Anna",
        "Jürgen",
        "Zoë",
        "Käthe",
        "Sören",
        "Björn",
        "Lena",
        "Matthias",
        "Ümit",
        "Gisela",
        "Jörg",
        "Franziska",
        "Uwe",
        "Heike",
        "Günther",
    ),
    "GB": (
        "Oliver",
        "Amelia",
        "Siân",
        "Harriet",
        "George",
        "Zoë",
        "Callum",
        "Niamh",
        "Seán",
        "Imogen",
        "Renée",
        "Alfie",
        "Isla",
        "Chloë",
        "Rhys",
    ),
    "US": (
        "José",
        "Ashley",
        "Michael",
        "Beyoncé",
        "Tyler",
        "Zoë",
        "Madison",
        "André",
        "Brittany",
        "Noël",
        "Jordan",
        "Renée",
        "Austin",
        "Kayla",
        "Brandon",
    ),
    "FR": (
        "Élodie",
        "François",
        "Chloé",
        "Hélène",
        "Jérôme",
        "Zoé",
        "Benoît",
        "Léa",
        "Théo",
        "Agnès",
        "Noël",
        "Camille",
        "Gaëlle",
        "Rémi",
        "Anaïs",
    ),
    "ES": (
        "Lucía",
        "José",
        "Begoña",
        "Íñigo",
        "María",
        "Andrés",
        "Sofía",
        "Álvaro",
        "Inés",
        "Ramón",
        "Nuria",
        "Joaquín",
        "Belén",
        "Óscar",
        "Martín",
    ),
}
LAST_NAMES: Final = {
    "DE": (
        "Müller",
        "Schröder",
        "Weiß",
        "Groß",
        "Köhler",
        "Jäger",
        "Böhm",
        "Schäfer",
        "Krüger",
        "Voß",
        "Hübner",
        "Möller",
        "Lang",
        "Becker",
        "Yildiz",
    ),
    "GB": (
        "O'Neill",
        "Smith-Jones",
        "Evans",
        "Wright",
        "Brontë",
        "Hughes",
        "MacLeod",
        "Patel",
        "Khan",
        "Edwards",
        "Fox",
        "Hall",
        "Shaw",
        "Ellis",
        "Bell",
    ),
    "US": (
        "García",
        "Johnson",
        "Nguyễn",
        "Williams",
        "O'Brien",
        "Martínez",
        "Peña",
        "Davis",
        "Muñoz",
        "Walker",
        "Núñez",
        "Baker",
        "Cruz",
        "Reed",
        "Cole",
    ),
    "FR": (
        "Lefèvre",
        "Dubois",
        "Müller",
        "Françoise",
        "Bézier",
        "Noël",
        "Girard",
        "L'Hôpital",
        "Aubé",
        "Châtelet",
        "Roux",
        "Gérard",
        "Pégase",
        "Blanc",
        "Roy",
    ),
    "ES": (
        "Núñez",
        "Ibáñez",
        "García",
        "Muñoz",
        "Peña",
        "López",
        "Martínez",
        "Gómez",
        "Sáenz",
        "Ordóñez",
        "Vázquez",
        "Ruiz",
        "Gil",
        "Cañas",
        "León",
    ),
}
CITIES: Final = {
    "DE": ("Köln", "München", "Düsseldorf", "Berlin", "Würzburg", "Saarbrücken"),
    "GB": ("London", "Manchester", "Leeds", "Ynys Môn", "Glasgow", "Belfast"),
    "US": ("New York", "San José", "Chicago", "La Cañada", "Houston", "Boston"),
    "FR": ("Orléans", "Nîmes", "Besançon", "Paris", "Saint-Étienne", "Lyon"),
    "ES": ("Málaga", "A Coruña", "Cádiz", "Madrid", "León", "Sevilla"),
}
TIME_ZONES: Final = {
    "DE": "Europe/Berlin",
    "GB": "Europe/London",
    "US": "America/New_York",
    "FR": "Europe/Paris",
    "ES": "Europe/Madrid",
}

Write = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Line:
    """A telephone line: its number in E.164 and its national digits with the area or network code apart."""

    country: str
    code: str
    subscriber: str

    @property
    def e164(self) -> str:
        """Return the number in E.164."""
        return f"+{CALLING_CODES[self.country]}{self.code}{self.subscriber}"


CALLING_CODES: Final = {"DE": 49, "GB": 44, "US": 1, "FR": 33, "ES": 34}
PLANS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "DE": (
        ("171", 7),
        ("160", 7),
        ("152", 8),
        ("176", 8),
        ("30", 8),
        ("221", 7),
        ("89", 8),
        ("711", 6),
        ("931", 6),
    ),
    "GB": (("7700", 6), ("7911", 6), ("7400", 6), ("20", 8), ("161", 7), ("113", 7), ("141", 7), ("1248", 6)),
    "US": (("212", 7), ("312", 7), ("617", 7), ("415", 7), ("713", 7)),
    "FR": (("6", 8), ("7", 8), ("1", 8), ("2", 8), ("4", 8)),
    "ES": (("6", 8), ("7", 8), ("91", 7), ("93", 7), ("952", 6)),
}
"""country -> (area or network code, digits of the subscriber's number), mobile and landline."""


def make_line(country: str, chance: random.Random, taken: set[str]) -> Line:
    """Return a line whose number is valid and not in `taken`, and add it there."""
    while True:
        code, digits = chance.choice(PLANS[country])
        line = Line(country, code, str(chance.randrange(2 * 10 ** (digits - 1), 10**digits)))
        if line.e164 not in taken and phonenumbers.is_valid_number(phonenumbers.parse(line.e164)):
            taken.add(line.e164)
            return line


def write_national(line: Line, chance: random.Random) -> str:
    """Write the number as people of its country do at home."""
    code, rest = line.code, line.subscriber
    shapes: tuple[str, ...]
    if line.country == "DE":
        half = len(rest) // 2
        shapes = (
            f"0{code}/{rest}",
            f"(0{code}) {rest[:half]} {rest[half:]}",
            f"0{code}-{rest}",
            f"0{code} {rest}",
        )
    elif line.country == "GB":
        shapes = (f"0{code} {rest[:-3]} {rest[-3:]}", f"(0{code}) {rest}", f"0{code}{rest}")
    elif line.country == "US":
        shapes = (
            f"({code}) {rest[:3]}-{rest[3:]}",
            f"{code}-{rest[:3]}-{rest[3:]}",
            f"{code}.{rest[:3]}.{rest[3:]}",
        )
    else:
        digits = code + rest if line.country == "ES" else f"0{code}{rest}"
        width = 3 if line.country == "ES" else 2
        groups = [digits[start : start + width] for start in range(0, len(digits), width)]
        shapes = (" ".join(groups), ".".join(groups), digits)
    return chance.choice(shapes)


def write_international(line: Line, chance: random.Random) -> str:
    """Write the number as people do for callers from abroad."""
    calling, code, rest = CALLING_CODES[line.country], line.code, line.subscriber
    shapes = [f"+{calling} {code} {rest}", f"+{calling}{code}{rest}", f"00{calling} {code} {rest}"]
    if line.country in ("DE", "GB", "FR"):
        shapes.append(f"+{calling} (0){code} {rest}")
    if line.country == "US":
        shapes = [f"+1 ({code}) {rest[:3]}-{rest[3:]}", f"+1{code}{rest}", f"+1-{code}-{rest[:3]}-{rest[3:]}"]
    return chance.choice(shapes)
