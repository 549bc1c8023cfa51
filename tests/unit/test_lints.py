"""Every house rule bites on what it forbids, and leaves good code alone."""

from pathlib import Path

import pytest
from tools.lints import SOURCE, findings

GOOD = '"""A module that breaks no rule.\n\nNobody calls it.\n"""\n\nfrom outrider.clock import Clock\n'


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("jobs/service.py", "now = datetime.now()", "datetime.now"),
        ("jobs/service.py", "asyncio.create_task(work())", "create_task"),
        ("jobs/service.py", "loop.create_task(work())", "create_task"),
        ("jobs/store.py", "tx.commit()", "commit"),
        ("jobs/store.py", "x = tx.dialect.name", "dialect.name"),
        ("jobs/service.py", "from sqlalchemy import select", "sqlalchemy"),
        ("jobs/service.py", "import fastapi", "fastapi"),
        ("jobs/service.py", "license = 1", "license"),
        ("jobs/utils.py", "", "utils.py"),
        ("jobs/service.py", "\n" * 401, "lines"),
        ("jobs/service.py", "def long() -> None:\n" + "    x = 1\n" * 61, "lines"),
    ],
)
def test_a_rule_bites(name: str, code: str, words: str) -> None:
    found = findings(SOURCE / name, GOOD + code)
    assert len(found) == 1
    assert words in found[0].message


def test_a_missing_docstring_is_found() -> None:
    assert [finding.line for finding in findings(SOURCE / "jobs/service.py", "x = 1\n")] == [1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("clock.py", "now = datetime.now()"),
        ("jobs/service.py", "group.create_task(work())"),
        ("jobs/service.py", "kept = loop.create_task(work())"),
        ("db/database.py", "tx.commit()"),
        ("db/dialect.py", "x = tx.dialect.name"),
        ("jobs/board_store.py", "from sqlalchemy import select"),
        ("jobs/api.py", "import fastapi"),
        ("web/pages/board.py", "import fastapi"),
        ("jobs/service.py", "# licensed, licensing.md 4.2"),
    ],
)
def test_a_rule_leaves_good_code_alone(name: str, code: str) -> None:
    assert findings(SOURCE / name, GOOD + code) == []


def test_findings_name_file_and_line() -> None:
    (finding,) = findings(SOURCE / "jobs/service.py", GOOD + "license = 1")
    assert str(finding).startswith(str(Path("src/outrider/jobs/service.py")) + ":7: ")
