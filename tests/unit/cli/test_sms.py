"""`outrider sms`: segments are counted, connections tried, and the simulated centre is a real process."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.channels.model import TextResult
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.cli.sms import sms
from outrider.errors import InvalidInputError, NotFoundError, OutriderError
from support.message_centre import a_text, channel_over, play

MAIN = "from outrider.cli.sms import sms; sms()"
CONNECTION = (
    '[[sms.connections]]\nname = "{}"\nhost = "127.0.0.1"\nport = {}\nsystem_id = "test"\npassword = "{}"\n'
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(sms, arguments)


@contextmanager
def simulated(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-c", MAIN, "simulate", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().removeprefix("message centre on 127.0.0.1:"))
    finally:
        process.kill()
        process.communicate()


def test_segments_for_people_and_for_programs() -> None:
    assert run("segments", "Hello").output == "1 segment, 5 characters, 155 left in the last\n"
    shown = run("segments", "“Hello” " + "a" * 70).output
    assert shown.startswith("2 segments, 78 characters, 56 left in the last\n")
    assert "GSM 7-bit has no “ ”" in shown
    facts = json.loads(run("segments", "--json", "--wide", "€" * 80 + "a").output)
    assert facts == {
        "alphabet": "gsm_7",
        "segments": 2,
        "characters": 81,
        "units": 161,
        "left_in_last": 143,
        "outside_gsm": "",
    }
    refused = run("segments", "a" * 153 * 256)
    assert isinstance(refused.exception, InvalidInputError)


def test_the_simulated_centre_serves_and_says_what_it_did(tmp_path: Path) -> None:
    with simulated("--receipt-delay", "0.01") as (process, port):
        settings = tmp_path / "settings.toml"
        settings.write_text(
            CONNECTION.format("good", port, "test") + CONNECTION.format("bad", port, "x"), "utf-8"
        )
        result = run("check", "--settings", str(settings))
        assert result.exit_code == 1
        assert (
            f"good: ok: the message centre good at 127.0.0.1:{port} named simulated bound test"
            in result.output
        )
        assert "bad: error: " in result.output
        assert "the password is wrong (0x0E)" in result.output
        assert run("check", "good", "--settings", str(settings)).exit_code == 0
        unknown = run("check", "other", "--settings", str(settings))
        assert isinstance(unknown.exception, NotFoundError)
        assert "there is good, bad" in unknown.exception.message

        async def scenario() -> None:
            async with channel_over(SmppSettings("main", "127.0.0.1", port, "test", "test")) as (
                channel,
                heard,
            ):
                assert (await channel.send(a_text(1))).result is TextResult.ACCEPTED
                await heard.until(lambda: len(heard.receipts) == 1)

        play(scenario)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        books = json.loads(process.stdout.readline())
        assert (books["taken"], books["receipts"], books["binds"], books["binds_refused"]) == (1, 1, 3, 1)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with simulated() as (_, port):
        result = run("simulate", "--port", str(port))
        assert isinstance(result.exception, OutriderError)
        assert result.exception.message.startswith(f"127.0.0.1:{port} cannot be listened on: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[sms", "settings"),
        ("[sms]\nconnections = 3\n", "sms"),
        ("sms = 3\n", "sms"),
        ('[[sms.connections]]\nname = "a"\n', "sms.connections.0.host: Field required"),
    ],
)
def test_settings_that_cannot_be_read(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content, "utf-8")
    error = run("check", "--settings", str(path)).exception
    assert isinstance(error, InvalidInputError)
    assert words in error.message


def test_no_settings_and_no_connections(tmp_path: Path) -> None:
    assert run("check", "--settings", str(tmp_path / "none.toml")).exit_code == 2
    empty = tmp_path / "empty.toml"
    empty.write_text("", "utf-8")
    error = run("check", "--settings", str(empty)).exception
    assert isinstance(error, NotFoundError)
