"""Which column of a contact file is what: phone numbers, mail address, external id, time zone, attributes.

Pure; the import uses it once per file. Headers are recognised in several languages and spellings, and an
explicit mapping has the last word.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from outrider.contacts.model import MAXIMUM_PHONES, phone_position
from outrider.errors import ImportFileError

PHONE_WORDS: Final = """
phone phonenumber phoneno phonenum tel telno telephone telephonenumber number contactnumber mobile
mobilephone mobilenumber mobileno cell cellphone cellnumber cellular handy handynummer mobil mobilfunk
mobilnummer mobiltelefon telefon telefonnummer telefonnr rufnummer festnetz festnetznummer fon landline
homephone workphone businessphone privatephone daytimephone eveningphone primaryphone otherphone phonehome
phonework phonemobile telefonprivat telefongeschaftlich telefonmobil telefondienstlich telephonemobile
telephonefixe telephoneportable telfixe telportable telmobile numerodetelephone numerotelephone portable
fixe numtel notelephone telefono telefonofijo telefonomovil movil celular fijo numerodetelefono
numerotelefono tfno cellulare telefonofisso numeroditelefono telefone telemovel celula telefoonnummer
telefoon mobiel gsm numertelefonu komorka telefonni msisdn e164 ani dnis
"""
EMAIL_WORDS: Final = """
email emailaddress mail mailaddress emailadresse mailadresse epost epostadresse courriel adressemail
adresseemail adresseelectronique correo correoelectronico direccioncorreo direcciondecorreo correoe
indirizzoemail postaelettronica enderecodeemail emailadres adresemail adrespocztyelektronicznej
"""
EXTERNAL_ID_WORDS: Final = """
externalid extid id contactid customerid customerno customernumber clientid clientno clientnumber
accountid accountnumber accountno memberid membernumber recordid personid userid crmid reference
referenceid kundennummer kundennr kundenid kontaktid mitgliedsnummer vertragsnummer debitorennummer
numeroclient numclient noclient idclient referenceclient numerodecliente numerocliente idcliente nocliente
codigocliente codicecliente codigodecliente numerodocliente klantnummer klantid numerklienta
"""
TIME_ZONE_WORDS: Final = """
timezone tz tzname tzid ianatimezone zeitzone fuseauhoraire fuseau zonahoraria husohorario fusoorario
fusohorario tijdzone strefaczasowa
"""
PHONES: Final = frozenset(PHONE_WORDS.split())
EMAILS: Final = frozenset(EMAIL_WORDS.split())
EXTERNAL_IDS: Final = frozenset(EXTERNAL_ID_WORDS.split())
TIME_ZONES: Final = frozenset(TIME_ZONE_WORDS.split())
UNREADABLE: Final = re.compile("[\udc80-\udcff\ufffd]")
"""What a byte becomes that the file's encoding does not have."""

NUMBERED: Final = re.compile(r"(.*?\D)0*([1-9]\d?)")
LONGEST_NAME: Final = 80
MOST_COLUMNS: Final = 500
FIELDS: Final = "phone, phone2 to phone10, email, external_id, time_zone, attribute, attribute:NAME or ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The positions (from 0) of the fields in each row; `phones` in the order in which they are tried."""

    headers: tuple[str, ...]
    phones: tuple[int, ...] = ()
    email: int | None = None
    external_id: int | None = None
    time_zone: int | None = None
    attributes: tuple[tuple[int, str], ...] = ()


def map_columns(name: str, header: Sequence[str], mapping: Mapping[str, str] | None = None) -> Columns:
    """Say what each column of the file `name` is; `mapping` (header to field) overrides what is recognised.

    ImportFileError when headers repeat, when none is a phone or an email, or when the mapping is wrong.
    """
    headers = tuple(column or f"column {number}" for number, column in enumerate(header, 1))
    _refuse_bad_header(name, headers)
    explicit = _explicit(name, headers, mapping or {})
    fields: dict[str, int] = {}
    phones: list[tuple[int, int]] = []
    attributes: list[tuple[int, str]] = []
    chosen = {field for field, _ in explicit.values() if field != "attribute"}
    for position, column in enumerate(headers):
        field, detail = explicit.get(position) or recognise(column)
        if field == "phone":
            phones.append((int(detail or 1), position))
        elif field == "ignore":
            continue
        elif field == "attribute" or field in fields or (position not in explicit and field in chosen):
            attributes.append((position, detail or column))
        else:
            fields[field] = position
    if not phones and "email" not in fields:
        found = ", ".join(repr(column) for column in headers[:20])
        raise ImportFileError(
            f"{name}: no column is a phone number or an email address; found {found}: "
            "say which one is, as in --map 'HEADER=phone'",
            where="line 1",
        )
    if len(phones) > MAXIMUM_PHONES:
        raise ImportFileError(
            f"{name}: {len(phones)} columns are phone numbers; at most {MAXIMUM_PHONES} are used"
        )
    _refuse_repeated_attributes(name, attributes)
    return Columns(
        headers=headers,
        phones=tuple(position for _, position in sorted(phones)),
        email=fields.get("email"),
        external_id=fields.get("external_id"),
        time_zone=fields.get("time_zone"),
        attributes=tuple(attributes),
    )


