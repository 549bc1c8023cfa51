"""The strategy form over HTTP: shown, checked, changed by its buttons, saved, compared between versions."""

import re

import pytest

from outrider.campaigns.strategy_document import parse_strategy
from outrider.campaigns.templates import Template, template, templates
from outrider.web.pages.strategy_document import as_data, posted
from outrider.web.pages.strategy_form import read_form
from outrider.web.pages.strategy_view import form_view
from support.accessible import faults_of, parse
from support.furnished import Form, Furnished


def sent(source: str) -> dict[str, object]:
    """Return what a browser without scripts sends of an untouched form."""
    document = as_data(source)
    assert document is not None
    return {"original": source, **posted(form_view(document, ()))}


def source_of(form: Form, address: str) -> str:
    page = parse(form.page(f"{address}?view=source"))
    return next(each.text for each in page.elements if each.attributes.get("id") == "source").strip("\n")


@pytest.mark.parametrize("chosen", templates(), ids=lambda each: each.key)
def test_every_template_is_a_form_that_can_be_saved(furnished: Furnished, chosen: Template) -> None:
    form = furnished.form("ada")
    page = form.page(f"/strategies/new?template={chosen.key}")
    assert "It can be run." in page
    assert faults_of(page) == []
    address = form.send("/strategies/form", then="activate", **sent(chosen.source))
    saved = form.page(address)
    assert "Active" in saved
    assert '<fieldset class="strategy-form__fields" disabled' in saved
    assert faults_of(saved) == []
    assert source_of(form, address) == chosen.source.strip("\n")


def test_inputs_are_sent_as_the_page_shows_them(furnished: Furnished) -> None:
    """What `posted` says of a form is what the page's inputs hold."""
    page = parse(furnished.form("ada").page("/strategies/new?template=appointment"))
    held: dict[str, list[str]] = {}
    options: dict[str, str] = {}
    for each in page.elements:
        name, kind = each.attributes.get("name", ""), each.attributes.get("type", "text")
        if each.tag == "select":
            chosen = name
        elif each.tag == "option" and (chosen not in options or "selected" in each.attributes):
            options[chosen] = each.attributes["value"]
        elif each.tag == "textarea":
            held.setdefault(name, []).append(each.text.removeprefix("\n"))
        elif each.tag == "input" and name and (kind != "checkbox" or "checked" in each.attributes):
            held.setdefault(name, []).append(each.attributes.get("value", ""))
    for name, value in options.items():
        held.setdefault(name, []).append(value)
    expected = sent(template("appointment").source)
    assert expected.keys() <= held.keys()
    assert read_form(held) == read_form(posted(form_view(as_data(template("appointment").source) or {}, ())))


def test_a_field_at_fault_is_named_beside_it(furnished: Furnished) -> None:
    form = furnished.form("ada")
    wrong = {**sent(template("call").source), "actions[0].priority": "11", "actions[0].prompt.text": ""}
    page = form.send("/strategies/form", 200, **wrong)
    assert faults_of(page) == []
    elements = {each.attributes.get("id", ""): each for each in parse(page).elements}
    assert "Must be a whole number from 1 to 10, not 11." in elements["f-actions-0-priority-error"].text
    assert elements["f-actions-0-priority"].attributes["aria-invalid"] == "true"
    assert "f-actions-0-priority-error" in elements["f-actions-0-priority"].attributes["aria-describedby"]
    assert "exactly one of text and file" in elements["f-actions-0-prompt-error"].text
    assert "open" in elements["f-actions-0-Pace-and-licences"].attributes
    refused = form.send("/strategies/form", 422, then="activate", **wrong)
    assert "cannot be used" in refused
    assert 'value="11"' in refused


def test_buttons_change_the_shape_without_scripts(furnished: Furnished) -> None:
    form = furnished.form("ada")
    page = form.send("/strategies/form", 200, do="action sms", **sent(template("call").source))
    assert 'id="f-actions-1-text"' in page
    assert faults_of(page) == []
    page = form.send("/strategies/form", 200, do="section actions[0].menu", **sent(template("call").source))
    assert 'name="actions[0].menu.choices[0].digit"' in page
    rule = {**sent(template("call").source), "new:actions[0].retry": "congestion"}
    page = form.send("/strategies/form", 200, do="key actions[0].retry", **rule)
    assert 'name="actions[0].retry.congestion.count"' in page
    page = form.send("/strategies/form", 200, do="remove actions[0]", **sent(template("call").source))
    assert "actions[0]" not in page.replace("actions[0].prompt", "") or "is missing" in page


