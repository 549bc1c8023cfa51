"""Reading of CSV files: encodings, delimiters and line numbers, detected or given."""

import random
from pathlib import Path

import pytest

from outrider.contacts.detection import BLOCK, detect_delimiter, detect_encoding
from outrider.contacts.imports.reading import open_table
from outrider.errors import ImportFileError

TEXTS = {
    "German": "Name;Telefon\nJürgen Größe;1\nKäthe Weiß;2\n",
    "French": "Nom;Téléphone\nÉlodie Lefèvre;1\nFrançois Noël à Nîmes;2\n",
    "Spanish": "Nombre;Teléfono\nBegoña Núñez;1\nÍñigo Ordóñez;2\n",
}


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_are_recognised(tmp_path: Path, language: str, encoding: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(TEXTS[language].encode(encoding))
    table = open_table(path, "f.csv")
    lines = TEXTS[language].splitlines()
    assert table.header == lines[0].split(";")
    assert [fields for _, fields in table.rows()] == [line.split(";") for line in lines[1:]]


def test_latin_1_beyond_cp1252_and_other_scripts(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    russian = "имя;телефон\n" + "Иван Иванович Иванов из Москвы;1\nМария Ильинична Жукова из Тулы;2\n" * 20  # noqa: RUF001 - it is Russian
    path.write_bytes(russian.encode("cp1251"))
    assert open_table(path, "f.csv").header == ["имя", "телефон"]
    path.write_bytes(b"name;phone\nJ\xfcrgen \x81;1\n")
    assert detect_encoding(path, "f.csv") == "iso8859-1"


def test_one_accent_far_behind_the_start_counts(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(
        b"phone,name\n" + b"0171 2345678,Anna\n" * 50_000 + "0171 2345679,Jürgen\n".encode("cp1252")
    )
    assert path.stat().st_size > 3 * BLOCK
    assert detect_encoding(path, "f.csv") == "cp1252"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_recognised(delimiter: str) -> None:
    lines = ["name{d}phone{d}balance, total\n", '"a; b, c|d"{d}0171 1{d}1,50\n', "e{d}0171 2{d}2,50\n"]
    assert (
        detect_delimiter(
            [line.replace("{d}", delimiter).replace("balance, total", "balance") for line in lines]
        )
        == delimiter
    )


def test_a_spreadsheet_may_name_its_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"sep=;\r\nphone;a,b,c\r\n1;2\r\n")
    table = open_table(path, "f.csv")
    assert (table.delimiter, table.header) == (";", ["phone", "a,b,c"])
    assert list(table.rows()) == [(3, ["1", "2"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_are_those_of_an_editor(tmp_path: Path, end: str) -> None:
    path = tmp_path / "f.csv"
    lines = ["phone,note", '1,"two', 'lines"', "", "2,x\u2028y\x0bz", ",", "3,end"]
    path.write_bytes(end.join(lines).encode())
    assert list(open_table(path, "f.csv").rows()) == [
        (2, ["1", f"two{end}lines"]),
        (5, ["2", "x\u2028y\x0bz"]),
        (7, ["3", "end"]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_blocks_do_not_cut_lines(tmp_path: Path, encoding: str) -> None:
    chance = random.Random(3)
    rows = [[str(number), "Jürgen Größe " * chance.randrange(200)] for number in range(1500)]
    path = tmp_path / "f.csv"
    path.write_bytes(("phone,x\r\n" + "".join(f"{a},{b}\r\n" for a, b in rows)).encode(encoding))
    assert path.stat().st_size > 4 * BLOCK
    assert list(open_table(path, "f.csv").rows()) == [(n, row) for n, row in enumerate(rows, 2)]


@pytest.mark.parametrize(
    ("delimiter", "encoding", "reason"),
    [
        ("ab", None, "cannot separate columns"),
        ('"', None, "cannot separate columns"),
        (None, "utf-99", "is not known"),
        (None, "base64", "is not known"),
        (None, "punycode", "is not one of text files"),
        (None, "rot13", "is not known"),
        (None, "unicode_escape", "is not one of text files"),
        (None, "utf-16", "is not utf-16"),
    ],
)
def test_bad_overrides(tmp_path: Path, delimiter: str | None, encoding: str | None, reason: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"phone,name\n1,x\n")
    with pytest.raises(ImportFileError, match=reason):
        open_table(path, "f.csv", delimiter, encoding)
