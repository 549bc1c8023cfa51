"""REST of speech servers: for administrators of the whole system; refused without licences for them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outrider.db.database import Database
from outrider.media.checking import Finding, Level
from outrider.people.model import Role
from outrider.speech import api
from outrider.speech.check import SpeechCheck
from outrider.speech.model import SpeechServer
from support.speech import ASR, TTS, Speaking, speaking
from support.web import Api, Site, open_site

EARS = {"name": "ears", "kind": "asr", "engine": "pocketsphinx", "maximum": 5}
MOUTH = {"name": "mouth", "kind": "tts", "engine": "espeak", "maximum": 5, "options": {"voice": "de"}}


async def check(server: SpeechServer) -> tuple[Finding, ...]:
    return (Finding(Level.OK, "speech", f"{server.name} spoke"),)


@pytest.fixture
def system(database: Database) -> Speaking:
    made = speaking(database)
    made.license(asr=3, tts=2)
    return made


@pytest.fixture
def site(system: Speaking, tmp_path: Path) -> Iterator[Site]:
    parts: Mapping[type, object] = {SpeechCheck: SpeechCheck(check)}
    with open_site(
        system.database, tmp_path, (api.router,), change=lambda edge: replace(edge, parts=parts)
    ) as opened:
        yield opened


@pytest.fixture
def root(site: Site) -> Api:
    return site.api().bear(site.token(site.user("root")))


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def test_a_speech_server_is_made_changed_checked_and_removed(root: Api) -> None:
    made = ok(root.post("/api/speech-servers", MOUTH), 201)
    assert (made["quota"], made["granted"], made["in_use"], made["weight"]) == (2, 2, 0, 1)
    assert made["options"] == {"voice": "de", "speed": "150"}
    address = f"/api/speech-servers/{made['id']}"
    assert ok(root.get(address)) == made
    changed = ok(root.patch(address, {"maximum": 1, "options": {"speed": "200"}}))
    assert (changed["quota"], changed["options"]) == (1, {"voice": "de", "speed": "200"})
    other = ok(root.patch(address, {"engine": "http", "options": {"url": "http://tts/say"}}))
    assert (other["engine"], other["options"]["format"]) == ("http", "json")
    found = ok(root.post(f"{address}/check"))
    assert found == [{"level": "ok", "what": "speech", "message": "mouth spoke"}]
    assert root.delete(address).status_code == 204
    assert ok(root.get("/api/speech-servers")) == []
    assert root.get(address).status_code == 404


def test_without_licences_there_is_no_server(system: Speaking, root: Api) -> None:
    system.license(asr=0, tts=2)
    refused = root.post("/api/speech-servers", EARS)
    assert refused.status_code == 409
    assert "no ASR connection is licensed" in refused.json()["detail"]
    ok(root.post("/api/speech-servers", MOUTH), 201)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine": "espeak"}, "engine: espeak does no asr"),
        ({"options": {"language": "de"}}, "only English"),
        ({"options": {"voice": "x"}}, "no such option"),
        ({"kind": "sms"}, "kind"),
        ({"maximum": 0}, "maximum"),
        ({"name": " "}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(root: Api, changes: dict[str, Any], words: str) -> None:
    refused = root.post("/api/speech-servers", {**EARS, **changes})
    assert refused.status_code == 422, refused.text
    assert words in refused.text


def test_use_is_shown_by_kind_and_job(system: Speaking, root: Api) -> None:
    ok(root.post("/api/speech-servers", EARS), 201)
    ok(root.post("/api/speech-servers", {**MOUTH, "maximum": 1}), 201)
    for call in system.calls(2):
        assert system.take(call, ASR)
    (other,) = system.calls(1)
    assert system.take(other, TTS)
    use = ok(root.get("/api/speech-servers/use"))
    assert use["kinds"] == [
        {"kind": "asr", "licensed": 3, "in_use": 2, "without_server": 0},
        {"kind": "tts", "licensed": 2, "in_use": 1, "without_server": 1},
    ]
    assert [(job["campaign"], job["asr"], job["tts"]) for job in use["jobs"]] == [
        ("job 1", 2, 0),
        ("job 2", 0, 1),
    ]
    busy = ok(root.get("/api/speech-servers"))[0]
    refused = root.delete(f"/api/speech-servers/{busy['id']}")
    assert refused.status_code == 409
    assert "2 calls use speech server ears" in refused.json()["detail"]


def test_only_administrators_of_the_system_may(site: Site) -> None:
    acme = site.organization("acme")
    for user in (
        site.user("vic", role=Role.SUPERVISOR),
        site.user("ada", role=Role.ADMINISTRATOR, organization_id=acme),
    ):
        client = site.api().bear(site.token(user))
        for path in ("/api/speech-servers", "/api/speech-servers/use", "/api/speech-servers/1"):
            assert client.get(path).status_code == 403
        assert client.post("/api/speech-servers", EARS).status_code == 403
    assert site.api().get("/api/speech-servers").status_code == 401
