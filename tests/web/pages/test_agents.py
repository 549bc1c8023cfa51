"""The pages of agents: who is logged in, accounts and skills, a job's agents, and why nobody is called."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from outrider.agents import job_figures, seats, service, sessions
from outrider.agents.accounts import AccountPlan
from outrider.agents.job_figures import AgentSample
from outrider.agents.model import Agent
from outrider.campaigns import service as campaigns
from outrider.campaigns.service import CampaignPlan
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing.predictive.model import Bound
from outrider.ids import ListId, TaskId
from outrider.jobs.model import Job, Task
from outrider.licences import division
from outrider.people.model import Caller, Role
from outrider.web.pages import agent_accounts, agents, board, desktop, job_agents, jobs, why
from support.accessible import faults_of
from support.console import RULES
from support.decided import DECISION
from support.desk_site import DeskSite, desk_site
from support.furnished import Form

ROUTERS = (
    board.router,
    agents.router,
    agent_accounts.router,
    desktop.router,
    job_agents.router,
    jobs.router,
    why.router,
)
SOURCE = """
name = "talks"
[[actions]]
name = "talk"
channel = "call"
minimum = 1
maximum = 5
[actions.agents]
mode = "predictive"
abandoned = { text = "Nobody is free to talk to you now." }
"""
SPENT = replace(DECISION, bound=Bound.BUDGET, abandonment=0.041)


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, ROUTERS) as made:
        made.site.user("root")
        for name, role in (
            ("ada", Role.ADMINISTRATOR),
            ("sue", Role.SUPERVISOR),
            ("vic", Role.VIEWER),
            ("amy", Role.AGENT),
        ):
            made.site.user(name, role, made.organization_id)
        yield made


def form(desk: DeskSite, user: str = "sue") -> Form:
    return Form(desk.site.as_user(user))


def job_with_agents(desk: DeskSite) -> tuple[Job, Task]:
    """Start a job of a campaign in which agents talk."""
    people = desk.console.contact_list(desk.organization_id, "people", 3)

    def create(tx: Tx) -> int:
        now = desk.console.now
        campaigns.create_strategy(tx, desk.organization_id, SOURCE, now, "test")
        plan = CampaignPlan(name="talks", strategy_name="talks", list_ids=(ListId(people.id),))
        return campaigns.create_campaign(tx, desk.organization_id, plan, now, "test").id

    number = desk.site.database.write_now(create)
    campaign = desk.site.database.read_now(campaigns.campaign, number, None)
    job = desk.console.start(campaign)
    return job, desk.console.tasks(job.id)[0]


def caller_of(desk: DeskSite) -> Caller:
    user = desk.site.user("boss", Role.ADMINISTRATOR, desk.organization_id)
    return Caller(user.id, user.name, user.role, desk.organization_id)


def seated(desk: DeskSite, task: Task, name: str = "bob") -> Agent:
    """Make an agent who is logged in, ready, and has a seat of the task."""
    database, now = desk.site.database, desk.console.now
    plan = AccountPlan(name=name, address="4711", skills={"dutch": 7})
    agent = database.write_now(service.create, now, caller_of(desk), plan)
    kept = database.write_now(sessions.open_session, agent, now, api=True)
    row = schema.agent_sessions
    statement = row.update().where(row.c.id == kept.session.id).values(state="ready")
    database.write_now(lambda tx: tx.execute(statement).rowcount)
    database.write_now(seats.rebalance, RULES, task.pool_id, now)
    return agent


def test_an_agent_has_the_desktop_and_nothing_of_the_console(desk: DeskSite) -> None:
    amy = form(desk, "amy")
    answer = amy.api.get("/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desktop")
    for path in ("/agents", "/agents/new", "/jobs", "/jobs/1/why", "/jobs/1/agents"):
        amy.page(path, 403)
    assert form(desk, "sue").api.get("/", headers={"accept": "text/html"}).status_code == 200


def test_viewers_see_jobs_but_not_the_page_of_agents(desk: DeskSite) -> None:
    vic = form(desk, "vic")
    for path in ("/agents", "/agents/new", "/agents/stream"):
        vic.page(path, 403)
    assert 'href="/agents"' not in vic.page("/")
    assert 'href="/agents"' in form(desk).page("/")


def test_zones_that_an_organization_is_not_in_are_not_shown_to_it(desk: DeskSite) -> None:
    write, now = desk.site.database.write_now, desk.console.now
    write(division.add_zone, "rivals", now, "test")
    harbour = write(division.add_organization, "Harbour", (), now, "test")
    desk.site.user("hal", Role.SUPERVISOR, harbour)
    hal = form(desk, "hal")
    for path in ("/agents", "/agents/new"):
        assert "rivals" not in hal.page(path)
    assert "rivals" in form(desk).page("/agents/new")
    refused = hal.send("/agents/new", 422, name="eve", address="12", zone="rivals")
    assert "the organization is in no zone &#39;rivals&#39;, but in: default" in refused


def test_who_is_logged_in_is_shown_with_job_seat_and_skills(desk: DeskSite) -> None:
    _, task = job_with_agents(desk)
    seated(desk, task)
    page = form(desk).page("/agents")
    assert faults_of(page) == []
    row = page.split('<tr id="agent-')[1].split("</tr>")[0]
    for text in ("bob", "Ready", "talks", "Predictive agents", "dutch=7", "Log out now", "Not called"):
        assert text in row, text
    assert "Seats" in page
    assert "1 predictive agents" in page


def test_an_account_is_added_changed_switched_off_and_deleted(desk: DeskSite) -> None:
    sue = form(desk)
    assert faults_of(sue.page("/agents/new")) == []
    fields = {"name": "Bob", "address": "4711", "zone": "default", "skills": "dutch=7; loans=3"}
    assert sue.send("/agents/new", **fields, enabled="true") == "/agents"
    (bob,) = desk.site.database.read_now(service.agents, desk.organization_id)
    assert (bob.name, dict(bob.skills), bob.enabled, bob.user_id) == (
        "bob",
        {"dutch": 7, "loans": 3},
        True,
        None,
    )
    page = sue.page(f"/agents/{bob.id}")
    assert faults_of(page) == []
    assert 'value="dutch=7; loans=3"' in page
    sue.send(f"/agents/{bob.id}", **{**fields, "skills": "dutch=9"})
    (bob,) = desk.site.database.read_now(service.agents, desk.organization_id)
    assert (dict(bob.skills), bob.enabled) == ({"dutch": 9}, False)
    assert "Switched off" in sue.page("/agents")
    assert sue.send(f"/agents/{bob.id}/remove") == "/agents"
    assert desk.site.database.read_now(service.agents, desk.organization_id) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": "a b"}, "error-name"),
        ({"address": "two words"}, "error-address"),
        ({"skills": "dutch"}, "error-skills"),
        ({"skills": "dutch=11"}, "error-skills"),
    ],
)
def test_a_mistake_is_told_at_its_field(desk: DeskSite, change: dict[str, str], place: str) -> None:
    fields = {"name": "bob", "address": "4711", "zone": "default", **change}
    page = form(desk).send("/agents/new", 422, **fields)
    assert f'id="{place}"' in page
    assert faults_of(page) == []


def test_a_one_time_password_is_shown_once_and_only_administrators_make_users(desk: DeskSite) -> None:
    fields = {"name": "bob", "address": "4711", "zone": "default", "enabled": "true", "user": "true"}
    form(desk).send("/agents/new", 403, **fields)
    assert desk.site.database.read_now(service.agents, desk.organization_id) == []
    ada = form(desk, "ada")
    page = ada.send("/agents/new", 200, **fields)
    found = re.search(r'<code id="password">([^<]+)</code>', page)
    assert found is not None
    assert faults_of(page) == []
    (bob,) = desk.site.database.read_now(service.agents, desk.organization_id)
    assert found[1] not in ada.page(f"/agents/{bob.id}")
    assert desk.site.api().sign_in("bob", found[1]).get("/api/session").json()["must_change_password"]


def test_skills_are_added_and_removed(desk: DeskSite) -> None:
    sue = form(desk)
    assert sue.send("/skills/new", name="dutch") == "/agents#skills"
    assert "is a skill" in sue.send("/skills/new", 422, name="dutch")
    (skill,) = desk.site.database.read_now(service.skills, desk.organization_id)
    sue.send(f"/skills/{skill.id}/remove")
    assert desk.site.database.read_now(service.skills, desk.organization_id) == []


def test_commands_reach_the_floor_and_only_ones_own_agents(desk: DeskSite) -> None:
    ann, token = desk.agent("ann")
    desk.site.api().bear(token).post("/api/agent/session", json={})
    sue = form(desk)
    path = f"/agents/{ann}/commands/"
    assert sue.send(path + "not_ready", reason="training") == "/agents"
    session = desk.desk.session_of(ann)
    assert session is not None
    assert (session.state.value, session.reason) == ("not_ready", "training")
    sue.send(path + "wrap_up", 422)
    sue.send(path + "move", 422)
    other = desk.site.organization("Elsewhere")
    desk.site.user("eve", Role.SUPERVISOR, other)
    form(desk, "eve").send(path + "log_out", 404, force="true")
    form(desk, "vic").send(path + "log_out", 403, force="true")
    assert desk.desk.session_of(ann) is not None
    sue.send(path + "log_out", force="true")
    assert desk.desk.session_of(ann) is None
    sue.send(path + "ready", 404)


def test_the_agents_of_a_job_with_figures_and_chart(desk: DeskSite) -> None:
    job, task = job_with_agents(desk)
    seated(desk, task)
    sample = AgentSample(TaskId(task.id), busy=3, ready=1, lines=5, waiting=2)
    desk.site.database.write_now(job_figures.keep, [sample], desk.console.now)
    vic = form(desk, "vic")
    assert f'href="/jobs/{job.id}/agents"' in vic.page(f"/jobs/{job.id}")
    page = vic.page(f"/jobs/{job.id}/agents")
    assert faults_of(page) == []
    assert "75.0%" in page
    assert "3.0%" in page
    fragment = vic.api.get(f"/jobs/{job.id}/agents", headers={"hx-request": "true"}).text
    assert "<html" not in fragment
    drawn = json.loads(vic.page(f"/jobs/{job.id}/agents/chart"))
    assert (drawn["busy"], drawn["lines"], drawn["abandoned"]) == ([3], [5], [None])


def test_why_nobody_is_called_for_the_job_a_task_and_a_contact(desk: DeskSite) -> None:
    job, task = job_with_agents(desk)
    seated(desk, task)
    desk.desk.decided[TaskId(task.id)] = [("pbx", SPENT)]
    vic = form(desk, "vic")
    why_job = f"/jobs/{job.id}/why"
    for path in (why_job, f"/tasks/{task.id}/why"):
        page = vic.page(path)
        assert faults_of(page) == []
        assert "On pbx: dials nobody: 4.10% of live answers were abandoned" in page
        assert "Abandonment budget" in page
    query = select(schema.targets.c.contact_id).order_by(schema.targets.c.id)
    contact = desk.site.database.read_now(lambda tx: tx.execute(query).scalars().first())
    page = vic.page(f"{why_job}?contact={contact}")
    assert faults_of(page) == []
    assert "It is due now" in page or "calling hours" in page
    assert "is not one of job" in vic.page(f"{why_job}?contact=999999", 404)
    other = desk.site.organization("Elsewhere")
    desk.site.user("eve", Role.ADMINISTRATOR, other)
    form(desk, "eve").page(why_job, 404)
    form(desk, "eve").page(f"/jobs/{job.id}/agents", 404)


def test_a_floor_without_times_is_the_same_while_nothing_happens(desk: DeskSite) -> None:
    _, task = job_with_agents(desk)
    seated(desk, task)
    database, organization = desk.site.database, desk.organization_id
    now = desk.console.now
    first = database.read_now(agents.read_floor, organization, now)
    later = database.read_now(agents.read_floor, organization, now + dt.timedelta(seconds=30))
    assert later.agents[0].seconds == first.agents[0].seconds + 30
    assert first.without_time() == later.without_time()
    assert [each.name for each in first.destinations] == ["talks / talk"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (7384, "2:03:04")])
def test_durations_read_as_clocks(seconds: float, text: str) -> None:
    assert agents.duration(seconds) == text
