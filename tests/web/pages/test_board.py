"""The board's forms, its chart, and its stream of changed parts."""

import datetime as dt
import json

import pytest

from outrider.jobs.model import JobCommand, JobState
from outrider.licences.model import LicenceKind
from outrider.people.model import Caller, Role
from outrider.web.pages.board_feed import Feed, Viewing, meters, parts, read_snapshot
from support.console import COUNTS, EMAIL, RULES
from support.furnished import Furnished
from support.web import Site


def test_limits_are_changed_by_a_form(furnished: Furnished) -> None:
    task = furnished.task(furnished.lesser)
    assert furnished.form("sam").send(f"/tasks/{task.id}/limits", priority="9") == "/"
    after = furnished.task(furnished.lesser)
    assert (after.priority, after.minimum, after.maximum) == (9, 1, 30)
    assert after.quota > task.quota


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("priority", "11", "is not from 1 to 10"),
        ("priority", "x", "priority: give a whole number"),
        ("minimum", "31", "below the minimum of 31"),
        ("maximum", "0", "below the minimum of 1"),
        ("minimum", "-1", "is not a count of licences"),
    ],
)
def test_bad_limits_are_refused_in_words(furnished: Furnished, field: str, value: str, words: str) -> None:
    task = furnished.task(furnished.lesser)
    page = furnished.form("sam").send(f"/tasks/{task.id}/limits", 422, **{field: value})
    assert words in page.lower()
    assert furnished.task(furnished.lesser) == task


def test_commands_go_through_a_jobs_life(furnished: Furnished) -> None:
    form, job = furnished.form("sam"), furnished.important.id
    for command, state in (
        ("pause", JobState.PAUSED),
        ("resume", JobState.RUNNING),
        ("snooze", JobState.SNOOZED),
        ("resume", JobState.RUNNING),
        ("stop", JobState.STOPPED),
    ):
        assert form.send(f"/jobs/{job}/commands/{command}") == "/"
        assert furnished.site.as_user("root").get(f"/api/jobs/{job}").json()["state"] == state


def test_a_snooze_can_end_by_itself(furnished: Furnished) -> None:
    furnished.form("sam").send(f"/jobs/{furnished.important.id}/commands/snooze", minutes="30")
    shown = furnished.site.as_user("root").get(f"/api/jobs/{furnished.important.id}").json()
    until = dt.datetime.fromisoformat(shown["snoozed_until"])
    assert until - furnished.console.now == dt.timedelta(minutes=30)


def test_an_impossible_command_is_explained_on_the_board(furnished: Furnished) -> None:
    furnished.console.command(furnished.important.id, JobCommand.STOP)
    page = furnished.form("sam").send(f"/jobs/{furnished.important.id}/commands/pause", 409)
    assert "A stopped job cannot pause" in page
    assert "Live board" in page


def test_a_campaign_is_started_once(furnished: Furnished) -> None:
    form = furnished.form("sam")
    assert form.send(f"/campaigns/{furnished.spare.id}/start", to="/campaigns") == "/campaigns"
    assert "has not ended" in form.send(f"/campaigns/{furnished.spare.id}/start", 409)
    assert "Ready to start" not in form.page("/")


def test_nothing_starts_without_a_licence(site: Site, furnished: Furnished) -> None:
    file_id = site.as_user("root").get("/licences").text
    assert "L-2026-001" in file_id
    furnished.form("root").send("/licences/files/remove", file_id="L-2026-001")
    assert "grace period" in furnished.form("sam").page("/")
    site.advance(30 * 86_400)
    furnished.console.poll()
    page = furnished.form("sam").send(f"/campaigns/{furnished.spare.id}/start", 409)
    assert "load a new file" in page
    assert "licence has expired." in furnished.form("sam").page("/")


