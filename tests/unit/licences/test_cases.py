"""Every worked case of licensing.md 10, through the pure functions."""

import json
from pathlib import Path

import pytest

from outrider.licences.certify import certify
from outrider.licences.problem import answer_json, read_problem
from outrider.licences.replay import record_json, replay
from outrider.licences.share import share
from outrider.licences.timeline import read_timeline
from support.licensing_cases import OWN, case_name, expected_lines, replay_cases, share_cases


@pytest.mark.parametrize("path", share_cases(), ids=case_name)
def test_share_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    problem = read_problem(json.dumps(case["problem"]), path.name)
    answer = share(problem)
    assert answer_json(answer) == case["answer"]
    assert certify(problem, answer) == ()


@pytest.mark.parametrize("path", replay_cases(), ids=case_name)
def test_replay_case(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [record_json(record) for record in replay(*read_timeline(lines, path.name))]
    assert records == expected_lines(path)


def test_all_86_cases_are_here() -> None:
    own = [path for path in (*share_cases(), *replay_cases()) if OWN in path.parents]
    assert len(own) == 86
