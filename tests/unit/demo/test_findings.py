"""A demo that did not show what it should is a failure, with its reason."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from outrider.demo.contact_files import ContactFile
from outrider.demo.figures import (
    AgentFigures,
    ImportFigures,
    JobFigures,
    MailFigures,
    OutcomeFigures,
    PoolFigures,
    RunFigures,
)
from outrider.demo.findings import findings
from outrider.demo.lending import Lending
from outrider.demo.report import data, text

WRITTEN = ContactFile(Path("a.csv"), "A", "DE", "cp1252", ";", 10, 7, 1, 2, frozenset({"+4930111111"}))
IMPORTED = ImportFigures(
    "A", "a.csv", "cp1252", ";", "done", 10, 7, 1, 2, "r.csv", {"too short": 2}, {"DE": 7}, 0, WRITTEN
)
JOB = JobFigures(
    job_id=1,
    task_id=1,
    name="Lender",
    kind="outbound_ports",
    allocation="dynamic",
    priority=8,
    minimum=4,
    maximum=40,
    state="finished",
    end_reason="no contact left to try",
    contacts=7,
    done=7,
    outcomes={"answered": OutcomeFigures(7, 7)},
    seconds=600.0,
    started_after=0.0,
    mean_in_use=20.0,
    mean_granted=30.0,
    most_in_use=32,
    seconds_at_maximum=0.0,
    lending=Lending(donations=1, donated=28, returned=28),
    quota_over_time=[32.0] * 60,
    in_use_over_time=[30.0] * 60,
)
RESERVED = dataclasses.replace(JOB, name="Keeper", allocation="reserved", lending=Lending(borrowed=28))
GOOD = RunFigures(
    seed=1,
    speed=36.0,
    real_seconds=90.0,
    setup_seconds=4.0,
    simulated_seconds=3000.0,
    imports=(IMPORTED,),
    jobs=(JOB, RESERVED),
    pool=PoolFigures(60, 60, 60, 60, 59.0, 50.0, (60.0, 52.0), [50.0] * 60),
    mail=MailFigures(9, 1, 2, 0, 9, 1, 2, 0),
    recalculations={"start": 2, "idle": 1, "return": 1},
    moves=("10:00 idle   Lender 32 > 4",),
    alarms=0,
    drifts=(),
)
AGENTS = AgentFigures(
    job_id=1,
    name="Talkers",
    mode="predictive",
    seats=12,
    most_seated=12,
    talked=97,
    told=97,
    live=100,
    abandoned=3,
    share=0.03,
    limit=0.03,
    days=30,
    busy_share=0.8,
    codes={"sale": 97},
    shared_contacts=0,
    doubled_agents=0,
    busy_over_time=[9.0] * 60,
)


def test_a_good_run_has_none_and_is_reported() -> None:
    assert findings(GOOD) == []
    assert "no drift" in text(GOOD)
    assert data(GOOD, [])["imports"][0]["expected"] == {
        "rows": 10,
        "valid": 7,
        "duplicates": 1,
        "rejected": 2,
    }


def _job(**changes: Any) -> dict[str, Any]:
    return {"jobs": (dataclasses.replace(JOB, **changes), RESERVED)}


def _agents(**changes: Any) -> dict[str, Any]:
    return {"agents": (dataclasses.replace(AGENTS, **changes),)}


def test_agents_are_reported() -> None:
    run = dataclasses.replace(GOOD, agents=(AGENTS,))
    assert findings(run) == []
    assert "3 of 100 live answers, 3.0%; its budget is 3.0% of 30 days" in text(run)
    assert "busy 80%, 12 of 12 seats used" in text(run)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (_job(state="running", done=3), "'Lender' is running with 3 of 7"),
        (_job(lending=Lending()), "no job lent licences"),
        (_job(lending=Lending(donated=28, donations=1)), "no job got licences back"),
        (_job(most_in_use=41), "41 calls at once, and its maximum is 40"),
        ({"jobs": (dataclasses.replace(JOB, allocation="reserved"),)}, "is reserved and lost 28"),
        ({"pool": dataclasses.replace(GOOD.pool, most_held=61)}, "61 ports were granted or in use"),
        ({"pool": dataclasses.replace(GOOD.pool, most_granted=59)}, "never more than 59 of 60"),
        ({"imports": (dataclasses.replace(IMPORTED, added=6),)}, "added 6, and it was written with 7"),
        ({"imports": (dataclasses.replace(IMPORTED, wrong_numbers=1),)}, "numbers read wrongly 1"),
        ({"imports": (dataclasses.replace(IMPORTED, state="failed"),)}, "the import of a.csv is failed"),
        ({"mail": dataclasses.replace(GOOD.mail, server_accepted=8)}, "we count 9, the mail server 8"),
        ({"mail": MailFigures(0, 0, 0, 0, 0, 0, 0, 0)}, "no mail was delivered"),
        ({"drifts": ("task 1: units in use is 2, should be 1",)}, "drift: task 1"),
        (_agents(talked=96), "talked to 96 contacts, and desktops were told of 97"),
        (_agents(talked=0, told=0), "no agent of 'Talkers' talked"),
        (_agents(most_seated=13), "13 agents had seats at once, and there are 12"),
        (_agents(shared_contacts=1), "1 contacts were with more than one agent"),
        (_agents(doubled_agents=2), "2 times an agent had two contacts at once"),
        ({"alarms": 1}, "failed their certificate"),
    ],
)
def test_what_went_wrong_is_named(changes: dict[str, Any], reason: str) -> None:
    found = findings(dataclasses.replace(GOOD, **changes))
    assert len(found) == 1
    assert reason in found[0]
