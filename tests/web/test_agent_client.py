"""`outrider.client` against a real server: the how-to, lost answers and connections, simulated agents."""

import asyncio
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.agents.actions import Give
from outrider.agents.commands import Callback, Hold, WrapUp
from outrider.agents.model import Session
from outrider.agents.notifications import CallConnected, SeatTaken, StateChanged, Welcome
from outrider.client import AgentApiError, AgentClient
from outrider.client.simulated import Habits, simulate
from outrider.completion.model import DEFAULT_CODES
from outrider.db.database import Database
from outrider.settings import DesktopSettings
from support.desk_site import DeskSite, desk_site, play, serving

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, desktops=DesktopSettings(desktop_patience=0.05)) as made:
        yield made


def calls_for(desk: DeskSite) -> None:
    """Let a contact answer for everybody who is free."""
    numbers = iter(range(1_000_000))

    def answer(session: Session) -> None:
        if desk.desk.floor.free(desk.desk.of.task_id, "") > 0 and session.is_free:
            desk.desk.answer(f"call-{next(numbers)}")

    desk.desk.on_ready = answer


class Losing(httpx.AsyncBaseTransport):
    """A network that delivers requests, and loses the first answer to each kind of them."""

    def __init__(self) -> None:
        self._below = httpx.AsyncHTTPTransport()
        self.lost: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._below.handle_async_request(request)
        what = f"{request.method} {request.url.path}"
        if what not in self.lost:
            self.lost.append(what)
            await answer.aread()
            raise httpx.ReadError("the answer is lost")
        return answer

    async def aclose(self) -> None:
        await self._below.aclose()


def test_the_example_of_the_documentation_takes_a_call(
    desk: DeskSite, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs/how-to/agent-web-api.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "agent-web-api.md", "exec"), names)  # noqa: S102 - our own documentation

    def answer_and_hang_up(_: Session) -> None:
        if not any(isinstance(each, Give) for each in desk.desk.carried_out):
            desk.desk.answer("call-a")
            asyncio.get_running_loop().call_later(0.1, desk.desk.end, "call-a")

    desk.desk.on_ready = answer_and_hang_up
    _, token = desk.agent("ann")

    async def scenario() -> None:
        async with serving(desk.site) as address:
            await names["work"](address, token)

    play(scenario)
    assert capsys.readouterr().out == "talking to +442079460001\n"
    (wrap_up,) = [each for _, each in desk.desk.commands if isinstance(each, WrapUp)]
    assert (wrap_up.code, wrap_up.note) == ("sale", "Wants two.")
    assert desk.desk.floor.sessions() == ()


def test_lost_answers_are_asked_for_again_and_nothing_is_done_twice(desk: DeskSite) -> None:
    _, token = desk.agent("ann")

    async def scenario() -> None:
        network = Losing()
        async with (
            serving(desk.site) as address,
            httpx.AsyncClient(transport=network) as http,
            AgentClient(address, token, http=http) as ann,
        ):
            state = await ann.log_in("sip:home@example.org", ready=True)
            assert state["address"] == "sip:home@example.org"
            heard = ann.notifications()
            async for told in heard:
                seen = told.notification
                if isinstance(seen, SeatTaken) or (isinstance(seen, Welcome) and seen.session["job"]):
                    desk.desk.answer("call-a")
                if isinstance(seen, CallConnected):
                    break
            # Without the websocket, commands are requests.
            await heard.aclose()
            await ann.hold()
            await ann.unhold()
            await ann.end_call()
            await ann.wrap_up("call_back", callback=Callback(desk.site.clock.now(), note="n"))
            assert (await ann.state())["state"] == "ready"
            assert await ann.log_out()
            assert {"POST /api/agent/session", "DELETE /api/agent/session"} <= set(network.lost)
            assert "POST /api/agent/session/commands/hold" in network.lost
        assert sum(isinstance(each, Hold) for _, each in desk.desk.commands) == 1
        assert sum(isinstance(each, WrapUp) for _, each in desk.desk.commands) == 1

    play(scenario)


def test_commands_go_over_the_websocket_while_it_is_followed(desk: DeskSite) -> None:
    """Also from within the loop over notifications; what the websocket does not answer is a request."""
    _, token = desk.agent("ann")

    async def scenario() -> None:
        network = Losing()
        async with (
            serving(desk.site) as address,
            httpx.AsyncClient(transport=network) as http,
            AgentClient(address, token, http=http) as ann,
        ):
            await ann.log_in(ready=True)
            heard = ann.notifications()
            async for told in heard:
                seen = told.notification
                if isinstance(seen, SeatTaken) or (isinstance(seen, Welcome) and seen.session["job"]):
                    desk.desk.answer("call-a")
                if isinstance(seen, CallConnected):
                    with pytest.raises(AgentApiError) as refused:
                        await ann.unhold()
                    assert (refused.value.status, refused.value.code) == (409, "illegal_transition")
                    await ann.hold()
                    break
            assert not any("commands" in each for each in network.lost)
            (session,) = desk.desk.floor.sessions()
            for feed in desk.desk.feeds._listening[session.id]:
                feed.put(None)
            await ann.unhold()
            assert (await ann.state())["state"] == "talking"
            await heard.aclose()

    play(scenario)
    names = [type(each).__name__ for _, each in desk.desk.commands]
    assert names.count("Hold") == 1
    assert "Unhold" in names


