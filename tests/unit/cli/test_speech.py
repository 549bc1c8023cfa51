"""`outrider speech`: the commands at the machine itself, over a real database file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.cli.speech import speech
from outrider.db.database import Database
from outrider.errors import ConflictError, InvalidInputError, LicenceShortageError, NotFoundError
from support.databases import sqlite_url
from support.speech import ASR, Speaking, speaking


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with sqlite_url(tmp_path) as made:
        yield made


@pytest.fixture
def system(url: str) -> Iterator[Speaking]:
    database = Database(url, connections=2)
    made = speaking(database)
    made.license(asr=3, tts=2)
    yield made
    database.close()


def run(url: str, folder: Path, *words: str, status: int = 0) -> Result:
    done = CliRunner().invoke(speech, [*words, "--database", url, "--data-folder", str(folder / "data")])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    return done


def test_servers_are_added_listed_changed_and_removed(url: str, system: Speaking, tmp_path: Path) -> None:
    added = run(url, tmp_path, "add", "mouth", "--engine", "espeak", "--option", "voice=de")
    assert added.output == "added mouth: 2 TTS connections fall to it\n"
    run(url, tmp_path, "add", "ears", "--engine", "pocketsphinx", "--maximum", "2")
    (call,) = system.calls(1)
    assert system.take(call, ASR)
    listed = run(url, tmp_path, "list").output.splitlines()
    assert listed[0] == "ASR: 1 of 3 licensed connections in use"
    assert listed[3].split() == ["ears", "asr", "pocketsphinx", "True", "2", "1", "2", "2", "1", "0"]
    assert listed[-1] == "job 1 (job 1): ASR 1, TTS 0"
    facts = json.loads(run(url, tmp_path, "list", "--json").output)
    assert facts["kinds"]["asr"] == {"licensed": 3, "in_use": 1}
    assert facts["jobs"] == [{"job": 1, "campaign": "job 1", "asr": 1, "tts": 0}]
    changed = run(
        url, tmp_path, "set", "mouth", "--maximum", "1", "--option", "speed=200", "--disable", "--json"
    )
    fields = json.loads(changed.output)
    assert (fields["maximum"], fields["enabled"], fields["quota"]) == (1, False, 0)
    assert fields["options"] == {"voice": "de", "speed": "200"}
    run(url, tmp_path, "set", "mouth", "--engine", "http", "--option", "url=http://tts", "--name", "web")
    with pytest.raises(ConflictError, match="1 calls use speech server ears"):
        run(url, tmp_path, "remove", "ears")
    assert run(url, tmp_path, "remove", "web").output == "removed web\n"


@pytest.mark.usefixtures("system")
def test_mistakes_are_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no speech server named 'x'; there are: none"):
        run(url, tmp_path, "remove", "x")
    with pytest.raises(InvalidInputError, match="write NAME=VALUE with one of"):
        run(url, tmp_path, "add", "x", "--engine", "espeak", "--option", "pitch=3")
    with pytest.raises(InvalidInputError, match="only English"):
        run(url, tmp_path, "add", "x", "--engine", "pocketsphinx", "--option", "language=fr")
    run(url, tmp_path, "add", "x", "--engine", "espeak")
    with pytest.raises(InvalidInputError, match="say what to change"):
        run(url, tmp_path, "set", "x")
    with pytest.raises(InvalidInputError, match="pocketsphinx does no tts; choose espeak, command, http"):
        run(url, tmp_path, "set", "x", "--engine", "pocketsphinx")


def test_without_licences_no_server_is_added(url: str, system: Speaking, tmp_path: Path) -> None:
    system.license(asr=0, tts=0)
    with pytest.raises(LicenceShortageError, match="no TTS connection is licensed"):
        run(url, tmp_path, "add", "mouth", "--engine", "espeak")


@pytest.mark.usefixtures("system")
def test_a_check_that_fails_has_exit_status_1(url: str, tmp_path: Path) -> None:
    run(url, tmp_path, "add", "mouth", "--engine", "http", "--option", "url=http://127.0.0.1:28998/say")
    done = run(url, tmp_path, "check", "mouth", status=1)
    assert done.output.startswith("wrong: speech: http://127.0.0.1:28998/say cannot be reached")
    rows = json.loads(run(url, tmp_path, "check", "mouth", "--json", status=1).output)
    assert rows[0]["level"] == "error"
