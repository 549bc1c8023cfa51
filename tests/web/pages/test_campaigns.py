"""Pages of strategies (templates, checks, drafts, versions) and of campaigns (the form and its mistakes)."""

import pytest

from outrider.campaigns.strategy_document import parse_strategy
from outrider.campaigns.templates import Template, template, templates
from support.furnished import Furnished


@pytest.mark.parametrize("chosen", templates(), ids=lambda each: each.key)
def test_templates_can_be_run_as_they_are(furnished: Furnished, chosen: Template) -> None:
    assert parse_strategy(chosen.source).actions
    form = furnished.form("ada")
    assert "It can be run." in form.page(f"/strategies/new?template={chosen.key}&view=source")
    address = form.send("/strategies", source=chosen.source.replace("\n", "\r\n"), then="activate")
    assert "Active" in form.page(address)
    assert "readonly" in form.page(f"{address}?view=source")


def test_problems_stand_beside_the_text_with_their_places(furnished: Furnished) -> None:
    source = 'name = "x"\n[[actions]]\nname = "call"\nchannel = "cal"\npriority = 11\n'
    form = furnished.form("ada")
    page = form.send("/strategies", 200, source=source, then="check")
    assert 'data-place="actions[0].channel"' in page
    assert 'data-place="actions[0].priority"' in page
    fragment = form.api.request(
        "POST", "/strategies/check", data={"csrf_token": form.token, "source": "name ="}
    )
    assert 'data-place="line 1"' in fragment.text
    refused = form.send("/strategies", 422, source=source, then="activate")
    assert "cannot be used" in refused
    assert "priority = 11" in refused


def test_a_draft_becomes_active(furnished: Furnished) -> None:
    form = furnished.form("ada")
    address = form.send("/strategies", source="name = ", then="draft")
    page = form.page(address)
    assert "Untitled" in page
    assert "Draft" in page
    assert "cannot be used" in form.send(address, 422, source="name = ", then="activate")
    good = template("call").source.replace("Notification call", "Untitled")
    form.send(address, source=good, then="draft")
    form.send(address, source=good, then="activate")
    assert "Active" in form.page(address)
    assert "never changes" in form.send(address, 422, source=good, then="draft")


def test_a_running_job_shows_its_version(furnished: Furnished) -> None:
    form = furnished.form("ada")
    version = furnished.important.strategy_id
    source = form.api.get(f"/strategies/new?from={version}").text
    assert "New version of Reminders calls" in source
    form.send(
        "/strategies",
        source='name = "Reminders calls"\n[[actions]]\nname="call"\nchannel="call"\nprompt={text="Hi"}\n',
        then="activate",
    )
    page = form.page("/strategies")
    assert "1 job runs it" in page
    assert "Superseded" in page
    assert "v1" in form.page(f"/jobs/{furnished.important.id}")


def test_a_version_that_ran_is_kept(furnished: Furnished) -> None:
    form = furnished.form("ada")
    assert "is kept" in form.send(f"/strategies/{furnished.important.strategy_id}/delete", 422)
    address = form.send("/strategies", source=template("call").source, then="activate")
    assert form.send(f"{address}/delete") == "/strategies"


def fields(furnished: Furnished, **changed: object) -> dict[str, object]:
    return {
        "name": "Autumn",
        "strategy_name": "Reminders calls",
        "list_ids": [str(furnished.people.id)],
        **changed,
    }


def test_a_campaign_is_created_changed_started_and_deleted(furnished: Furnished) -> None:
    form = furnished.form("ada")
    given = fields(
        furnished,
        filter_attribute=["City", "", "age"],
        filter_operator=["in", "=", "between"],
        filter_value=["Leeds, York", "", "18, 65"],
        start_at="2026-03-29T09:30",
        time_zone="Europe/Berlin",
        days=["0", "2"],
        run_for="90",
    )
    assert form.send("/campaigns", **given) == "/campaigns"
    found = next(each for each in form.api.get("/campaigns").text.split("<tr>") if "Autumn" in each)
    assert "2026-03-29 07:30 UTC" in found
    number = int(found.split("/campaigns/")[1].split('"')[0])
    page = form.page(f"/campaigns/{number}")
    for typed in ('value="Leeds, York"', 'value="18, 65"', 'value="2026-03-29T09:30"', 'value="90"'):
        assert typed in page
    form.send(f"/campaigns/{number}", **fields(furnished, name="Winter"))
    assert "by hand" in form.page("/campaigns")
    form.send(f"/campaigns/{number}/start")
    assert "has a job that has not ended" in form.send(f"/campaigns/{number}/delete", 409)
    job = form.page("/campaigns").split("Winter")[1].split("/jobs/")[1].split('"')[0]
    form.send(f"/jobs/{job}/commands/stop")
    assert form.send(f"/campaigns/{number}/delete") == "/campaigns"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "1 to 80 characters"),
        ({"name": "Reminders"}, "already"),
        ({"list_ids": []}, "name at least one contact list"),
        ({"list_ids": ["99"]}, "there is no contact list 99"),
        ({"list_ids": ["2"]}, "there is no contact list 2"),
        ({"list_ids": ["x"]}, "whole number"),
        ({"list_ids": ["9" * 30]}, "there is no"),
        ({"strategy_name": "Nothing"}, "there is no strategy"),
        ({"zone_ids": ["77"]}, "zone 77"),
        ({"start_at": "soon"}, "date and time"),
        ({"start_at": "0001-01-01T00:00"}, "year from 2000"),
        ({"days": ["1"]}, "days need a first start"),
        ({"start_at": "2026-03-29T09:30", "time_zone": "Mars/Base"}, "not an iana time zone"),
        ({"run_for": "0"}, "minutes"),
        ({"filter_attribute": ["City"], "filter_operator": ["~"], "filter_value": ["x"]}, "is not one of"),
        (
            {"filter_attribute": ["age"], "filter_operator": ["between"], "filter_value": ["1"]},
            "lowest and the highest",
        ),
    ],
)
def test_mistakes_are_told_and_what_was_typed_stays(
    furnished: Furnished, changed: dict[str, object], words: str
) -> None:
    given = fields(furnished, **changed)
    page = furnished.form("ada").send("/campaigns", 422, **given)
    assert words in page.lower()
    assert f'value="{given["name"]}"' in page


def test_the_form_of_one_organization_offers_its_own_only(furnished: Furnished) -> None:
    page = furnished.form("root").page(f"/campaigns/new?organization={furnished.nordic}")
    assert "Strangers" in page
    assert "Customers" not in page
    furnished.form("root").page("/campaigns/new?organization=99", 422)
    given = fields(furnished, organization_id=str(furnished.nordic), list_ids=["2"])
    given["strategy_name"] = "Outage calls"
    furnished.form("root").send("/campaigns", **given)
    assert "Autumn" in furnished.form("nils").page("/campaigns")
