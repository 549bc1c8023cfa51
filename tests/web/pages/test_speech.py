"""The pages of speech servers: tables that stay fresh, form by engine, check, remove."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from outrider.db.database import Database
from outrider.media.checking import Finding, Level
from outrider.speech import service
from outrider.speech.check import SpeechCheck
from outrider.speech.model import SpeechServer
from outrider.web.pages import speech
from support.accessible import faults_of
from support.browser import open_browser
from support.furnished import Form
from support.server import run_server
from support.speech import ASR, TTS, Speaking, speaking
from support.web import PASSWORD, Site, open_site

MOUTH = {
    "name": "mouth",
    "maximum": "5",
    "weight": "2",
    "enabled": "true",
    "option_voice": "de",
    "option_speed": "160",
}


async def check(_: SpeechServer) -> tuple[Finding, ...]:
    return (
        Finding(Level.OK, "speech", "it spoke 2.1 s in 60 ms"),
        Finding(Level.WARNING, "folder", "/data is closed to other users: open it with chmod o+x"),
    )


@pytest.fixture
def system(sqlite_database: Database) -> Speaking:
    made = speaking(sqlite_database)
    made.license(asr=3, tts=2)
    return made


@pytest.fixture
def site(system: Speaking, tmp_path: Path) -> Iterator[Site]:
    parts: Mapping[type, object] = {SpeechCheck: SpeechCheck(check)}
    with open_site(
        system.database, tmp_path, (speech.router,), change=lambda edge: replace(edge, parts=parts)
    ) as opened:
        opened.user("root")
        yield opened


@pytest.fixture
def form(site: Site) -> Form:
    return Form(site.as_user("root"))


def test_a_speech_server_is_added_changed_checked_and_removed(system: Speaking, form: Form) -> None:
    page = form.page("/speech")
    assert "No server is configured" in page
    assert faults_of(page) == []
    address = form.send("/speech/new?engine=espeak", **MOUTH)
    (server,) = system.database.read_now(service.servers)
    assert (server.kind, server.maximum, server.weight, server.options["voice"]) == (TTS, 5, 2, "de")
    page = form.page(address)
    assert faults_of(page) == []
    assert 'value="160"' in page
    assert form.send(f"{address}?engine=espeak", **{**MOUTH, "enabled": ""}) == address
    assert "Switched off" in form.page("/speech")
    web = {**MOUTH, "option_url": "http://tts/say", "option_format": "form", "option_text_field": "t"}
    for name in ("option_speed", "option_voice"):
        del web[name]
    assert form.send(f"{address}?engine=http", **web) == address
    (server,) = system.database.read_now(service.servers)
    assert (server.engine, server.options["format"], server.enabled) == ("http", "form", True)
    page = form.send(f"{address}/check", 200)
    assert "is closed to other users" in page
    assert faults_of(page) == []
    assert form.send(f"{address}/remove") == "/speech"
    form.page(address, 404)


@pytest.mark.parametrize("engine", ["espeak", "http", "command", "pocketsphinx"])
def test_every_engine_has_a_form(form: Form, engine: str) -> None:
    page = form.page(f"/speech/new?engine={engine}")
    assert faults_of(page) == []
    form.page("/speech/new?engine=parrot", 422)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "must have 1 to 80"),
        ("maximum", "many", "give a whole number"),
        ("maximum", "--5", "give a whole number"),
        ("maximum", "9" * 5_000, "give a whole number"),
        ("weight", "0", "must be from 1 to"),
        ("option_speed", "9000", "must be from 80 to 450"),
        ("option_voice", "-x", "must be a name"),
    ],
)
def test_a_mistake_is_told_at_its_field(form: Form, field: str, value: str, words: str) -> None:
    page = form.send("/speech/new?engine=espeak", 422, **{**MOUTH, field: value})
    assert words in page
    assert f'id="error-field-{field}"' in page or f'id="error-{field}"' in page
    assert faults_of(page) == []


def test_without_licences_the_page_says_why_there_is_no_server(system: Speaking, form: Form) -> None:
    system.license(asr=0, tts=2)
    assert "No connection is licensed" in form.page("/speech")
    assert "No ASR connection is licensed" in form.page("/speech/new?engine=pocketsphinx")
    ears = {"name": "ears", "maximum": "5", "weight": "1", "enabled": "true"}
    page = form.send("/speech/new?engine=pocketsphinx", 422, **ears)
    assert "No ASR connection is licensed" in page
    assert faults_of(page) == []


def test_a_server_in_use_stays_and_its_use_is_shown(system: Speaking, form: Form) -> None:
    server = system.server("ears", ASR, 5)
    (call,) = system.calls(1)
    assert system.take(call, ASR)
    page = form.page("/speech")
    assert "job 1" in page
    assert faults_of(page) == []
    page = form.send(f"/speech/{server}/remove", 422)
    assert "1 calls use speech server ears" in page


def test_only_administrators_of_the_system_see_them(site: Site) -> None:
    site.user("ada", organization_id=site.organization("acme"))
    form = Form(site.as_user("ada"))
    for path in ("/speech", "/speech/new"):
        form.page(path, 403)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_stays_fresh_and_fits(
    system: Speaking, site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    system.server("ears", ASR, 5)
    system.server("mouth with quite a long name for a speech server", TTS, 1)
    server = system.server("second mouth", TTS, 4)
    calls = system.calls(2)
    with run_server(site.app, site.edge.news) as running:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(f"{running.address}/sign-in")
        page.get_by_label("User name").fill("root")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{running.address}/speech")
        expect(page.get_by_text("No call uses a speech connection now")).to_be_visible()
        for call in calls:
            assert system.take(call, ASR)
        assert system.take(calls[0], TTS)
        expect(page.get_by_text("2 of 3 licensed connections in use")).to_be_visible(timeout=10_000)
        page.screenshot(path=str(tmp_path / f"speech-{width}.png"), full_page=True)
        for name, path in (("server", f"/speech/{server}"), ("web", "/speech/new?engine=http")):
            page.goto(f"{running.address}{path}")
            if name == "server":
                page.get_by_role("button", name="Check now").click()
                expect(page.get_by_text("It spoke 2.1 s in 60 ms")).to_be_visible()
            page.screenshot(path=str(tmp_path / f"{name}-{width}.png"), full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0
        assert mistakes == []
        context.close()