def recognise(column: str) -> tuple[str, str]:
    """Return (field, detail) for a header; the detail of a phone is its number, as in "Telefon 2"."""
    plain = _plain(column)
    numbered = NUMBERED.fullmatch(plain)
    if plain in PHONES:
        return "phone", "1"
    if numbered and numbered[1] in PHONES:
        return "phone", numbered[2]
    for field, names in (("email", EMAILS), ("external_id", EXTERNAL_IDS), ("time_zone", TIME_ZONES)):
        if plain in names or (numbered and numbered[2] == "1" and numbered[1] in names):
            return field, ""
    return "attribute", ""


def _plain(column: str) -> str:
    """Drop case, accents and all that is neither a letter nor a digit."""
    spread = unicodedata.normalize("NFKD", column.casefold().replace("n°", "no").replace("nº", "no"))
    return "".join(character for character in spread if character.isalnum() and character.isascii())


def _refuse_bad_header(name: str, headers: tuple[str, ...]) -> None:
    if len(headers) > MOST_COLUMNS:
        raise ImportFileError(f"{name}: line 1 has {len(headers)} columns; at most {MOST_COLUMNS} are read")
    seen: set[str] = set()
    for column in headers:
        if UNREADABLE.search(column):
            raise ImportFileError(
                f"{name}: line 1 has bytes that do not belong to the file's encoding; "
                "name it, as in --encoding cp1252",
                where="line 1",
            )
        if len(column) > LONGEST_NAME:
            raise ImportFileError(
                f"{name}: line 1: column {column[:30] + '...'!r} has more than {LONGEST_NAME} characters"
            )
        if column.casefold() in seen:
            raise ImportFileError(
                f"{name}: line 1 has the column {column!r} twice; rename one of them", where="line 1"
            )
        seen.add(column.casefold())


def _refuse_repeated_attributes(name: str, attributes: list[tuple[int, str]]) -> None:
    names = [attribute for _, attribute in attributes]
    for attribute in names:
        if names.count(attribute) > 1:
            raise ImportFileError(
                f"{name}: two columns would be the attribute {attribute!r}; map one elsewhere"
            )


def _explicit(name: str, headers: tuple[str, ...], mapping: Mapping[str, str]) -> dict[int, tuple[str, str]]:
    positions = {column.casefold(): position for position, column in enumerate(headers)}
    result: dict[int, tuple[str, str]] = {}
    for column, wanted in mapping.items():
        position = positions.get(column.strip().casefold())
        if position is None:
            found = ", ".join(repr(header) for header in headers[:20])
            raise ImportFileError(
                f"{name}: the mapping names {column!r}, but the columns are {found}", where="mapping"
            )
        result[position] = _wanted(name, column, wanted.strip())
    single = [field for field, _ in result.values() if field in ("email", "external_id", "time_zone")]
    for field in single:
        if single.count(field) > 1:
            raise ImportFileError(f"{name}: the mapping gives {field} to two columns", where="mapping")
    return result


def _wanted(name: str, column: str, wanted: str) -> tuple[str, str]:
    lower = wanted.lower()
    if lower == "phone":
        return "phone", "1"
    if phone_position(lower):
        return "phone", str(phone_position(lower))
    if lower.startswith("attribute:") and 0 < len(wanted.partition(":")[2].strip()) <= LONGEST_NAME:
        return "attribute", wanted.partition(":")[2].strip()
    if lower in ("email", "external_id", "time_zone", "attribute", "ignore"):
        return lower, ""
    raise ImportFileError(
        f"{name}: the mapping of {column!r}: {wanted!r} is no field; use {FIELDS}", where="mapping"
    )
