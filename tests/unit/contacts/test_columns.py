"""Headers of many languages become the right fields, and an explicit mapping has the last word."""

import pytest

from outrider.contacts.columns import map_columns, recognise
from outrider.contacts.imports.mapping import parse_mapping
from outrider.errors import ImportFileError, InvalidInputError


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Phone", "phone"),
        ("PHONE_NUMBER", "phone"),
        ("Telefonnummer", "phone"),
        ("Téléphone", "phone"),
        ("Numéro de téléphone", "phone"),
        ("Teléfono móvil", "phone"),
        ("Cellulare", "phone"),
        ("E-Mail", "email"),
        ("Correo electrónico", "email"),
        ("Adresse e-mail", "email"),
        ("Kundennummer", "external_id"),
        ("N° client", "external_id"),
        ("Customer ID", "external_id"),
        ("Zeitzone", "time_zone"),
        ("Time Zone", "time_zone"),
        ("Huso horario", "time_zone"),
        ("Name", "attribute"),
        ("Straße", "attribute"),
    ],
)
def test_spellings(header: str, field: str) -> None:
    assert recognise(header)[0] == field


def test_numbered_phones_are_in_order_and_the_rest_become_attributes() -> None:
    columns = map_columns("f", ["Phone 2", "id", "Mobile", "customer number", "", "Tel3", "email", "email 2"])
    assert columns.phones == (2, 0, 5)
    assert (columns.external_id, columns.email) == (1, 6)
    assert columns.attributes == ((3, "customer number"), (4, "column 5"), (7, "email 2"))


def test_a_mapped_field_displaces_a_recognised_one() -> None:
    columns = map_columns("f", ["phone", "id", "code"], {"CODE": "external_id", "phone": "phone2"})
    assert (columns.external_id, columns.attributes, columns.phones) == (2, ((1, "id"),), (0,))


def test_no_usable_column_names_what_was_found() -> None:
    with pytest.raises(ImportFileError, match="found 'name', 'city'"):
        map_columns("f", ["name", "city"])
    with pytest.raises(ImportFileError, match="no column is a phone"):
        map_columns("f", ["phone"], {"phone": "attribute"})


def test_mappings_as_people_write_them() -> None:
    assert parse_mapping(["a=b=phone", " Tel = phone2 "]) == {"a=b": "phone", "Tel": "phone2"}
    for bad in (["phone"], ["=phone"], ["a="], ["a=phone", "a=email"]):
        with pytest.raises(InvalidInputError):
            parse_mapping(bad)