def test_the_meter_adds_up(furnished: Furnished) -> None:
    task = furnished.task(furnished.important)
    furnished.console.use(task.id, 5)
    snapshot = furnished.site.database.read_now(
        read_snapshot, RULES, furnished.harbour, furnished.console.now
    )
    [bar] = meters(snapshot.board)
    assert (bar.count, bar.in_use, bar.in_use + bar.idle, bar.free) == (40, 5, 40, 0)
    assert [part.job_id for part in bar.segments] == [furnished.important.id, furnished.lesser.id]
    assert bar.segments[1].start == bar.segments[0].used + bar.segments[0].idle


def test_a_cut_pool_shows_more_than_it_has(furnished: Furnished) -> None:
    furnished.console.use(furnished.task(furnished.important).id, 20)
    furnished.console.load_licence({**COUNTS, LicenceKind.OUTBOUND_PORTS: 6})
    snapshot = furnished.site.database.read_now(
        read_snapshot, RULES, furnished.harbour, furnished.console.now
    )
    [bar] = meters(snapshot.board)
    assert bar.in_use == 20
    assert bar.size >= 20 > bar.count
    assert bar.free == 0


def test_the_stream_tells_only_what_changed(furnished: Furnished) -> None:
    caller = Caller(1, "sam", Role.SUPERVISOR, furnished.harbour)
    viewing = Viewing(caller, "token")

    def look() -> dict[str, object]:
        snapshot = furnished.site.database.read_now(
            read_snapshot, RULES, furnished.harbour, furnished.console.now
        )
        message = viewing.news(snapshot, 1)
        assert message is not None
        found: dict[str, object] = json.loads(message.data)
        return found

    first = look()
    jobs = [f"job-{furnished.important.id}", f"job-{furnished.lesser.id}"]
    assert [name for name in first["order"] if name.startswith("job-")] == jobs  # type: ignore[attr-defined] # JSON
    assert look()["parts"] == {}
    furnished.console.use(furnished.task(furnished.lesser).id, 2)
    changed = look()["parts"]
    assert isinstance(changed, dict)
    assert set(changed) == {jobs[1], next(name for name in viewing.shown if name.startswith("pool-"))}


def test_streams_of_one_organization_share_a_look(furnished: Furnished) -> None:
    feed = Feed(furnished.harbour)

    async def looks() -> tuple[object, object]:
        edge = furnished.site.edge
        return await feed.look(edge, RULES), await feed.look(edge, RULES)

    first, second = furnished.site.runner.run(looks())
    assert first is second


def test_the_page_and_the_stream_show_the_same(furnished: Furnished) -> None:
    form = furnished.form("sam")
    page = form.page("/")
    snapshot = furnished.site.database.read_now(
        read_snapshot, RULES, furnished.harbour, furnished.console.now
    )
    user = furnished.site.user("copy", Role.SUPERVISOR, furnished.harbour)
    caller = Caller(user.id, "sam", user.role, user.organization_id)
    for name, html in parts(snapshot, caller, form.token).items():
        if name != "supply-banner":
            assert html in page, name


def test_the_chart_has_history_of_visible_jobs(furnished: Furnished) -> None:
    now = furnished.console.now
    for job, quota in ((furnished.important, 30), (furnished.foreign, 12)):
        furnished.console.sample(
            furnished.task(job).id, now - dt.timedelta(seconds=30), quota, quota, quota - 1
        )
    chart = furnished.site.as_user("sam").get("/board/chart?minutes=5").json()
    assert chart["times"] == [(now - dt.timedelta(seconds=30)).timestamp()]
    [series] = chart["series"]
    assert (series["name"], series["quota"], series["in_use"]) == ("Reminders", [30], [29])


def test_email_needs_no_ports(furnished: Furnished) -> None:
    furnished.console.strategy(furnished.harbour, EMAIL.format(name="Mail"))
    campaign = furnished.console.campaign(furnished.harbour, "Letters", "Mail", furnished.people.id)
    job = furnished.console.start(campaign)
    page = furnished.form("sam").page("/")
    assert f'id="job-{job.id}"' in page
    assert "Letters</span>" not in page.split('id="pools"')[1].split('id="chart-card"')[0]