@pytest.mark.parametrize("verb", ["remove", "up", "item", "any"])
def test_a_place_beyond_all_numbers_changes_nothing(furnished: Furnished, verb: str) -> None:
    given = sent(template("call").source)
    page = furnished.form("ada").send("/strategies/form", 200, do=f"{verb} actions[{'1' * 5_000}]", **given)
    assert 'name="actions[0].name"' in page
    assert 'name="actions[1].name"' not in page


def test_a_condition_is_built_by_buttons(furnished: Furnished) -> None:
    form = furnished.form("ada")
    place = "actions[0].condition"
    page = form.send("/strategies/form", 200, do=f"condition {place}", **sent(template("call").source))
    assert f'name="{place}.attribute"' in page
    first = {
        **sent(template("call").source),
        f"~{place}": "comparison",
        f"{place}.attribute": "language",
        f"{place}.operator": "equals",
        f"{place}.value": "de",
    }
    page = form.send("/strategies/form", 200, do=f"any {place}", **first)
    assert f'name="{place}.any[1].attribute"' in page
    assert faults_of(page) == []
    address = form.send("/strategies/form", then="activate", **first)
    [action] = parse_strategy(source_of(form, address)).actions
    assert action.condition is not None


def test_a_packed_form_and_a_script_are_answered_with_the_form_alone(furnished: Furnished) -> None:
    form = furnished.form("ada")
    response = form.api.request(
        "POST",
        "/strategies/form",
        data={
            "csrf_token": form.token,
            "fields": "do=action+webhook&~actions[0]=1&actions[0].channel=sms&name=A",
        },
        headers={"hx-request": "true"},
    )
    assert response.status_code == 200
    assert response.text.lstrip().startswith('<div class="strategy-form__body" id="strategy-form"')
    assert 'data-focus="f-actions-1"' in response.text
    assert 'name="actions[1].url"' in response.text
    assert "<html" not in response.text


def test_more_fields_than_a_form_may_have_travel_packed(furnished: Furnished) -> None:
    form = furnished.form("ada")
    many = "&".join(f"~actions[0].windows[{n}]=1" for n in range(5_000))
    packed = f"~actions[0]=1&actions[0].channel=sms&{many}"
    data = {"csrf_token": form.token, "fields": packed}
    response = form.api.request("POST", "/strategies/form", data=data, headers={"hx-request": "true"})
    assert response.status_code == 200
    assert "at most 20 are allowed" in response.text


def test_a_draft_with_broken_text_is_shown_as_source(furnished: Furnished) -> None:
    form = furnished.form("ada")
    address = form.send("/strategies", source="name = ", then="draft")
    page = form.page(address)
    assert "The form cannot show this text" in page
    assert 'id="source"' in page
    corrected = template("email").source.replace("Newsletter", "Untitled", 1)
    page = form.send(address, 200, source=corrected, then="form")
    assert 'name="actions[0].subject"' in page
    form.send(f"{address}/form", then="activate", **sent(corrected))
    assert "Active" in form.page(address)


def test_views_change_without_losing_what_was_typed(furnished: Furnished) -> None:
    form = furnished.form("ada")
    changed = {**sent(template("call").source), "name": "Autumn calls"}
    page = form.send("/strategies/form", 200, do="source now", **changed)
    assert "name = &#34;Autumn calls&#34;" in page
    assert 'id="source"' in page


def test_what_changed_between_versions(furnished: Furnished) -> None:
    form = furnished.form("ada")
    first = form.send("/strategies", source=template("call").source, then="activate")
    assert "first version" in form.page(f"{first}/changes")
    second = form.send(
        "/strategies", source=template("call").source.replace("priority = 5", "priority = 9"), then="activate"
    )
    page = form.page(f"{second}/changes")
    assert faults_of(page) == []
    assert re.search(r"actions\.call\.priority.*?5.*?9", page, re.DOTALL)
    assert "Nothing changed" in form.page(f"{second}/changes?since={second.rpartition('/')[2]}")
    assert f'href="{second}/changes"' in form.page("/strategies")
    broken = form.send("/strategies", source='name = "Notification call"', then="draft")
    assert "cannot be compared" in form.page(f"{broken}/changes")
    form.page(f"/strategies/{furnished.foreign.strategy_id}/changes", 404)


def test_viewers_read_and_may_not_post(furnished: Furnished) -> None:
    viewer = furnished.form("vera")
    page = viewer.page(f"/strategies/{furnished.important.strategy_id}")
    assert "disabled" in page
    assert 'name="then"' not in page
    viewer.send("/strategies/form", 403, **sent(template("call").source))
    other = furnished.form("ada")
    other.send(f"/strategies/{furnished.foreign.strategy_id}/form", 404, **sent(template("call").source))
