"""Desktops that must come back after a restart: who is there, by websocket or by asking, is not missed."""

import asyncio

from outrider.agents.desktops import Desktops
from outrider.agents.model import SessionId

ONE, TWO, THREE = SessionId(1), SessionId(2), SessionId(3)
NEVER = 3_600.0


def test_a_desktop_that_does_not_come_back_is_missed_until_it_asks() -> None:
    told: list[tuple[SessionId, bool]] = []

    async def scenario() -> None:
        missed = asyncio.Event()

        def tell(session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - as the protocol
            told.append((session_id, connected))
            missed.set()

        desktops = Desktops()
        desktops.expected(ONE, tell, 0.0)
        await asyncio.wait_for(missed.wait(), 10)
        assert told == [(ONE, False)]
        desktops.asked(ONE, tell, NEVER)
        assert told == [(ONE, False), (ONE, True)]

    asyncio.run(scenario())


def test_a_desktop_that_is_there_is_not_expected_and_one_that_comes_is_not_missed() -> None:
    told: list[tuple[SessionId, bool]] = []

    async def scenario() -> None:
        def tell(session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - as the protocol
            told.append((session_id, connected))

        desktops, all_alarms_rang = Desktops(), asyncio.Event()
        desktops.opened(TWO, tell)
        desktops.expected(TWO, tell, 0.0)
        desktops.expected(ONE, tell, 0.0)
        desktops.opened(ONE, tell)
        # Alarms ring in their order: this one is the last.
        desktops.expected(THREE, lambda *_: all_alarms_rang.set(), 0.0)
        await asyncio.wait_for(all_alarms_rang.wait(), 10)

    asyncio.run(scenario())
    assert told == [(TWO, True), (ONE, True)]
