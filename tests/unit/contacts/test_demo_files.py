"""The demo's contact files are the same for the same seed, and as varied as they claim."""

from pathlib import Path

import phonenumbers

from outrider.demo.contact_files import write_files


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    first, again, other = (
        write_files(tmp_path / name, seed, 300) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    for one, two, three in zip(first, again, other, strict=True):
        assert one.path.read_bytes() == two.path.read_bytes() != three.path.read_bytes()


def test_three_shapes_and_five_countries(tmp_path: Path) -> None:
    files = write_files(tmp_path, 1, 2000)
    assert {(file.delimiter, file.encoding) for file in files} == {
        (";", "cp1252"),
        (",", "utf-8-sig"),
        ("\t", "utf-16"),
    }
    assert all(file.rows == 2000 == file.valid + file.duplicates + file.rejected for file in files)
    numbers = [number for file in files for number in file.numbers]
    assert len(numbers) == len(set(numbers)) == sum(file.valid for file in files)
    codes = {phonenumbers.parse(number).country_code for number in numbers}
    assert codes == {49, 44, 1, 33, 34}
