"""The pages of callbacks: listed, filtered, made, changed and cancelled by supervisors."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from outrider.agents import service as agents
from outrider.agents.accounts import AccountPlan
from outrider.callbacks.model import Callback
from outrider.callbacks.service import callbacks as listed
from outrider.campaigns.strategy_agents import CallbackState
from outrider.clock import VirtualClock
from outrider.db import schema
from outrider.db.database import Database
from outrider.people.model import SYSTEM, Role
from outrider.web.pages import callbacks
from support.accessible import faults_of
from support.agent_campaigns import SOURCE
from support.campaigning import NOON, Campaigning, campaigning
from support.furnished import Form, with_rules
from support.web import Site, open_site

TOMORROW = "2026-03-05T15:30"


class Promised:
    """A site with a campaign of agents, one agent, and a supervisor."""

    def __init__(self, site: Site, system: Campaigning) -> None:
        self.site = site
        people = system.contact_list("people", 2)
        C = schema.contacts.c  # noqa: N806 - a table's columns
        # As an import would: the list knows duplicates by their numbers.
        keyed = update(schema.contacts).values(duplicate_key=C.phone)
        site.database.write_now(lambda tx: tx.execute(keyed))
        source = SOURCE.format(name="calls", mode="preview", extra="", agents="", top="")
        self.campaign = system.campaign("calls", [people], source=source)
        plan = AccountPlan("ann", "sip:ann@example.org", display_name="Ann Lee")
        self.agent = site.database.write_now(agents.create, NOON, SYSTEM, plan)
        query = select(C.id, C.phone).order_by(C.id)
        self.contacts = site.database.read_now(lambda tx: [tuple(row) for row in tx.execute(query)])
        site.user("sue", Role.SUPERVISOR, system.organization_id)
        self.form = Form(site.as_user("sue"))

    def fields(self, **change: str) -> dict[str, str]:
        """Return the form of a callback as it is filled in."""
        given = {
            "campaign_id": str(self.campaign),
            "contact": str(self.contacts[0][1]),
            "at": TOMORROW,
            "kind": "strict_agent",
            "agent_id": str(self.agent.id),
            "note": "about\nthe <loan>",
        }
        return {**given, **change}

    def all(self) -> list[Callback]:
        """Return all callbacks."""
        found, _ = self.site.database.read_now(lambda tx: listed(tx, None, states=tuple(CallbackState)))
        return found


@pytest.fixture
def of(sqlite_database: Database, tmp_path: Path) -> Iterator[Promised]:
    with open_site(
        sqlite_database, tmp_path, [callbacks.router], clock=VirtualClock(NOON), change=with_rules
    ) as opened:
        yield Promised(opened, campaigning(sqlite_database))


def test_a_callback_is_made_found_changed_and_cancelled_by_forms(of: Promised) -> None:
    form = of.form
    assert "No callback" in form.page("/callbacks")
    assert faults_of(form.page("/callbacks")) == []
    assert faults_of(form.page("/callbacks/new")) == []
    assert form.send("/callbacks/new", **of.fields()) == "/callbacks"
    page = form.page("/callbacks")
    assert faults_of(page) == []
    assert "2026-03-05 15:30 Europe/Berlin" in page
    assert "Ann Lee" in page
    assert "&lt;loan&gt;" in page
    (made,) = of.all()
    assert (made.due_at, made.contact_id, made.note) == (
        dt.datetime(2026, 3, 5, 14, 30, tzinfo=dt.UTC),
        of.contacts[0][0],
        "about\nthe <loan>",
    )
    address = f"/callbacks/{made.id}"
    shown = form.page(address)
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


def test_the_list_is_filtered(of: Promised) -> None:
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
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"agent_id": ""}, "say whose it is"),
        ({"kind": "mine"}, "choose who calls"),
        ({"address": "12"}, "Address: "),
        ({"note": "x" * 2001}, "use at most 2000 characters"),
    ],
)
def test_the_form_comes_back_with_the_mistake(of: Promised, change: dict[str, str], told: str) -> None:
    page = of.form.send("/callbacks/new", 422, **of.fields(**change))
    assert told in page
    assert faults_of(page) == []
    assert str(of.all()) == "[]"
    kept = {**of.fields(), **change}["at"]
    assert f'value="{kept}"' in page


def test_a_time_outside_of_hours_moves_when_that_is_wished(of: Promised) -> None:
    of.form.send("/callbacks/new", **of.fields(at="2026-03-05T23:30", shift="true"))
    (made,) = of.all()
    assert made.due_at > dt.datetime(2026, 3, 6, 6, 0, tzinfo=dt.UTC)


def test_viewers_see_none_of_it(of: Promised) -> None:
    of.site.user("vic", Role.VIEWER, of.agent.organization_id)
    assert of.site.as_user("vic").get("/callbacks").status_code == 403
