"""The scheduler: wakes for earlier timers, says when it fails, and stops without a trace."""

import asyncio
import datetime as dt

import pytest

from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.ledger import CallRecord
from outrider.channels.simulated.scheduler import Scheduler
from outrider.clock import VirtualClock
from outrider.ids import AttemptId
from support.voice import PROFILES, START, Recorder, a_call


class FullDisk:
    """A ledger that can note calls, but not their ends."""

    def made(self, record: CallRecord) -> None:
        assert record.ended_at is None

    def refused(self, call_id: AttemptId, address: str, at: dt.datetime, reason: str) -> None:
        raise AssertionError(f"{call_id} {address} {at} {reason}")

    def over(self, record: CallRecord) -> None:
        raise OSError(28, f"no space left for {record.call_id}")


def test_an_earlier_timer_is_not_slept_through() -> None:
    async def run() -> None:
        clock = VirtualClock(START)
        carrier = SimulatedCarrier(clock, PROFILES)
        heard = Recorder(clock)
        carrier.connect(heard)
        scheduler = Scheduler(carrier)
        scheduler.start()
        scheduler.start()
        carrier.originate(a_call("1", "late"))
        await clock.advance(1.0)
        carrier.originate(a_call("2", "busy"))
        await clock.advance(3.0)
        assert heard.ended("2") is not None
        assert heard.ended("1") is None
        await clock.advance(30.0)
        end = heard.ended("1")
        assert end is not None
        assert end.at == START + dt.timedelta(seconds=30)
        await scheduler.stop()
        await scheduler.stop()

    asyncio.run(run())


def test_a_scheduler_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        clock = VirtualClock(START)
        carrier = SimulatedCarrier(clock, PROFILES, ledger=FullDisk())
        scheduler = Scheduler(carrier)
        scheduler.start()
        carrier.originate(a_call("1", "busy"))
        await clock.advance(10.0)
        with pytest.raises(OSError, match="no space left"):
            await scheduler.stop()

    asyncio.run(run())
    assert "the simulated carrier stopped" in caplog.text
