"""Files that are no contact files: each gets a clear message, and changes nothing."""

import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from outrider.contacts.imports.model import ImportOptions, ImportState
from outrider.db.database import Database
from outrider.errors import ImportFileError
from support.contact_files import Contacts, german_rows


def excel_file() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def zip_file() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("contacts.csv", "phone\n0171 2345678\n")
    return buffer.getvalue()


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf\r\n\r\n", "the file is empty"),
    "header only": (b"phone,name\n", "no row below the header"),
    "header and blank lines": (b"phone;name\n\n;\n  \n".replace(b"  \n", b"\n"), "no row below the header"),
    "excel": (excel_file(), r"Excel file \(\.xlsx\); export it as CSV"),
    "old excel": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        r"old Excel file \(\.xls\); export it as CSV",
    ),
    "zip": (zip_file(), "ZIP archive"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, "JPEG image"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF document"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(50), "gzip archive"),
    "html": (b"<!DOCTYPE html><html><table></table></html>", "HTML or XML"),
    "binary": (bytes(range(256)) * 100, "byte 0 is zero: this is a binary file"),
    "one zero at the end": (
        german_rows(20_000) + b"\nC;Na\x00me;0171 1234567;X\n",
        "is zero: this is a binary file",
    ),
    "no usable column": (
        b"name,city\nAnna,Ulm\n",
        "no column is a phone number or an email address; found 'name', 'city'",
    ),
    "no header": (
        b"0171 2345678;Anna\n0171 2345679;Ben\n",
        "no column is a phone number .* found '0171 2345678'",
    ),
    "repeated headers": (b"phone,Name,name\n0171 2345678,a,b\n", "the column 'name' twice"),
    "line of 10 MB": (
        b"phone,name\n0171 2345678," + b"x" * 10_000_000 + b"\n",
        "line 2 is longer than 1,048,576",
    ),
    "open quote": (
        b'phone,name\n0171 2345678,"Anna\n0171 2345679,Ben\n',
        "line 2: a quoted field does not end",
    ),
    "open quote in a large file": (
        b'phone,name\n0171 2345678,a\n0171 2345678,"Anna\n' + german_rows(20_000),
        "line 3: a quoted field does not end within 131,072",
    ),
    "header in another encoding": (
        "phone,Grö".encode() + b"\xdfe\n" + "0171 2345678,äöü\n".encode(),
        "line 1 has bytes that do not belong to the file's encoding",
    ),
    "header that is too long": (b"phone," + b"n" * 100 + b"\n0171 2345678,x\n", "more than 80 characters"),
    "600 columns": (
        b"phone," + b",".join(b"c%d" % n for n in range(600)) + b"\n",
        "601 columns; at most 500",
    ),
    "12 phones": (
        b",".join(b"phone%d" % n for n in range(1, 13)) + b"\n",
        "12 columns are phone numbers; at most 10",
    ),
}

BAD_OPTIONS: dict[str, tuple[ImportOptions, str]] = {
    "mapping of a missing column": (
        ImportOptions(mapping={"tel": "phone"}),
        "names 'tel', but the columns are 'id'",
    ),
    "mapping to nothing": (ImportOptions(mapping={"name": "fax"}), "'fax' is no field"),
    "two columns to one field": (
        ImportOptions(mapping={"name": "email", "city": "email"}),
        "email to two columns",
    ),
    "wrong delimiter": (ImportOptions(delimiter="|"), "no column is a phone number"),
    "wrong encoding": (ImportOptions(encoding="utf-16"), "this is not utf-16; name its encoding"),
    "attribute twice": (
        ImportOptions(mapping={"name": "attribute:city"}),
        "two columns would be the attribute 'city'",
    ),
}


@pytest.fixture
def system(sqlite_database: Database, tmp_path: Path) -> Contacts:
    return Contacts(sqlite_database, tmp_path)


@pytest.mark.parametrize("keep_good", [False, True])
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_with_its_reason(system: Contacts, kind: str, *, keep_good: bool) -> None:
    content, reason = BAD_FILES[kind]
    target = system.make_list()
    before = system.snapshot()
    ended = system.run(target, content, ImportOptions(keep_good=keep_good))
    assert ended.state is ImportState.FAILED
    assert ended.message.startswith("contacts.csv: ")
    with pytest.raises(ImportFileError, match=reason):
        raise ImportFileError(ended.message)
    assert system.snapshot() == before
    assert system.working_files() == []


@pytest.mark.parametrize("kind", BAD_OPTIONS)
def test_bad_options_are_refused_with_their_reason(system: Contacts, kind: str) -> None:
    options, reason = BAD_OPTIONS[kind]
    target = system.make_list()
    before = system.snapshot()
    ended = system.run(target, german_rows(5), options)
    assert ended.state is ImportState.FAILED
    with pytest.raises(ImportFileError, match=reason):
        raise ImportFileError(ended.message)
    assert system.snapshot() == before


def test_a_list_by_external_id_needs_that_column(system: Contacts) -> None:
    target = system.make_list(duplicates_by="external_id")
    ended = system.run(target, b"phone,name\n0171 2345678,Anna\n")
    assert ended.state is ImportState.FAILED
    assert (
        "recognises duplicates by external_id, but no column is one; found 'phone', 'name'" in ended.message
    )


def test_a_line_of_100_mb_does_not_fill_the_memory(system: Contacts) -> None:
    content = b"phone,name\n0171 2345678," + b"x" * 100_000_000
    queued = system.queue(system.make_list(), content)
    del content
    runner = system.runner()
    runner.claim_next(queued.id)
    tracemalloc.start()
    try:
        ended = runner.run_one(queued.id)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ended is not None
    assert "line 2 is longer" in ended.message
    assert peak < 30_000_000
