"""Commands that are done once: also when whoever gave them goes away; and what is remembered of them."""

import asyncio

import pytest

from outrider.agents.answers import Answers
from outrider.agents.model import SessionId
from outrider.errors import ConflictError
from support.loops import on_a_loop

ANN, BOB = SessionId(1), SessionId(2)


class Command:
    """A command that takes until `go` is set; counts how often it was done."""

    def __init__(self) -> None:
        self.begun, self.go, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.done = 0

    async def do(self) -> None:
        self.begun.set()
        await self.go.wait()
        self.done += 1
        self.ended.set()


@pytest.mark.parametrize("command_id", ["", "c-1"])
@on_a_loop
async def test_a_command_is_done_to_its_end_when_the_desktop_goes_away(command_id: str) -> None:
    answers, command = Answers(), Command()
    giving = asyncio.ensure_future(answers.once(ANN, command_id, "dial", command.do))
    await command.begun.wait()
    giving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await giving
    command.go.set()
    await command.ended.wait()
    assert command.done == 1


@on_a_loop
async def test_everybodys_ids_are_their_own() -> None:
    answers, command = Answers(), Command()
    command.go.set()
    await answers.once(ANN, "1", "not_ready", command.do)
    await answers.once(ANN, "1", "not_ready", command.do, supervisor=7)
    await answers.once(ANN, "1", "log_out", command.do, supervisor=8)
    await answers.once(BOB, "1", "ready", command.do)
    assert command.done == 4
    await answers.once(ANN, "1", "not_ready", command.do, supervisor=7)
    with pytest.raises(ConflictError, match="was given to the command log_out"):
        await answers.once(ANN, "1", "not_ready", command.do, supervisor=8)
    assert command.done == 4


@on_a_loop
async def test_sessions_that_are_over_are_forgotten() -> None:
    answers, command = Answers(), Command()
    command.go.set()
    for session in (ANN, BOB):
        await answers.once(session, "1", "ready", command.do)
    answers.forget_all_but({BOB})
    await answers.once(BOB, "1", "ready", command.do)
    assert command.done == 2
    await answers.once(ANN, "1", "ready", command.do)
    assert command.done == 3
