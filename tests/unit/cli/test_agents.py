"""`outrider agents`: made, shown, listed and imported, and mistakes in one line each."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.cli.agents import agents
from outrider.db.database import Database
from outrider.db.migrate import upgrade
from outrider.errors import OutriderError
from outrider.licences import division_store
from support.campaigning import NOON


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    database = Database(f"sqlite:///{path / 'outrider.db'}")
    upgrade(database)
    database.write_now(division_store.ensure_defaults, NOON)
    database.close()
    return path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(agents, [*arguments, "--data-folder", str(folder)])


def ok(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(folder: Path, *arguments: str) -> str:
    error = run(folder, *arguments).exception
    assert isinstance(error, OutriderError), error
    return error.message


def test_an_agent_is_made_shown_and_listed(folder: Path) -> None:
    made = ok(folder, "add", "Ada", "--address", "sip:ada@example.org", "--skill", "dutch=7", "--user")
    assert made.startswith("made the agent ada\none-time password")
    assert ok(folder, "list") == "ada\tada\tsip:ada@example.org\tdutch 7\tactive\n"
    assert "skills: dutch 7" in ok(folder, "show", "ada").splitlines()
    shown = json.loads(ok(folder, "show", "ada", "--json"))
    assert (shown["name"], shown["skills"], shown["user_id"]) == ("ada", {"dutch": 7}, 1)
    assert (
        json.loads(ok(folder, "add", "bob", "--address", "+4930123", "--json"))["one_time_password"] is None
    )
    assert [each["name"] for each in json.loads(ok(folder, "list", "--json"))] == ["ada", "bob"]


def test_a_file_makes_agents_and_changes_them(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "agents.csv"
    file.write_text("name,address,skills\nada,sip:ada@example.org,dutch=7;loans=3\nbob,+4930123,\n", "utf-8")
    assert ok(folder, "import", str(file)) == "2 made, 0 changed\n"
    file.write_text("\ufeffName,Address,Display_Name\nada,sip:ada@example.com,Ada L.\ncyd,12\n", "utf-8")
    assert json.loads(ok(folder, "import", str(file), "--json")) == {"created": ["cyd"], "changed": ["ada"]}
    assert ok(folder, "list").splitlines() == [
        "ada\tAda L.\tsip:ada@example.com\tdutch 7, loans 3\tactive",
        "bob\tbob\t+4930123\tno skills\tactive",
        "cyd\tcyd\t12\tno skills\tactive",
    ]
    file.write_text("name,address,skills\nada,12,\n", "utf-8")
    ok(folder, "import", str(file))
    assert ok(folder, "list").splitlines()[0] == "ada\tAda L.\t12\tno skills\tactive"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,phone\n", "line 1: there is no column address"),
        ("name,address,age\n", "line 1: column 'age' is unknown"),
        ("name,address\nada,sip:a\n,sip:b\n", "line 3: name: use 1 to 80 letters"),
        ("name,address\nada,not a phone\n", "line 2: address: 'not a phone' is no phone"),
        ("name,address,skills\nada,12,dutch\n", "line 2: skills: 'dutch' is not written as"),
        ("name,address,skills\nada,12,dutch=11\n", "proficiency 11 is not from 1 to 10"),
        ("name,address\nada,12\nAda,13\n", "line 3: name: 'ada' is in line 2 already"),
        ("name,address\nada,12,13\n", "line 2: there are more fields than columns"),
        ("name,address,zone\nada,12,moon\n", "zone: the organization is in no zone 'moon', but in: default"),
    ],
)
def test_a_file_with_a_mistake_changes_nothing(
    folder: Path, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "agents.csv"
    file.write_text(content, "utf-8")
    assert message in refusal(folder, "import", str(file))
    assert ok(folder, "list") == ""


def test_refusals_say_what_to_do(folder: Path, tmp_path: Path) -> None:
    ok(folder, "add", "ada", "--address", "12")
    assert "exists already" in refusal(folder, "add", "ADA", "--address", "13")
    assert "there is no agent named 'bob'" in refusal(folder, "show", "bob")
    assert "--skill dutch" in refusal(folder, "add", "bob", "--address", "12", "--skill", "dutch")
    assert "there is no organization named 'x'" in refusal(folder, "list", "--organization", "x")
    file = tmp_path / "agents.csv"
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal(folder, "import", str(file))
