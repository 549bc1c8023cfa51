"""The platform page: what it shows to whom, polls that are asked for, connections, the banner elsewhere."""

import datetime as dt

import pytest

from outrider.licences.model import LicenceKind
from outrider.supply import service as supply
from outrider.supply import store
from outrider.supply.authorisation import LicenceSourceError, SourceFault
from outrider.supply.connections import service as connections
from support.accessible import faults_of
from support.console import RULES
from support.furnished import Form, Furnished
from support.web import Site


def fail(furnished: Furnished, fault: SourceFault, *, days: float = 0) -> None:
    """Let a poll of a licence server fail, some days from now."""
    now = furnished.console.now + dt.timedelta(days=days)
    error = LicenceSourceError(fault, "the licence server licences.example cannot be reached")
    furnished.console.database.write_now(supply.apply_poll, RULES, error, now)


def test_the_page_shows_licence_server_features_ports_and_alarms(furnished: Furnished) -> None:
    page = furnished.form("root").page("/platform")
    for text in (
        "Normal",
        "Last successful poll",
        "Outbound ports",
        "Telephony ports",
        "embedded",
        "not in grace",
        "No connection is configured",
        "No alarms",
    ):
        assert text in page, text
    assert faults_of(page) == []


def test_an_organizations_user_sees_the_state_alone(furnished: Furnished) -> None:
    page = furnished.form("ada").page("/platform")
    assert "Normal" in page
    for text in (
        "Licence server",
        "Connections",
        "Features",
        "Alarms",
        "Example Contact Centres",
        "Poll now",
    ):
        assert text not in page, text


def test_a_poll_is_asked_for(furnished: Furnished) -> None:
    form = furnished.form("root")
    assert form.send("/platform/poll") == "/platform"
    assert furnished.console.database.read_now(store.poll_requested_at) == furnished.console.now
    assert form.page("/platform")
    furnished.form("ada").send("/platform/poll", 403)
    furnished.console.poll()
    assert furnished.console.database.read_now(store.poll_requested_at) is None


def test_connections_are_added_changed_switched_and_deleted(furnished: Furnished) -> None:
    form, database = furnished.form("root"), furnished.console.database
    form.send("/platform/connections", name="Carrier A", kind="sip", capacity="50", zone="default")
    form.send("/platform/connections", name="Old exchange", kind="h323", capacity="50")
    ports = database.read_now(connections.telephony)
    assert (ports.authorised, ports.usable, ports.sip, ports.h323) == (80, 80, 40, 40)
    page = form.page("/platform")
    assert "Carrier A" in page
    assert faults_of(page) == []
    first, second = database.read_now(connections.connections)
    form.send(f"/platform/connections/{second.id}", enabled="false")
    form.send(f"/platform/connections/{first.id}", capacity="45")
    assert database.read_now(connections.telephony).sip == 45
    page = form.page("/platform")
    assert "60 outbound_ports are authorised, but the configured connections carry only 45" in page
    form.send(f"/platform/connections/{first.id}/delete")
    assert database.read_now(connections.telephony).usable == 0
    for fields, words in (
        ({"name": "", "capacity": "5"}, "a name has 1 to 80 characters"),
        ({"name": "x", "capacity": "0"}, "0 is no number of calls or stations"),
        ({"name": "x", "capacity": "many"}, "give a whole number"),
        ({"name": "Old exchange", "capacity": "5"}, "choose another name"),
        ({"name": "x", "capacity": "5", "zone": "nowhere"}, "zone &#39;nowhere&#39;"),
    ):
        assert words in form.send("/platform/connections", 422, **fields)


@pytest.mark.parametrize(
    "path", ["/", "/campaigns", "/users", "/account", "/licences", "/platform", "/api/docs"]
)
def test_every_page_says_why_nothing_starts(furnished: Furnished, path: str) -> None:
    fail(furnished, SourceFault.UNREACHABLE, days=40)
    page = furnished.form("root").page(path)
    assert "The platform&#39;s licence has expired." in page or "The platform's licence has expired." in page
    assert "licences.example cannot be reached" in page
    assert page.count('id="supply-banner"') == 1


def test_grace_is_told_with_its_end_and_its_alarm(furnished: Furnished) -> None:
    fail(furnished, SourceFault.FORGED, days=1)
    page = furnished.form("vera").page("/")
    assert "The licence is in its grace period until 2026-04-01 09:00 UTC." in page
    page = furnished.form("root").page("/platform")
    assert "is not the one that is trusted" in page
    assert "Missed polls" in page
    assert page.count("Warning") == 2
    assert faults_of(page) == []


def test_more_outbound_than_telephony_ports_is_told(site: Site, furnished: Furnished) -> None:
    counts = {LicenceKind.OUTBOUND_PORTS: 60, LicenceKind.TELEPHONY_PORTS: 50}
    furnished.console.load_licence(counts)
    page = Form(site.as_user("root")).page("/platform")
    assert "60 outbound_ports are authorised, but only 50 telephony_ports" in page
