"""The pages of callbacks: listed, filtered, made, changed and cancelled by supervisors."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.callbacks import api as callbacks_api
from outrider.clock import VirtualClock
from outrider.db.database import Database
from outrider.people.model import Role
from outrider.web.pages import callbacks
from support.accessible import faults_of
from support.campaigning import NOON, campaigning
from support.furnished import with_rules
from support.promised_site import TOMORROW, PromisedSite
from support.web import open_site


@pytest.fixture
def of(sqlite_database: Database, tmp_path: Path) -> Iterator[PromisedSite]:
    routers = [callbacks.router, callbacks_api.router]
    with open_site(sqlite_database, tmp_path, routers, clock=VirtualClock(NOON), change=with_rules) as opened:
        yield PromisedSite(opened, campaigning(sqlite_database))


def test_a_callback_is_made_found_changed_and_cancelled_by_forms(of: PromisedSite) -> None:
    form = of.form
    assert "No callback" in form.page("/callbacks")
    assert faults_of(form.page("/callbacks")) == []
    assert faults_of(form.page("/callbacks/new")) == []
    assert form.send("/callbacks/new", **of.fields()) == "/callbacks"
    page = form.page("/callbacks")
    assert faults_of(page) == []
    assert "2026-03-05 15:30</time>" in page
    assert "Europe/Berlin" in page
    assert "Ann Lee" in page
    assert "&lt;loan&gt;" in page
    (made,) = of.all()
    assert (made.due_at, made.contact_id, made.note) == (
        dt.datetime(2026, 3, 5, 14, 30, tzinfo=dt.UTC),
        of.contacts[0][0],
        "about\nthe <loan>",
    )
    assert "while a job of its campaign runs" in page
    address = f"/callbacks/{made.id}"
    shown = form.page(address)
    assert "expire, while a job of the campaign runs" in shown
    assert faults_of(shown) == []
    assert f'value="{TOMORROW}"' in shown
    again = of.fields(time_zone="Europe/Berlin", kind="campaign", address=made.address, note="soon")
    assert form.send(address, **again) == "/callbacks"
    (changed,) = of.all()
    assert (changed.due_at, changed.expires_at) == (made.due_at, made.expires_at)
    assert (changed.agent_id, changed.note) == (None, "soon")
    form.send(f"{address}/cancel", why="moved away")
    assert "No callback" in form.page("/callbacks")
    gone = form.page("/callbacks?state=cancelled")
    assert "moved away" in gone
    assert faults_of(form.page(address)) == []
    assert "Cancel the callback" not in form.page(address)


def test_the_list_is_filtered(of: PromisedSite) -> None:
    of.form.send("/callbacks/new", **of.fields())
    of.form.send("/callbacks/new", **of.fields(contact=str(of.contacts[1][0]), kind="campaign"))
    first, second = (str(phone) for _, phone in of.contacts)
    page = of.form.page("/callbacks")
    assert first in page
    assert second in page
    own = of.form.page(f"/callbacks?agent={of.agent.id}&campaign={of.campaign}&state=waiting")
    assert first in own
    assert second not in own
    assert "No callback" in of.form.page("/callbacks?state=done")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"contact": "+49301111111111"}, "Contact: "),
        ({"contact": "nobody"}, "no contact"),
        ({"at": "soon"}, "give a date and a time"),
        ({"at": "2026-03-01T15:30"}, "give a time from now"),
        ({"at": "2026-03-05T23:30"}, "outside of the contact"),
        ({"at": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "beyond the calendar"),
        ({"at": "9999-12-31T23:59", "time_zone": "America/New_York"}, "beyond the calendar"),
        ({"at": "0001-01-01T00:00", "time_zone": "UTC"}, "give a time from now"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"agent_id": ""}, "say whose it is"),
        ({"kind": "mine"}, "choose who calls"),
        ({"address": "12"}, "Address: "),
        ({"note": "x" * 2001}, "use at most 2000 characters"),
    ],
)
def test_the_form_comes_back_with_the_mistake(of: PromisedSite, change: dict[str, str], told: str) -> None:
    page = of.form.send("/callbacks/new", 422, **of.fields(**change))
    assert told in page
    assert faults_of(page) == []
    assert str(of.all()) == "[]"
    kept = {**of.fields(), **change}["at"]
    assert f'value="{kept}"' in page


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"at": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "at"),
        ({"at": "9999-12-31T23:59", "time_zone": "America/New_York"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
    ],
)
def test_the_ends_of_the_calendar_are_no_times_of_callbacks(
    of: PromisedSite, change: dict[str, str], where: str
) -> None:
    wanted = {"campaign_id": of.campaign, "contact_id": of.contacts[0][0], "at": f"{TOMORROW}+01:00"}
    answer = of.site.as_user("sue").post("/api/callbacks", {**wanted, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.text
    assert answer.json()["where"] == where
    assert of.all() == []
    assert of.site.as_user("sue").post("/api/callbacks", wanted).status_code == 201


def test_a_time_outside_of_hours_moves_when_that_is_wished(of: PromisedSite) -> None:
    of.form.send("/callbacks/new", **of.fields(at="2026-03-05T23:30", shift="true"))
    (made,) = of.all()
    assert made.due_at > dt.datetime(2026, 3, 6, 6, 0, tzinfo=dt.UTC)


def test_viewers_see_none_of_it(of: PromisedSite) -> None:
    of.site.user("vic", Role.VIEWER, of.agent.organization_id)
    assert of.site.as_user("vic").get("/callbacks").status_code == 403
