"""`outrider licences share` and `replay` as a user runs them, good and bad input (licensing.md 9)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outrider.cli import main

TASK = '{"id": "a", "kind": "outbound_ports", "min": 1, "max": 30, "priority": 5, "need": 30}'
GOOD = f'{{"pool": {{"outbound_ports": 10}},\n "tasks": [\n  {TASK}\n]}}'
START = '{"at": 0, "start": "a", "allocation": "dynamic", "min": 1, "max": 30, "priority": 5}'


def task_with(field: str, value: str) -> str:
    """Return the good problem with one field of its task replaced by raw JSON."""
    task = json.loads(TASK)
    task[field] = "@"
    return GOOD.replace(TASK, json.dumps(task).replace('"@"', value))


def run(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "outrider", "licences", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, input=stdin)


def refusal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run the command in this process; return its only line of standard error, status 2 and no output."""
    monkeypatch.setattr(sys, "argv", ["outrider", "licences", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    shown = capsys.readouterr()
    assert stopped.value.code == 2
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


BAD_PROBLEMS = [
    ("{", "line 1, column 2: not JSON"),
    ("", "line 1, column 1: not JSON"),
    (GOOD.replace('"tasks"', "tasks"), "line 2, column 2: not JSON"),
    ("[" * 100_000, "nested too deeply"),
    ("[]", "must be an object"),
    ("null", "must be an object"),
    ('{"tasks": []}', "pool: is missing"),
    ('{"pool": {}}', "tasks: is missing"),
    ('{"pool": {}, "tasks": {}}', "tasks: must be a list"),
    ('{"pool": [], "tasks": []}', "pool: must be an object of counts"),
    ('{"pool": {}, "pool": {}, "tasks": []}', '"pool" stands twice'),
    ('{"pool": {}, "tasks": [], "taks": 1}', "taks: unknown field"),
    ('{"pool": {}, "tasks": [], "a\\nb\\ud800": 1}', r"a\nb\ud800: unknown field"),
    ('{"pool": {"ports": 1}, "tasks": []}', "pool.ports: unknown licence type"),
    ('{"pool": {"outbound_ports": -1}, "tasks": []}', "pool.outbound_ports: must be from 0 to 1000000000"),
    (
        '{"pool": {"outbound_ports": 1.5}, "tasks": []}',
        "pool.outbound_ports: must be a whole number, not 1.5",
    ),
    ('{"pool": {"outbound_ports": true}, "tasks": []}', "must be a whole number, not true"),
    ('{"pool": {"outbound_ports": 1e400}, "tasks": []}', "must be a whole number"),
    ('{"pool": {"outbound_ports": NaN}, "tasks": []}', "NaN is not a number"),
    ('{"pool": {"outbound_ports": -Infinity}, "tasks": []}', "-Infinity is not a number"),
    ('{"pool": {"outbound_ports": 1' + "0" * 5000 + '}, "tasks": []}', "not usable JSON: Exceeds the limit"),
    (
        '{"pool": {"outbound_ports": 1' + "0" * 90 + '}, "tasks": []}',
        "must be from 0 to 1000000000, not 1000",
    ),
    ('{"pool": {}, "tasks": [], "agents": -1}', "agents: must be from 0"),
    ('{"pool": {}, "tasks": [], "policy": "fair"}', "policy: must be one of weighted, strict"),
    ('{"pool": {}, "tasks": [], "policy": null}', "policy: must be one of weighted, strict, not null"),
    ('{"pool": {}, "tasks": [3]}', "tasks[0]: must be an object, not 3"),
    (GOOD.replace(TASK, f"{TASK},\n{TASK}"), "line 4: tasks[1].id: 'a' stands twice"),
    (task_with("id", '""'), "line 3: tasks[0].id: must be a non-empty string"),
    (task_with("id", "7"), "line 3: tasks[0].id: must be a non-empty string, not 7"),
    (task_with("kind", '"sms"'), "line 3: tasks[0].kind: must be one of outbound_ports"),
    (task_with("kind", "[]"), "tasks[0].kind: must be one of outbound_ports"),
    (task_with("min", "31"), "line 3: tasks[0].min: 31 is more than max, which is 30"),
    (task_with("min", "-1"), "tasks[0].min: must be from 0"),
    (task_with("min", '"1"'), 'tasks[0].min: must be a whole number, not "1"'),
    (task_with("min", "1.0"), "tasks[0].min: must be a whole number, not 1.0"),
    (task_with("max", "null"), "tasks[0].max: must be a whole number, not null"),
    (task_with("priority", "0"), "tasks[0].priority: must be from 1 to 10, not 0"),
    (task_with("priority", "11"), "tasks[0].priority: must be from 1 to 10, not 11"),
    (task_with("priority", "false"), "tasks[0].priority: must be a whole number"),
    (task_with("need", "-2"), "tasks[0].need: must be from 0"),
    (task_with("held", "1e3"), "tasks[0].held: must be a whole number"),
    (task_with("running", "1"), "tasks[0].running: must be true or false, not 1"),
    (task_with("started", "0.5"), "tasks[0].started: must be a whole number"),
    (task_with("started", str(10**40)), "tasks[0].started: must be from"),
    (task_with("allocation", '"static"'), "tasks[0].allocation: must be one of reserved, dynamic"),
    (task_with("prio", "1"), "tasks[0].prio: unknown field"),
    (GOOD.replace('"need": 30', '"held": 3'), "line 3: tasks[0].need: is missing"),
]


@pytest.mark.parametrize(("text", "message"), BAD_PROBLEMS, ids=[message for _, message in BAD_PROBLEMS])
def test_bad_problem(
    text: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "problem.json"
    file.write_text(text, encoding="utf-8")
    shown = refusal(capsys, monkeypatch, "share", str(file))
    assert shown.startswith(f"outrider: {file}: line ")
    assert message in shown


BAD_TIMELINES = [
    ("nonsense", "line 1, column 1: not JSON"),
    (f"{START}\n{{", "line 2, column 2: not JSON"),
    ("[]", "line 1: must be an object"),
    ('{"at": 0, "begin": "a"}', "must hold exactly one event of"),
    ('{"at": 0}', "it holds nothing"),
    ('{"at": 0, "stop": "a", "pause": "a"}', "must hold exactly one event"),
    ('{"until": true}', "line 1: at: is missing"),
    ('{"at": "0", "until": true}', "at: must be a number of seconds"),
    ('{"at": true, "until": true}', "at: must be a number of seconds"),
    ('{"at": NaN, "until": true}', "NaN is not a number"),
    ('{"at": 1e999, "until": true}', "at: must be a number of seconds"),
    ('{"at": 0, "until": false}', "until: must be true"),
    ('{"at": 5, "until": true}\n{"at": 4, "until": true}', "line 2: at: 4 is before 5"),
    ('{"at": 0, "pool": {"x": 1}}', "line 1: pool.x: unknown licence type"),
    ('{"at": 0, "pool": {"outbound_ports": -3}}', "pool.outbound_ports: must be from 0"),
    (f"{START}\n{START}", "line 2: start: task 'a' was started before"),
    (START.replace('"min": 1', '"min": 31'), "line 1: min: 31 is more than max"),
    (START.replace('"priority": 5', '"priority": 50'), "priority: must be from 1 to 10"),
    (START.replace(', "priority": 5', ""), "priority: is missing"),
    (START.replace("dynamic", "fixed"), "allocation: must be one of reserved, dynamic"),
    (START.replace('"priority"', '"colour": 1, "priority"'), "colour: unknown field"),
    ('{"at": 0, "stop": "z"}', "line 1: stop: unknown task 'z'"),
    ('{"at": 0, "attempt": "z", "calls": 1}', "attempt: unknown task 'z'"),
    (f'{START}\n{{"at": 0, "attempt": "a", "calls": -1}}', "line 2: calls: must be from 0"),
    (f'{START}\n{{"at": 0, "attempt": "a", "calls": 1.5}}', "calls: must be a whole number"),
    (f'{START}\n{{"at": 0, "attempt": "a"}}', "line 2: calls: is missing"),
    (f'{START}\n{{"at": 0, "end": "a", "calls": 1}}', "line 2: calls: 1 calls cannot end, 0 are up"),
    (f'{START}\n{{"at": 0, "set": "a", "min": 40}}', "line 2: min: min would be 40, more than max, 30"),
    (f'{START}\n{{"at": 0, "set": "a", "max": 0}}', "line 2: max: min would be 1, more than max, 0"),
    (f'{START}\n{{"at": 0, "set": "a", "priority": 0}}', "priority: must be from 1 to 10"),
    (f'{START}\n{{"at": 0, "resume": "a"}}', "line 2: resume: task 'a' is not paused"),
    (f'{START}\n{{"at": 0, "pause": "a"}}\n{{"at": 0, "pause": "a"}}', "line 3: pause: task 'a' is paused"),
    (
        f'{START}\n{{"at": 0, "stop": "a"}}\n{{"at": 0, "set": "a", "max": 3}}',
        "line 3: set: task 'a' was stopped",
    ),
    (f'{START}\n{{"options": {{}}}}', "line 2: options: options may only stand on the first line"),
    ('{"options": {"idle_after": -1}}', "options.idle_after: must not be negative"),
    ('{"options": {"policy": "x"}}', "options.policy: must be one of"),
    ('{"options": {"hold": 1}}', "options.hold: unknown field"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TIMELINES, ids=[message for _, message in BAD_TIMELINES])
def test_bad_timeline(
    text: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "timeline.jsonl"
    file.write_text(text, encoding="utf-8")
    shown = refusal(capsys, monkeypatch, "replay", str(file))
    assert shown.startswith(f"outrider: {file}: line ")
    assert message in shown


@pytest.mark.parametrize("command", ["share", "replay"])
def test_unreadable_files(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "missing.json")
    assert "cannot be read: No such file" in refusal(capsys, monkeypatch, command, missing)
    assert "cannot be read: Is a directory" in refusal(capsys, monkeypatch, command, str(tmp_path))
    binary = tmp_path / "binary"
    binary.write_bytes(b'{"at": 0,\n "\xff\xfe": 1}')
    assert "line 2: byte 12 is not UTF-8" in refusal(capsys, monkeypatch, command, str(binary))


def answer_of(*arguments: str, stdin: bytes | None = None) -> dict[str, Any]:
    done = run(*arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_share_prints_one_answer_and_the_policy_can_be_overridden(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    other = TASK.replace('"a"', '"b"').replace('"priority": 5', '"priority": 10')
    file.write_text(GOOD.replace(TASK, f"{TASK}, {other}"), encoding="utf-8")
    assert answer_of("share", str(file))["quotas"] == {"a": 3, "b": 7}
    assert answer_of("share", str(file), "--policy", "strict")["quotas"] == {"a": 1, "b": 9}
    explained = answer_of("share", str(file), "--explain")
    assert explained["why"]["a"]["binding"] == "pool"
    assert explained["why"]["a"]["sentence"].startswith("a has 3 outbound ports of the 30 it could use")


def test_share_reads_standard_input_and_a_byte_order_mark() -> None:
    answer = answer_of("share", "-", stdin=b"\xef\xbb\xbf" + GOOD.encode())
    assert answer == {
        "quotas": {"a": 10},
        "waiting": [],
        "cover": {"outbound_ports": {"outbound_ports": 10}},
        "free": {"outbound_ports": 0},
    }


def test_an_empty_timeline_prints_nothing() -> None:
    done = run("replay", "-", stdin=b"\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_share_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    file.write_text(GOOD, encoding="utf-8")
    code = (
        "import sys; sys.argv = ['outrider', 'licences', 'share', sys.argv[1]]\n"
        "from outrider.cli import cli\n"
        "cli(standalone_mode=False)\n"
        "print([name for name in ('numpy', 'sqlalchemy', 'fastapi', 'joserfc') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(file)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_group_lists_the_file_commands_too() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in (b"share", b"replay", b"keygen", b"issue", b"show"):
        assert name in done.stdout
