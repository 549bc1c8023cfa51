"""Engines as they are configured: programs without a shell, web services; each failure is one sentence."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from outrider.db.database import Database
from outrider.errors import ChannelError, InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import Engine, Plan
from outrider.speech.options import checked
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.engines import ConfiguredVoices, http_client
from outrider.speech.synthesis.program import Espeak, Program
from outrider.speech.synthesis.service_http import WebService
from support.campaigning import NOON
from support.loops import on_a_loop
from support.speech import TTS, speaking
from support.voices import script, tone_wav

SPEAKS = """
import sys, pathlib
here = pathlib.Path(__file__)
here.with_name("asked").write_text(repr((sys.argv[1:], sys.stdin.read())))
sound = here.with_name("sound").read_bytes()
out = [word for word in sys.argv[1:] if word.endswith(".wav")]
pathlib.Path(out[0]).write_bytes(sound) if out else sys.stdout.buffer.write(sound)
"""


def asked(folder: Path) -> str:
    return (folder / "asked").read_text()


@on_a_loop
async def test_espeak_gets_the_text_on_standard_input(tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(tone_wav())
    voice = Espeak("server", script(tmp_path, "espeak-ng", SPEAKS), "en-us", "150")
    assert await voice.speak("-w x [[h@]] $(id)", "") == tone_wav()
    assert asked(tmp_path) == repr(
        (["-v", "en-us", "-s", "150", "--stdout", "--stdin"], "-w x [ [h@]] $(id)")
    )
    await voice.speak("Hallo", "de")
    assert "'de'" in asked(tmp_path)


@on_a_loop
async def test_any_program_gets_its_words_and_no_shell_reads_them(tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(tone_wav())
    program = script(tmp_path, "speak", SPEAKS)
    whole = Program("server", f"{program} --voice {{voice}} '{{text}}' {{out}}", "amy")
    assert await whole.speak("{voice}; rm -rf $HOME 'x'", "") == tone_wav()
    assert "['--voice', 'amy', \"{voice}; rm -rf $HOME 'x'\"" in asked(tmp_path)
    await whole.speak("--help", "joe")
    assert "['--voice', 'joe', ' --help'" in asked(tmp_path)
    assert await Program("server", program, "").speak("Hello.", "") == tone_wav()
    assert asked(tmp_path) == repr(([], "Hello."))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.exit(3)", "failed with exit status 3$"),
        (
            "import sys; sys.stderr.write('\\nno such voice: xx\\nusage\\n'); sys.exit(1)",
            "speak failed with exit status 1: no such voice: xx$",
        ),
        ("import os; os.kill(os.getpid(), 9)", "exit status -9"),
    ],
)
def test_a_failing_program_is_told_with_its_own_words(tmp_path: Path, body: str, words: str) -> None:
    program = script(tmp_path, "speak", body)
    path = tmp_path / "run"
    path.write_text(f"#!/bin/sh\nexec {program}\n")
    path.chmod(0o755)
    os.link(path, tmp_path / "speak-link")
    voice = Program("server", str(tmp_path / "run"), "")
    with pytest.raises(ChannelError, match=words.replace("speak failed", "run failed")):
        asyncio.run(voice.speak("Hello.", ""))


@on_a_loop
async def test_a_program_that_is_missing_closed_or_silent_is_told(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="the program no-such-espeak is not there: install it"):
        await Espeak("server", "no-such-espeak", "en", "150").speak("Hello.", "")
    closed = tmp_path / "closed"
    closed.mkdir()
    with pytest.raises(ChannelError, match="closed cannot be run: Permission denied"):
        await Program("server", str(closed), "").speak("Hello.", "")
    with pytest.raises(ChannelError, match="wrote no file"):
        await Program("server", f"{script(tmp_path, 'lazy', '')} {{out}}", "").speak("Hello.", "")


GOES_ON = """
import os, time
alive = open("{folder}/alive", "w")
os.fork()
open("{folder}/started", "a").close()
time.sleep(600)
"""


@on_a_loop
async def test_a_program_that_is_given_up_is_killed_with_its_children(tmp_path: Path) -> None:
    for name in ("alive", "started"):
        os.mkfifo(tmp_path / name)
    program = script(tmp_path, "slow", GOES_ON.format(folder=tmp_path))
    work = asyncio.ensure_future(Program("server", program, "").speak("Hello.", ""))
    # What is read from this pipe ends when all processes that have it open are gone.
    gone = asyncio.ensure_future(asyncio.to_thread((tmp_path / "alive").read_text))
    await asyncio.to_thread((tmp_path / "started").read_text)
    assert not gone.done()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await gone == ""


def web(answer: Callable[[httpx.Request], httpx.Response], **fields: str) -> WebService:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    values = {"url": "http://tts/say", "format": "json", "text_field": "text", "voice_field": "voice"}
    return WebService(
        "server", client, **{**values, "voice": "", **fields}, timeout=1.0, authorization="Bearer secret"
    )


@pytest.mark.parametrize(
    ("form", "content_type", "body"),
    [
        ("json", "application/json", {"text": "Hé {voice}", "voice": "amy"}),
        ("form", "application/x-www-form-urlencoded", b"text=H%C3%A9+%7Bvoice%7D&voice=amy"),
        ("text", "text/plain; charset=utf-8", "Hé {voice}".encode()),
    ],
)
def test_a_web_service_is_posted_the_text(form: str, content_type: str, body: object) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=tone_wav())

    assert asyncio.run(web(answer, format=form).speak("Hé {voice}", "amy")) == tone_wav()
    (request,) = requests
    assert (request.method, request.headers["authorization"]) == ("POST", "Bearer secret")
    assert request.headers["content-type"] == content_type
    assert (json.loads(request.content) if form == "json" else request.content) == body


def timed_out(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


def refused(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (timed_out, "http://tts/say did not answer within 1 s"),
        (refused, "http://tts/say cannot be reached: Connection refused"),
        (lambda _: httpx.Response(503, text="model is loading\nx"), "status 503: model is loading$"),
        (lambda _: httpx.Response(302, headers={"location": "http://evil"}), "answered with status 302$"),
        (lambda _: httpx.Response(500, content=b"\x00\xff"), "answered with status 500$"),
    ],
)
def test_a_web_service_that_fails_is_told(
    answer: Callable[[httpx.Request], httpx.Response], words: str
) -> None:
    with pytest.raises(ChannelError, match=words):
        asyncio.run(web(answer).speak("Hello.", ""))


def test_a_port_where_nobody_listens_is_told() -> None:
    async def speak() -> None:
        async with http_client() as client:
            url = "http://127.0.0.1:28999/say"
            service_ = WebService("server", client, url, "json", "text", "voice", "", 1.0)
            await service_.speak("Hello.", "")

    with pytest.raises(ChannelError, match=r"http://127\.0\.0\.1:28999/say cannot be reached"):
        asyncio.run(speak())


@on_a_loop
async def test_configured_engines_are_those_switched_on_the_heavier_first(
    sqlite_database: Database, tmp_path: Path
) -> None:
    system = speaking(sqlite_database)
    system.license(asr=1, tts=9)
    for name, engine, weight, enabled, options in (
        ("light", Engine.ESPEAK, 1, True, {"voice": "de"}),
        ("heavy", Engine.COMMAND, 5, True, {"command": "piper"}),
        ("off", Engine.ESPEAK, 9, False, {}),
        ("elsewhere", Engine.COMMAND, 7, True, {"command": "not-here"}),
        ("web", Engine.HTTP, 3, True, {"url": "http://tts", "secret": "key"}),
    ):
        plan = Plan(
            name=name,
            kind=LicenceKind.TTS,
            engine=engine,
            maximum=5,
            weight=weight,
            enabled=enabled,
            options=options,
        )
        await system.database.write(service.add, checked(plan), NOON, "test")
    settings = SpeechSettings(
        prompts_folder=tmp_path, commands={"piper": "piper {out}"}, secrets={"key": "Bearer x"}
    )
    voices = ConfiguredVoices(system.database, settings)
    found = await voices()
    assert [each.name for each in found] == ["heavy", "web", "light"]
    assert len({each.identity for each in found}) == 3
    assert not any("Bearer" in repr(each) for each in found)
    await voices.close()


@pytest.mark.parametrize(
    ("engine", "options", "words"),
    [
        (
            Engine.ESPEAK,
            {"pitch": "9"},
            "options.pitch: engine espeak has no such option; it has voice, speed",
        ),
        (Engine.ESPEAK, {"speed": "9000"}, "options.speed: must be from 80 to 450"),
        (Engine.ESPEAK, {"voice": "-w"}, "options.voice: must be a name"),
        (Engine.COMMAND, {}, "options.command: is missing; its name in the settings file"),
        (Engine.COMMAND, {"command": "rm -rf /"}, "options.command: must name a command of the settings"),
        (Engine.HTTP, {}, "options.url: is missing"),
        (Engine.HTTP, {"url": "ftp://tts"}, "options.url: must be an address"),
        (Engine.HTTP, {"url": "http://user:pass@tts"}, "options.url: must be an address"),
        (Engine.HTTP, {"url": "http://tts:99999"}, "options.url: must be an address"),
        (
            Engine.HTTP,
            {"url": "http://tts", "format": "xml"},
            "options.format: must be one of json, form, text",
        ),
        (Engine.POCKETSPHINX, {"language": "de"}, "only English .en. can be recognised, not 'de'"),
    ],
)
def test_a_wrong_option_is_named(engine: Engine, options: dict[str, str], words: str) -> None:
    kind = LicenceKind.ASR if engine is Engine.POCKETSPHINX else TTS
    with pytest.raises(InvalidInputError, match=words):
        checked(Plan(name="x", kind=kind, engine=engine, maximum=1, options=options))


def test_options_that_are_not_given_have_their_defaults() -> None:
    plan = Plan(name="x", kind=TTS, engine=Engine.ESPEAK, maximum=1, options={"voice": ""})
    assert checked(plan).options == {"voice": "en-us", "speed": "150"}
    web_plan = Plan(
        name="x", kind=TTS, engine=Engine.HTTP, maximum=1, options={"url": "http://tts", "voice_field": ""}
    )
    assert checked(web_plan).options["voice_field"] == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompts_seen_as": "relative"}, "speech.prompts_seen_as: must be an absolute path"),
        ({"sounds_seen_as": "/a,b"}, "speech.sounds_seen_as: must be an absolute path"),
        ({"parallel": 0}, "speech.parallel: must be at least 1"),
        ({"timeout": 0.0}, "speech.timeout: must be greater than 0"),
        ({"largest_cache": 10}, "speech.largest_cache: must be at least"),
        ({"espeak": ""}, "speech.espeak: names no program"),
        ({"commands": {"piper": "piper 'x"}}, "speech.commands.piper: cannot be read: No closing quotation"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, fields: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        SpeechSettings(prompts_folder=tmp_path, **fields)  # type: ignore[arg-type] # parameters of a test
