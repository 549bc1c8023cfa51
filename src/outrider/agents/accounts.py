"""What an agent's account may say, and files of accounts. Pure.

`service.py` checks what comes in with it; the command line and the API read CSV files through `read_file`.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outrider.agents.model import HIGHEST_PROFICIENCY, LOWEST_PROFICIENCY
from outrider.errors import InvalidInputError

LONGEST_NAME, LONGEST_DISPLAY, LONGEST_ADDRESS = 80, 120, 200
MOST_SKILLS, MOST_CAMPAIGNS = 50, 20
MOST_ROWS = 10_000
COLUMNS = ("name", "display_name", "address", "zone", "skills")

_NAME = re.compile(r"[^\W_][\w.@+-]*")
_ADDRESS = re.compile(r"sips?:\S+|\+?[0-9]{2,20}|[\w.+-]+(@[\w.:-]+)?")


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """A new account, or what one becomes. `zone` "" is the default zone; `display_name` "" is the name.

    `preferred_campaigns` are the only campaigns that the agent works for; empty: any.
    """

    name: str
    address: str
    display_name: str = ""
    zone: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)
    preferred_campaigns: Sequence[int] = ()
    enabled: bool = True


def checked(plan: AccountPlan) -> AccountPlan:
    """Return the plan as it is stored. InvalidInputError names the field."""
    name = plan.name.strip().casefold()
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise _wrong(
            "name", f"use 1 to {LONGEST_NAME} letters, digits or . @ + - _, with a letter or digit first"
        )
    display = plan.display_name.strip() or name
    if len(display) > LONGEST_DISPLAY or not display.isprintable():
        raise _wrong("display_name", f"use at most {LONGEST_DISPLAY} printable characters")
    address = plan.address.strip()
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise _wrong(
            "address",
            f"{address!r} is no phone: use sip:name@host, a number such as +4930123, or an extension",
        )
    if len(plan.preferred_campaigns) > MOST_CAMPAIGNS:
        raise _wrong("preferred_campaigns", f"choose at most {MOST_CAMPAIGNS}")
    return AccountPlan(
        name=name,
        address=address,
        display_name=display,
        zone=plan.zone.strip(),
        skills=checked_skills(plan.skills),
        preferred_campaigns=tuple(dict.fromkeys(plan.preferred_campaigns)),
        enabled=plan.enabled,
    )


def checked_skills(skills: Mapping[str, int]) -> dict[str, int]:
    """Return skills by their stored names, with proficiency 1 to 10. InvalidInputError."""
    if len(skills) > MOST_SKILLS:
        raise _wrong("skills", f"give at most {MOST_SKILLS}")
    found = {}
    for name, proficiency in skills.items():
        if not LOWEST_PROFICIENCY <= proficiency <= HIGHEST_PROFICIENCY:
            raise _wrong(
                f"skills.{name}",
                f"proficiency {proficiency} is not from {LOWEST_PROFICIENCY} to {HIGHEST_PROFICIENCY}",
            )
        found[checked_skill(name)] = proficiency
    return found


def checked_skill(name: str) -> str:
    """Return a skill's stored name: 1 to 80 printable characters, without surrounding blanks."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME or not stripped.isprintable():
        raise _wrong("skills", f"a skill's name has 1 to {LONGEST_NAME} printable characters")
    return stripped


@dataclass(frozen=True, slots=True)
class AccountFile:
    """The accounts of a file, and the columns that it has: what has none is not said."""

    plans: Sequence[AccountPlan]
    columns: Sequence[str]


def read_file(text: str, file: str = "file") -> AccountFile:
    """Return the accounts of a CSV file with a header: name, address, display_name, zone, skills.

    Only the first two columns are needed; skills are written as `dutch=7;loans=3`. InvalidInputError names
    file, line and column of the first mistake.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    plans: list[AccountPlan] = []
    header: list[str] = []
    seen: dict[str, int] = {}
    try:
        header = [name.strip().casefold() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        _check_header(header, file)
        for row in reader:
            if len(plans) == MOST_ROWS:
                raise InvalidInputError(f"{file}: more than {MOST_ROWS} agents; split the file", where=file)
            plan = _read_row(row, f"{file}, line {reader.line_num}")
            if plan.name in seen:
                place, before = f"{file}, line {reader.line_num}", seen[plan.name]
                message = f"{place}: name: {plan.name!r} is in line {before} already"
                raise InvalidInputError(message, where="name")
            seen[plan.name] = reader.line_num
            plans.append(plan)
    except csv.Error as error:
        raise InvalidInputError(f"{file}, line {reader.line_num}: not CSV: {error}", where=file) from None
    return AccountFile(plans, header)


def _check_header(header: Sequence[str], file: str) -> None:
    missing = [name for name in ("name", "address") if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    known = f"the columns are {', '.join(COLUMNS)}"
    if missing:
        message = f"{file}, line 1: there is no column {' and '.join(missing)}; {known}"
        raise InvalidInputError(message, where=missing[0])
    if unknown:
        message = f"{file}, line 1: column {unknown[0]!r} is unknown; {known}"
        raise InvalidInputError(message, where=unknown[0])


def _read_row(row: Mapping[str | None, object], place: str) -> AccountPlan:
    if None in row:
        raise InvalidInputError(f"{place}: there are more fields than columns", where=place)
    values = {str(name): str(value or "") for name, value in row.items()}
    try:
        return checked(
            AccountPlan(
                name=values["name"],
                address=values["address"],
                display_name=values.get("display_name", ""),
                zone=values.get("zone", ""),
                skills=read_skills(values.get("skills", "")),
            )
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"{place}: {error.message}", **error.facts) from None


def read_skills(text: str) -> dict[str, int]:
    """Return skills written as `dutch=7;loans=3`, by name. InvalidInputError."""
    skills = {}
    for part in filter(None, (each.strip() for each in text.split(";"))):
        name, sign, level = (each.strip() for each in part.partition("="))
        if not sign or not (level.isascii() and level.isdigit()):
            raise _wrong("skills", f"{part!r} is not written as skill=proficiency")
        skills[name] = int(level)
    return skills


def _wrong(where: str, message: str) -> InvalidInputError:
    return InvalidInputError(f"{where}: {message}", where=where)
