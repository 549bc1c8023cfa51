"""The websocket of the Agent Web API, over a real server: welcome, resuming, commands, and who may not."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from outrider.agents import desk_conversation_api as conversation
from outrider.agents.commands import EndCall, Hold
from outrider.agents.notifications import SystemNews
from outrider.db.database import Database
from outrider.runtime.feeds import Feeds
from outrider.settings import DesktopSettings
from support.desk_site import DeskSite, desk_site, play, serving
from support.desktops import desktop, logged_in, not_listening

DESKTOPS = DesktopSettings(desktop_patience=0.05, slow_reader=0.2)


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, desktops=DESKTOPS) as made:
        yield made


def test_a_call_from_welcome_to_wrap_up(desk: DeskSite) -> None:
    async def scenario() -> None:
        session, token = await logged_in(desk)
        async with serving(desk.site) as address, desktop(address, token) as ann:
            welcome = await ann.hear()
            assert (welcome["kind"], welcome["resumed"]) == ("welcome", False)
            assert welcome["session"]["session_id"] == session
            assert await ann.reply(id="1", command="ready") == {"reply": "1", "ok": True}
            assert (await ann.until(kind="seat_taken"))["campaign"] == "campaign 1"
            desk.desk.answer("call-a")
            connected = await ann.until(kind="call_connected")
            assert connected["card"]["script"] == "Good morning, Ada."
            assert (await ann.reply(id="2", command="hold"))["ok"]
            assert (await ann.reply(id="3", command="unhold"))["ok"]
            desk.desk.end("call-a")
            changed = await ann.until(kind="state_changed", after="wrap_up")
            assert changed["deadline"]
            body = {"at": "2026-03-03T10:00:00+01:00", "kind": "agent", "time_zone": "Europe/Berlin"}
            assert (await ann.reply(id="4", command="wrap_up", code="call_back", callback=body))["ok"]
            assert (await ann.until(kind="wrap_up_ended"))["code"] == "call_back"
            assert (await ann.reply(id="5", command="log_out"))["ok"]
            assert await ann.closed() == conversation.OVER

    play(scenario)


def test_numbers_grow_and_what_was_missed_is_told(desk: DeskSite) -> None:
    async def scenario() -> None:
        session, token = await logged_in(desk)
        async with serving(desk.site) as address:
            async with desktop(address, token) as ann:
                await ann.hear()
                await ann.reply(id="1", command="ready")
                last = (await ann.until(kind="seat_taken"))["id"]
            desk.desk.answer("call-a")
            await asyncio.sleep(0)
            desk.desk.end("call-a")
            async with desktop(address, token, f"?after={last}") as ann:
                heard = [await ann.hear()]
                assert (heard[0]["kind"], heard[0]["resumed"], heard[0]["id"]) == ("welcome", True, last)
                while heard[-1]["kind"] != "state_changed" or heard[-1]["after"] != "wrap_up":
                    heard.append(await ann.hear())
            numbers = [each["id"] for each in heard]
            assert numbers == sorted(set(numbers))
            assert [each["kind"] for each in heard[1:]].count("call_ended") == 1
            # Too old, or of another life: the whole state again.
            async with desktop(address, token, "?after=17") as ann:
                welcome = await ann.hear()
                assert (welcome["resumed"], welcome["session"]["state"]) == (False, "wrap_up")
            assert desk.desk.feeds.last_id(session) == welcome["id"]

    play(scenario)


def test_a_repeated_command_is_answered_alike_and_done_once(desk: DeskSite) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        async with serving(desk.site) as address:
            async with desktop(address, token) as ann:
                await ann.reply(id="1", command="ready")
                await ann.until(kind="seat_taken")
                desk.desk.answer("call-a")
                await ann.until(kind="call_connected")
                await ann.reply(id="h", command="hold")
                await ann.reply(id="u", command="unhold")
            async with desktop(address, token) as ann:
                assert (await ann.reply(id="h", command="hold"))["ok"]
                refused = await ann.reply(id="x", command="accept_preview")
                assert refused == await ann.reply(id="x", command="accept_preview")
                assert refused["problem"]["code"] == "illegal_transition"
        assert sum(isinstance(each, Hold) for _, each in desk.desk.commands) == 1

    play(scenario)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", "invalid_input"),
        ("[1]", "invalid_input"),
        ("[" * 100_000, "invalid_input"),
        ('{"command": "dance", "id": "1"}', "invalid_input"),
        ('{"command": "dial", "id": "1"}', "invalid_input"),
        ('{"command": "not_ready", "reason": "\\u0000", "id": "1"}', "invalid_input"),
        ('{"command": "move", "task_id": 1, "id": "1"}', "not_allowed"),
        ('{"command": "hold", "id": "1"}', "illegal_transition"),
    ],
)
def test_bad_messages_are_answered_with_a_problem(desk: DeskSite, message: str, code: str) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        async with serving(desk.site) as address, desktop(address, token) as ann:
            await ann.hear()
            await ann.socket.send(message)
            answer = await ann.until(ok=False)
            assert answer["problem"]["code"] == code, answer
            await ann.say(ping=7)
            assert await ann.hear() == {"pong": 7}

    play(scenario)


async def refusal(url: str, **options: Any) -> tuple[int, str]:
    """Return the status and the problem's code with which a websocket is refused; (101, "") if it is not."""
    try:
        async with connect(url, **options):
            return 101, ""
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body or b"{}")["code"]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 19, "1" * 4_500])
def test_what_is_no_number_of_a_notification_is_refused_to_anybody(
    desk: DeskSite, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with serving(desk.site) as address:
            url = f"{address.replace('http', 'ws')}/api/agent/events?after={after}"
            assert await refusal(url) == (422, "invalid_input")

    play(scenario)
    assert [each.message for each in caplog.records if each.exc_info] == []


def test_who_may_not_listen_is_told_why(desk: DeskSite) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        _, other = await asyncio.to_thread(desk.agent, "bob")
        browser = await asyncio.to_thread(desk.site.as_user, "ann")
        cookie = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        async with serving(desk.site) as address:
            url = f"{address.replace('http', 'ws')}/api/agent/events"
            bearer = {"Authorization": f"Bearer {token}"}
            assert await refusal(url) == (401, "not_authenticated")
            assert await refusal(url, additional_headers={"Authorization": "Bearer or_x"}) == (
                401,
                "not_authenticated",
            )
            assert await refusal(url, additional_headers={"Authorization": f"Bearer {other}"}) == (
                404,
                "not_found",
            )
            assert await refusal(f"{url}?after=x", additional_headers=bearer) == (422, "invalid_input")
            assert await refusal(url, additional_headers={"Cookie": cookie}) == (403, "not_allowed")
            for origin in ("https://evil.example.org", "null", "http://[", "http://[evil]", ""):
                foreign = {"Cookie": cookie, "Origin": origin}
                assert await refusal(url, additional_headers=foreign) == (403, "not_allowed")
            own = {"Cookie": cookie, "Origin": address}
            assert await refusal(url, additional_headers=own) == (101, "")
            offered = [Subprotocol("outrider.v1"), Subprotocol(f"bearer.{token}")]
            async with connect(url, subprotocols=offered) as socket:
                assert socket.subprotocol == "outrider.v1"
            desk.desk.available = False
            assert await refusal(url, additional_headers=bearer) == (503, "floor_elsewhere")
            desk.desk.available = True

    play(scenario)


def test_a_desktop_that_does_not_read_is_dropped_and_loses_nothing(desk: DeskSite) -> None:
    async def scenario() -> None:
        session, token = await logged_in(desk)
        async with serving(desk.site) as address:
            async with desktop(address, token) as ann:
                welcome = await ann.hear()
                # Nothing is read from here on: the client's own buffers fill, then the server's.
                ann.socket.transport.pause_reading()
                big = SystemNews(available=True, detail="x" * 100_000)
                for _ in range(200):
                    desk.desk.feeds.tell(session, big, desk.site.clock.now())
                await not_listening(desk, session)
                ann.socket.transport.abort()
            async with desktop(address, token, f"?after={welcome['id']}") as ann:
                again = await ann.hear()
                assert again["kind"] == "welcome"

    play(scenario)


def test_the_floor_is_told_when_a_desktop_is_gone_for_too_long(desk: DeskSite) -> None:
    async def scenario() -> None:
        session, token = await logged_in(desk)
        async with serving(desk.site) as address:
            async with desktop(address, token) as ann:
                await ann.hear()
                assert desk.desk.listening[session] is True
                async with desktop(address, token) as second:
                    await second.hear()
            # Back in time: nobody is told.
            async with desktop(address, token) as ann:
                await ann.hear()
                assert desk.desk.listening[session] is True
            await not_listening(desk, session)
            found = desk.desk.session(session)
            assert found is not None
            assert found.connected is False

    play(scenario)


def test_a_revoked_token_ends_the_connection(desk: DeskSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(conversation, "ALLOWED_EVERY", 1)

    async def scenario() -> None:
        _, token = await logged_in(desk)
        await asyncio.to_thread(desk.site.user, "root")
        root = await asyncio.to_thread(desk.site.as_user, "root")
        async with serving(desk.site) as address, desktop(address, token) as ann:
            await ann.hear()
            tokens = await asyncio.to_thread(lambda: root.get("/api/tokens").json())
            mine = next(each["id"] for each in tokens if each["user"] == "ann")
            await asyncio.to_thread(root.delete, f"/api/tokens/{mine}")
            assert await ann.closed() == conversation.NOT_ALLOWED

    play(scenario)


def test_a_desktop_follows_the_floor_that_moved(desk: DeskSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "CHECK_SECONDS", 0.02)

    async def scenario() -> None:
        session, token = await logged_in(desk)
        async with serving(desk.site) as address:
            async with desktop(address, token) as ann:
                await ann.hear()
                desk.desk.available = False
                assert await ann.closed() == conversation.RESTART
            desk.desk.available = True
            async with desktop(address, token) as ann:
                await ann.hear()
                # The same process has taken the floor anew: nothing comes through the old feeds.
                desk.desk.feeds = Feeds()
                desk.desk.feeds.tell(session, SystemNews(available=True), desk.site.clock.now())
                assert await ann.closed() == conversation.RESTART

    play(scenario)


def test_the_end_of_the_server_is_told_as_a_restart(desk: DeskSite) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        async with serving(desk.site) as address:
            opened = desktop(address, token)
            ann = await opened.__aenter__()
            await ann.hear()
        assert await ann.closed() == conversation.RESTART
        await opened.__aexit__(None, None, None)

    play(scenario)


def test_what_the_floor_wants_is_asked_in_order(desk: DeskSite) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        async with serving(desk.site) as address, desktop(address, token) as ann:
            await ann.reply(id="1", command="ready")
            await ann.until(kind="seat_taken")
            desk.desk.answer("call-a")
            await ann.until(kind="call_connected")
            for number, name in enumerate(("hold", "unhold", "hold", "unhold", "end_call")):
                await ann.say(id=f"c{number}", command=name)
            for number in range(5):
                assert (await ann.until(reply=f"c{number}"))["ok"]
        assert isinstance(desk.desk.commands[-1][1], EndCall)

    play(scenario)