def test_a_restarted_server_is_found_again_and_what_was_missed_is_told(desk: DeskSite) -> None:
    _, token = desk.agent("ann")

    async def scenario() -> None:
        async with serving(desk.site) as address, AgentClient(address, token) as ann:
            await ann.log_in(ready=True)
            heard = ann.notifications()
            async for told in heard:
                if isinstance(told.notification, SeatTaken):
                    break
            session = desk.desk.floor.sessions()[0]
            for feed in desk.desk.feeds._listening[session.id]:
                # As when the server stops: the connection ends while the session goes on.
                feed.put(None)
            desk.desk.answer("call-a")
            kinds = []
            async for told in heard:
                kinds.append(told.notification)
                if isinstance(told.notification, CallConnected):
                    break
            welcome = next(each for each in kinds if isinstance(each, Welcome))
            assert welcome.resumed
            assert [each.after for each in kinds if isinstance(each, StateChanged)] == ["talking"]

    play(scenario)


def test_refusals_are_raised_with_their_code(desk: DeskSite) -> None:
    _, token = desk.agent("ann")

    async def scenario() -> None:
        async with serving(desk.site) as address:
            async with AgentClient(address, "or_nothing") as nobody:
                with pytest.raises(AgentApiError) as refused:
                    await nobody.log_in()
                assert (refused.value.status, refused.value.code) == (401, "not_authenticated")
            async with AgentClient(address, token) as ann:
                with pytest.raises(AgentApiError, match="is not logged in"):
                    await ann.ready()
                with pytest.raises(AgentApiError) as refused:
                    async for _ in ann.notifications():
                        pass
                assert refused.value.status == 404
                await ann.log_in()
                with pytest.raises(AgentApiError) as refused:
                    await ann.hold()
                assert refused.value.code == "illegal_transition"
                assert await ann.log_out()
                assert await ann.log_out()

    play(scenario)


def test_a_server_that_stays_away_is_told_after_the_patience() -> None:
    async def scenario() -> None:
        async with AgentClient("http://127.0.0.1:1", "or_x", patience=0.3) as ann:
            with pytest.raises(AgentApiError, match="cannot be reached"):
                await ann.log_in()

    play(scenario)


def test_records_are_read_and_written(desk: DeskSite) -> None:
    _, token = desk.agent("ann")

    async def scenario() -> None:
        async with serving(desk.site) as address, AgentClient(address, token) as ann:
            assert next(iter(await ann.completion_codes()))["name"] == DEFAULT_CODES[0].name
            assert await ann.jobs() == []
            assert await ann.callbacks() == []
            await ann.prefer_campaigns([])
            assert await ann.is_blocked("+442079460001") is False
            await ann.block("+442079460001")
            assert await ann.is_blocked("020 7946 0001", "GB") is True
            assert (await ann.figures())["calls"] == 0

    play(scenario)


def test_simulated_agents_work_until_they_are_stopped(desk: DeskSite) -> None:
    tokens = [desk.agent(f"agent-{number}")[1] for number in range(5)]
    calls_for(desk)
    habits = Habits(preview=0.01, talk=0.05, wrap_up=0.02, codes={"sale": 1.0, "not_interested": 3.0})

    async def scenario() -> None:
        async with serving(desk.site) as address, httpx.AsyncClient() as http:
            clients = [AgentClient(address, token, http=http) for token in tokens]
            happened, delays = await simulate(clients, habits, seed=3, seconds=3.0)
        codes = sum(number for what, number in happened.items() if what.startswith("code "))
        assert happened["calls"] >= codes > 10
        assert happened["code not_interested"] > happened["code sale"] > 0
        assert not [what for what in happened if what.startswith(("refused", "not logged in"))], happened
        assert len(delays) > codes
        assert desk.desk.floor.sessions() == ()

    play(scenario)


def test_times_are_drawn_around_their_mean() -> None:
    habits, chance = Habits(speed=10.0), random.Random(7)
    drawn = [habits.seconds(60.0, chance) for _ in range(4000)]
    assert 5.8 < sum(drawn) / len(drawn) < 6.2
    assert 2800 < sum(3.0 < each < 10.0 for each in drawn) < 3200
