"""The why page, what-if, the history of recalculations, and the page of one job."""

import datetime as dt

import pytest
from sqlalchemy import insert

from outrider.db import schema
from outrider.jobs.model import JobCommand
from support.furnished import Furnished


def test_the_sentence_the_facts_and_the_recalculation(furnished: Furnished) -> None:
    task = furnished.task(furnished.lesser)
    page = furnished.form("vera").page(f"/tasks/{task.id}/why")
    assert f"Survey / call has {task.quota} outbound ports" in page
    assert "shared by priority" in page
    assert "start of Survey" in page
    assert f"<strong>{task.quota}</strong>" in page


def test_a_paused_task_is_explained_too(furnished: Furnished) -> None:
    furnished.console.command(furnished.important.id, JobCommand.PAUSE)
    page = furnished.form("vera").page(f"/tasks/{furnished.task(furnished.important).id}/why")
    assert "because its job is paused" in page


def test_what_if_changes_nothing(furnished: Furnished) -> None:
    task, other = furnished.task(furnished.lesser), furnished.task(furnished.important)
    form = furnished.form("vera")
    page = form.page(f"/tasks/{task.id}/why?priority=10&maximum=20")
    assert "Before and after" in page
    assert "Then: Survey / call has" in page
    assert furnished.task(furnished.lesser) == task
    assert furnished.task(furnished.important) == other


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("more=50", 200, "+"),
        ("more=-100", 422, "fewer"),
        ("priority=11", 422, "less than or equal to 10"),
        ("minimum=40", 422, "minimum 40 and maximum 30"),
        ("start={spare}", 200, "Evening / call (new)"),
        ("start=99", 422, "no campaign 99"),
        ("stop={lesser}", 200, "Survey / call"),
        ("priority=x", 422, "whole number"),
    ],
)
def test_what_if_of_every_kind(furnished: Furnished, query: str, status: int, words: str) -> None:
    asked = query.format(spare=furnished.spare.id, lesser=furnished.lesser.id)
    task = furnished.task(furnished.important)
    page = furnished.form("vera").page(f"/tasks/{task.id}/why?{asked}", status)
    assert words.lower() in page.lower()


def test_what_if_as_a_fragment(furnished: Furnished) -> None:
    api = furnished.site.as_user("vera")
    task = furnished.task(furnished.important)
    answer = api.get(f"/tasks/{task.id}/why?priority=1", headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Before and after" in answer.text


def test_history_is_paged_and_shows_differences(furnished: Furnished) -> None:
    for _ in range(20):
        furnished.console.command(furnished.lesser.id, JobCommand.PAUSE)
        furnished.console.command(furnished.lesser.id, JobCommand.RESUME)
    pool = furnished.task(furnished.lesser).pool_id
    form = furnished.form("vera")
    page = form.page(f"/history?pool={pool}")
    assert page.count("<tr id=") == 25
    assert "diff__by--up" in page
    assert "Resume" in page
    older = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Newest" in form.page(older)


def test_the_page_of_a_job(furnished: Furnished) -> None:
    task = furnished.task(furnished.important)
    furnished.console.outcomes(task.id, {"answered": (7, 7), "busy": (3, 0)})
    now = furnished.console.now
    furnished.console.sample(task.id, now, 12, 12, 9)

    form = furnished.form("vera")
    page = form.page(f"/jobs/{furnished.important.id}")
    assert "No answer" not in page
    assert "Busy" in page
    assert f'href="/api/jobs/{furnished.important.id}/results.csv"' in page
    chart = form.api.get(f"/jobs/{furnished.important.id}/chart").json()
    assert [each["task"] for each in chart["series"]] == [task.id]
    live = form.api.get(f"/jobs/{furnished.important.id}", headers={"hx-request": "true"})
    assert live.text.lstrip().startswith('<div class="stack stack--large" id="job-live"')


def test_attempts_of_a_contact(furnished: Furnished) -> None:
    task, now = furnished.task(furnished.important), furnished.console.now

    def write(number: int) -> None:
        target = schema.targets.c
        query = (
            schema.targets.select()
            .where(target.job_id == furnished.important.id, target.contact_id == number)
            .limit(1)
        )
        found = furnished.site.database.read_now(lambda tx: tx.execute(query).mappings().one())
        row = {
            "id": f"{number:032x}",
            "task_id": task.id,
            "target_id": found["id"],
            "contact_id": number,
            "number": 1,
            "address": f"+4420794{number:05d}",
            "claimed_at": now,
            "ended_at": now + dt.timedelta(seconds=9),
            "outcome": "no_answer",
        }
        furnished.site.database.write_now(lambda tx: tx.execute(insert(schema.attempts), [row]).close())

    write(3)
    write(4)
    form = furnished.form("vera")
    page = form.page(f"/jobs/{furnished.important.id}")
    assert "+442079400003" in page
    assert "no answer" in page
    one = form.page(f"/jobs/{furnished.important.id}?contact=4")
    assert "+442079400004" in one
    assert "+442079400003" not in one
    form.page(f"/jobs/{furnished.important.id}?contact=x", 422)
