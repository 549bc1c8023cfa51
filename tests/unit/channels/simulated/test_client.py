"""The TCP client and server through broken connections, restarts and other controllers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest

from outrider.channels.base import DuplicateCallError
from outrider.channels.model import CallAnswered, CallRinging, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.faults import Faults
from outrider.channels.simulated.server import CarrierServer
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.voice import PATIENCE, PROFILES, SPEED, Recorder, a_call


@asynccontextmanager
async def served(clock: Clock | None = None, grace: float = 1.0) -> AsyncIterator[CarrierServer]:
    server = CarrierServer(
        SimulatedCarrier(clock or ScaledClock(SPEED, RealClock().now()), PROFILES, seed=7), grace=grace
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def controller(
    server: CarrierServer, name: str = "one", patience: float = 10.0
) -> AsyncIterator[tuple[TcpCarrier, Recorder, asyncio.Event]]:
    back = asyncio.Event()
    address = CarrierAddress(
        server.host, server.port, name, patience, shortest_pause=0.01, longest_pause=0.02
    )
    client = TcpCarrier(address, on_reconnected=back.set)
    heard = Recorder(server.carrier.clock)
    await client.open(heard)
    try:
        yield client, heard, back
    finally:
        await client.close()


def test_events_of_a_broken_connection_arrive_once_after_it_is_restored() -> None:
    async def run() -> None:
        async with served() as server, controller(server) as (client, heard, back):
            await client.originate(a_call("1", "no_answer", ring_timeout=30.0))
            await heard.until(lambda: heard.has("1", CallRinging))
            await server.disconnect_all()
            async with asyncio.timeout(PATIENCE):
                await back.wait()
            await heard.until(lambda: heard.ended("1") is not None)
            assert [event.call_id for event in heard.events] == ["1", "1"]

    asyncio.run(run())


def test_a_controller_that_comes_back_under_its_name_is_told_what_it_missed() -> None:
    async def run() -> None:
        async with served() as server:
            async with controller(server) as (client, heard, _):
                await client.originate(a_call("1", "silent"))
                await client.originate(a_call("2", "late"))
                await heard.until(lambda: heard.has("1", CallAnswered))
            async with controller(server, "two") as (client, observer, _):
                await client.originate(a_call("3", "no_answer", ring_timeout=60.0))
                await observer.until(lambda: observer.ended("3") is not None)
                assert {event.call_id for event in observer.events} == {"3"}
            async with controller(server) as (client, heard, _):
                await heard.until(lambda: heard.ended("2") is not None)
                assert [call.call_id for call in (await client.living()).calls] == ["1"]

    asyncio.run(run())


def test_who_asks_what_is_up_inherits_the_calls_of_controllers_that_are_gone() -> None:
    async def run() -> None:
        async with served(grace=0.0) as server, controller(server, "two") as (second, heard, _):
            async with controller(server, "one") as (first, _, _):
                await first.originate(a_call("1", "silent"))
                assert [call.call_id for call in (await second.living()).calls] == ["1"]
            await second.hang_up(AttemptId("1"))
            async with asyncio.timeout(PATIENCE):
                while heard.ended("1") is None:
                    await second.living()

    asyncio.run(run())


def test_a_command_whose_answer_was_lost_is_not_carried_out_twice() -> None:
    async def run() -> None:
        async with served() as server, controller(server) as (client, heard, _):
            connection = next(iter(server._connections))
            with patch.object(connection, "send"):
                originating = asyncio.get_running_loop().create_task(client.originate(a_call("1", "silent")))
                async with controller(server, "two") as (other, _, _), asyncio.timeout(PATIENCE):
                    while (await other.statistics())["originated"] == 0:
                        pass
                await server.disconnect_all()
            await originating
            assert server.carrier.counts.originated == 1
            assert server.carrier.counts.duplicates_refused == 1
            with pytest.raises(DuplicateCallError):
                await client.originate(a_call("1", "silent"))
            await heard.until(lambda: heard.has("1", CallAnswered))

    asyncio.run(run())


def test_commands_fail_while_the_carrier_is_away_and_work_again_after_its_restart() -> None:
    async def run() -> None:
        async with served() as server, controller(server) as (client, heard, back):
            await client.originate(a_call("1", "silent"))
            await server.stop()
            await heard.until(lambda: heard.ended("1") is not None)
            with pytest.raises(ChannelError, match="unreachable"):
                await client.originate(a_call("2"))
            again = CarrierServer(SimulatedCarrier(server.carrier.clock, PROFILES), server.host, server.port)
            await again.start()
            async with asyncio.timeout(PATIENCE):
                await back.wait()
            assert (await client.living()).calls == ()
            await client.originate(a_call("2", "busy"))
            await heard.until(lambda: heard.ended("2") is not None)
            await client.close()
            await again.stop()

    asyncio.run(run())


def test_an_answer_that_never_comes_has_an_unknown_outcome() -> None:
    async def run() -> None:
        async with served() as server, controller(server, patience=0.1) as (client, _, _):
            server.carrier.inject(Faults(latency=SPEED * 60))
            with pytest.raises(ChannelError, match="did not answer originate") as caught:
                await client.originate(a_call("1"))
            assert caught.value.facts["outcome"] == "unknown"

    asyncio.run(run())


def test_faults_and_statistics_over_the_wire() -> None:
    async def run() -> None:
        async with served() as server, controller(server) as (client, heard, _):
            await client.inject(refuse="no trunk")
            with pytest.raises(ChannelError, match="no trunk"):
                await client.originate(a_call("1"))
            with pytest.raises(ChannelError, match="unknown fault"):
                await client.inject(explode=True)
            await client.inject()
            await client.originate(a_call("2", "silent"))
            await client.drop_all()
            await heard.until(lambda: heard.ended("2") is not None)
            counts = await client.statistics()
            assert (counts["originated"], counts["refused"], counts["ended"]) == (1, 1, 1)

    asyncio.run(run())


def test_play_reports_a_call_that_is_not_up() -> None:
    async def run() -> None:
        async with served() as server, controller(server) as (client, _, _):
            with pytest.raises(ChannelError, match="not up"):
                await client.play(AttemptId("1"), Prompt(text="hello"))

    asyncio.run(run())


def test_nobody_listens() -> None:
    async def run() -> None:
        async with served() as server:
            address = CarrierAddress(server.host, server.port, timeout=0.2)
        client = TcpCarrier(address)
        with pytest.raises(ChannelError, match="unreachable"):
            await client.open(lambda _: None)

    asyncio.run(run())


def test_somebody_else_listens() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = TcpCarrier(CarrierAddress("127.0.0.1", port, timeout=0.2))
        with pytest.raises(ChannelError, match="is it a carrier"):
            await client.open(lambda _: None)
        server.close()
        await server.wait_closed()

    asyncio.run(run())


@pytest.mark.parametrize("line", [b"hello\n", b"{}\n", b'{"hello":5}\n', b'{"hello":"x"}\n{"ack":"y"}\n'])
def test_the_server_disconnects_who_does_not_speak_its_language(line: bytes) -> None:
    async def run() -> None:
        async with served() as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(line)
            async with asyncio.timeout(PATIENCE):
                await reader.read()
            writer.close()
            async with controller(server) as (client, _, _):
                assert (await client.living()).calls == ()

    asyncio.run(run())


def test_a_port_that_is_taken_is_reported() -> None:
    async def run() -> None:
        async with served() as server:
            other = CarrierServer(server.carrier, server.host, server.port)
            with pytest.raises(ChannelError, match="cannot listen"):
                await other.start()

    asyncio.run(run())
