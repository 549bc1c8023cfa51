"""What kind of file this is: not a table at all, or which encoding and delimiter its text has.

`imports/reading.py` calls it before it reads the rows. Up to 256 MiB are
looked at in blocks: one odd byte behind a long ASCII start is not missed, and memory does not grow.
"""

import codecs
import csv
import re
from collections import Counter
from pathlib import Path
from typing import Final

from charset_normalizer import from_bytes

from outrider.errors import ImportFileError

BLOCK: Final = 1 << 18
SAMPLE: Final = 1 << 16
SURVEYED: Final = 256 << 20
"""Bytes looked at, so that even the largest file is under way within seconds."""

SAMPLE_LINES: Final = 50
DELIMITERS: Final = (",", ";", "\t", "|")
NAMED_DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Longer marks first: UTF-32's begins with UTF-16's."""

SIGNATURES: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls)"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
NO_FILE_ENCODINGS: Final = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
)
WESTERN: Final = frozenset({"cp1252", "latin_1", "iso8859_15", "iso8859_9", "cp1254", "cp850", "mac_roman"})
LETTERS: Final = re.compile(r"[^\W\d_]")
WESTERN_LETTERS: Final = frozenset("äöüßÄÖÜéèêëàâáãåæçñíìîïóòôõøúùûÿœÉÈÊÀÂÁÃÅÆÇÑÍÓÔÕØÚ")


def refuse_other_kinds(path: Path, name: str) -> None:
    """Refuse, with an ImportFileError, a file that is empty or whose first bytes say it is no text."""
    with path.open("rb") as file:
        start = file.read(BLOCK)
    if not start.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise ImportFileError(f"{name}: the file is empty; export the contacts again")
    for signature, what in SIGNATURES:
        if start.startswith(signature):
            if signature.startswith(b"PK") and (b"xl/" in start or b"[Content_Types].xml" in start):
                what = "an Excel file (.xlsx)"  # noqa: PLW2901 - the archive is named by its content
            if "Excel" in what:
                raise ImportFileError(f"{name}: this is {what}; export it as CSV and import that")
            raise ImportFileError(f"{name}: this is {what}, not a table; import a CSV file")
    if re.match(rb"\s*<(!doctype|html|\?xml)", start, re.IGNORECASE):
        raise ImportFileError(f"{name}: this is an HTML or XML document, not a table; import a CSV file")


def check_encoding(encoding: str) -> str:
    """Return the name of a text encoding; ImportFileError when Python knows no such one."""
    try:
        found = codecs.lookup(encoding.strip())
        # What only carries bytes, such as base64, is refused by this.
        "a".encode(found.name)
    except (LookupError, ValueError):
        raise ImportFileError(
            f"encoding: {encoding!r} is not known; use one like utf-8, utf-16 or cp1252", where="encoding"
        ) from None
    if found.name in NO_FILE_ENCODINGS:
        raise ImportFileError(f"encoding: {encoding!r} is not one of text files", where="encoding")
    if found.name == "utf-8":
        return "utf-8-sig"
    return found.name


def check_delimiter(delimiter: str) -> str:
    """Return the delimiter itself for a character or a name (comma, semicolon, tab, pipe)."""
    plain = NAMED_DELIMITERS.get(delimiter.lower(), delimiter)
    if len(plain) != 1 or plain in '"\r\n ' or plain.isalnum():
        raise ImportFileError(
            f"delimiter: {delimiter!r} cannot separate columns; "
            "use comma, semicolon, tab, pipe or one character",
            where="delimiter",
        )
    return plain


def detect_encoding(path: Path, name: str) -> str:
    """Return the encoding of the file's text; ImportFileError when it is binary."""
    with path.open("rb") as file:
        start = file.read(BLOCK)
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    wide = _without_mark(start)
    if wide:
        return wide
    valid, odd, sample = _survey(path, name)
    if odd == 0 or valid >= odd:
        return "utf-8-sig"
    return _single_byte(sample)


def _without_mark(start: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by where its zero bytes are."""
    half = len(start) // 2
    if half and start[1::2].count(0) > 0.7 * half and start[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half and start[::2].count(0) > 0.7 * half and start[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _survey(path: Path, name: str) -> tuple[int, int, bytes]:
    """Count valid UTF-8 characters beyond ASCII and bytes that are no UTF-8; keep lines that have any."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    valid = odd = position = 0
    sample = bytearray()
    with path.open("rb") as file:
        while position < SURVEYED and (block := file.read(BLOCK)):
            if 0 in block:
                place = position + block.index(0)
                raise ImportFileError(
                    f"{name}: byte {place} is zero: this is a binary file, not text; export it as CSV"
                )
            position += len(block)
            text = decoder.decode(block)
            if text.isascii():
                continue
            escaped = sum(
                "\udc80" <= character <= "\udcff" for character in re.findall(r"[^\x00-\x7f]", text)
            )
            odd += escaped
            valid += len(re.findall(r"[^\x00-\x7f\udc80-\udcff]", text))
            if escaped and len(sample) < SAMPLE:
                lines = (line for line in block.split(b"\n") if not line.isascii())
                sample += b"\n".join(lines)[: SAMPLE - len(sample)]
    return valid, odd, bytes(sample)


def _single_byte(sample: bytes) -> str:
    """Choose between the single-byte encodings: Western European unless the text says otherwise."""
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.encoding in WESTERN:
        return _western(sample)
    beyond = Counter(
        character for character in sample.decode("cp1252", "replace") if LETTERS.match(character)
    )
    foreign = {character: count for character, count in beyond.items() if not character.isascii()}
    expected = sum(count for character, count in foreign.items() if character in WESTERN_LETTERS)
    # Statistics on a few accents are easily wrong; letters that Western names do have decide first.
    if expected >= 0.9 * sum(foreign.values()) and _mostly_ascii(sample):
        return _western(sample)
    return best.encoding


def _mostly_ascii(sample: bytes) -> bool:
    letters = sum(bytes([byte]).isalpha() or byte > 0x7F for byte in sample)  # noqa: PLR2004 - ASCII ends
    return sum(byte > 0x7F for byte in sample) < 0.3 * letters  # noqa: PLR2004 - accents are the minority


def _western(sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "iso8859-1"
    return "cp1252"


def detect_delimiter(lines: list[str]) -> str:
    """Return the delimiter that cuts the first lines most evenly; a comma when none does."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = [row for row in csv.reader(lines[:SAMPLE_LINES], delimiter=delimiter) if any(row)]
        width = len(rows[0]) if rows else 0
        if width < 2:  # noqa: PLR2004 - one column needs no delimiter
            continue
        # The last row may have been cut off by the end of the sample.
        body = rows[1:-1] or rows[1:]
        even = sum(len(row) == width for row in body) / len(body) if body else 1.0
        score = (round(even, 1), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best
