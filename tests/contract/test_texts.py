"""Texts over each database: through a message centre on a socket, to whatever their receipts say."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from outrider.channels.model import InboundText, ReceiptState, TextReceipt
from outrider.channels.simulated.behaviour import FarEnd
from outrider.channels.sms.connection_settings import LongMessages
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import receipts
from support.campaigning import NOON, RULES
from support.message_centre import centre, settings_for
from support.outreach import Outreach, always, attempts, course, finals, outreach, people, run, targets
from support.sms import over

TEXT = """
name = "{name}"
[[actions]]
name = "text"
channel = "sms"
text = "{text}"
{rules}
"""
THEN_CALL = """
retry = { undelivered = { then = "call" }, no_receipt = { then = "call" } }
[[actions]]
name = "call"
channel = "call"
prompt = { text = "Hello." }
"""
WAIT = 'receipt_wait = "4h"\n'
LONG = "Your appointment is tomorrow. " * 12


def text(name: str, rules: str = "", words: str = "Hello") -> str:
    return TEXT.format(name=name, rules=rules, text=words)


@asynccontextmanager
async def texting(
    database: Database, folder: Path, behaviour: CentreBehaviour | None = None, **settings: Any
) -> AsyncIterator[tuple[Outreach, SimulatedCentre]]:
    """Give a system that texts over a message centre; calls are answered by people."""
    async with centre(behaviour) as server:
        connection = settings_for(server, **settings)
        profiles = always(FarEnd.NO_ANSWER)
        async with outreach(database, folder, text=over(connection), profiles=profiles) as running:
            yield running, server


def numbers(running: Outreach, name: str, *suffixes: int) -> list[Any]:
    """Create a list of contacts whose numbers end so; return it in a list."""
    return [people(running.system, name, [{"phone": f"+4930123456{each:02}"} for each in suffixes])]


def test_without_a_wait_what_the_centre_took_is_final(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with texting(database, tmp_path) as (running, server):
            job_id = running.start(
                "a", text("a", words="Hello {first_name|friend}"), numbers(running, "a", 1, 2, 7)
            )
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("sent", None): 2, ("undelivered", None): 1}
            assert server.ledger.counts["receipts"] == 0
            assert server.ledger.texts() == {
                "493012345601": ["Hello friend"],
                "493012345602": ["Hello friend"],
            }

    run(scenario)


def test_receipts_decide_and_failures_go_on_to_a_call(database: Database, tmp_path: Path) -> None:
    """9 is undeliverable, 8 expires, 7 is refused at once, 6 loses its answer, 0 to 3 arrive."""

    async def scenario() -> None:
        behaviour = CentreBehaviour(receipt_delay=0.01, unanswered=frozenset({"6"}), drops=frozenset({"x"}))
        async with texting(database, tmp_path, behaviour, response_timeout=0.5) as (running, server):
            listed = numbers(running, "a", 0, 1, 2, 3, 6, 7, 8, 9)
            job_id = running.start("a", text("a", WAIT + THEN_CALL), listed)
            await running.until_ended(job_id)
            outcomes = {
                (action, address[-1]): outcome for action, address, outcome in database.read_now(course)
            }
            arrived = {("text", digit): "delivered" for digit in "0123"}
            refused = {("text", digit): "undelivered" for digit in "789"}
            called = {("call", digit): "no_answer" for digit in "789"}
            # The receipt of the lost answer tells by our reference that it arrived.
            assert outcomes == arrived | refused | called | {("text", "6"): "delivered"}
            assert server.ledger.counts["submitted"] == 8

    run(scenario)


def test_without_a_receipt_in_time_the_contact_goes_on_and_a_late_one_only_corrects(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(receipt_delay=1000.0)
        async with texting(database, tmp_path, behaviour) as (running, server):
            job_id = running.start("a", text("a", WAIT + THEN_CALL), numbers(running, "a", 1, 2))
            await running.until_awaiting(2)
            running.clock.leap(hours=3)
            await running.until_awaiting(2)
            running.clock.leap(hours=1)
            await running.until_ended(job_id)
            assert sorted(database.read_now(course)) == [
                ("call", "+493012345601", "no_answer"),
                ("call", "+493012345602", "no_answer"),
                ("text", "+493012345601", "no_receipt"),
                ("text", "+493012345602", "no_receipt"),
            ]
            ids = {taken.message.destination.digits: taken.message_id for taken in server.ledger.taken}
            late = TextReceipt("main", ids["493012345601"], running.clock.now(), ReceiptState.DELIVERED)
            for _ in range(2):
                database.write_now(receipts.take, RULES, [late], running.clock.now())
            assert ("text", "+493012345601", "delivered") in database.read_now(course)
            assert database.read_now(finals, job_id) == {("no_answer", None): 2}

    run(scenario)


def test_a_wait_in_vain_without_another_action_ends_as_no_receipt(database: Database, tmp_path: Path) -> None:
    """What follows is not for these contacts: they must not end as if they had been reached."""

    async def scenario() -> None:
        async with texting(database, tmp_path, CentreBehaviour(receipt_delay=1000.0)) as (running, _):
            skipped = """
[[actions]]
name = "call"
channel = "call"
condition = { attribute = "language", operator = "is_set" }
prompt = { text = "Hello." }
"""
            job_id = running.start("a", text("a", WAIT + skipped), numbers(running, "a", 1, 2))
            await running.until_awaiting(2)
            running.clock.leap(hours=4)
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("no_receipt", None): 2}

    run(scenario)


def test_receipts_may_be_faster_than_the_answer_and_have_other_forms_of_id(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(
            receipt_delay=0.0, answer_delay=0.3, decimal_receipts=True, receipt_parameters=False
        )
        async with texting(database, tmp_path, behaviour) as (running, _):
            job_id = running.start("a", text("a", WAIT), numbers(running, "a", 1, 2, 9))
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("delivered", None): 2, ("undelivered", None): 1}
            assert database.read_now(_count(schema.text_news)) == 0

    run(scenario)


def test_a_lost_answer_is_never_sent_again_and_the_receipt_tells(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(receipt_delay=0.8, unanswered=frozenset({"1"}))
        async with texting(database, tmp_path, behaviour, response_timeout=0.3) as (running, server):
            job_id = running.start("a", text("a", WAIT), numbers(running, "a", 1))
            await running.until_awaiting(1)
            assert [outcome for *_, outcome in database.read_now(course)] == ["unknown"]
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("delivered", None): 1}
            assert server.ledger.counts["submitted"] == 1

    run(scenario)


def test_a_lost_answer_without_a_receipt_ends_unknown(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(receipt_delay=1000.0, unanswered=frozenset({"1"}))
        async with texting(database, tmp_path, behaviour, response_timeout=0.2) as (running, server):
            job_id = running.start("a", text("a", WAIT + THEN_CALL), numbers(running, "a", 1))
            await running.until_awaiting(1)
            running.clock.leap(hours=4)
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("unknown", None): 1}
            assert server.ledger.counts["submitted"] == 1

    run(scenario)


def test_a_worker_that_dies_while_submitting_leaves_a_text_of_unknown_fate(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with centre(CentreBehaviour(receipt_delay=0.05)) as server:
            server.withholding = True
            channel = over(settings_for(server))
            async with outreach(database, tmp_path, text=channel) as first:
                job_id = first.start("a", text("a", WAIT), numbers(first, "a", 1))
                await first.until(lambda _: server.ledger.counts["taken"] == 1)
                # The process dies: nothing is written down any more, and its connection is gone.
                await first.worker.driver.close()
                server.drop_links()
            assert [row["outcome"] for row in database.read_now(attempts)] == [None]
            later = NOON + dt.timedelta(hours=1)
            async with outreach(database, tmp_path, text=channel, start=later) as second:
                server.withholding = False
                await second.until_ended(job_id)
                assert database.read_now(finals, job_id) == {("delivered", None): 1}
                assert server.ledger.counts["submitted"] == 1

    run(scenario)


def test_all_parts_of_a_long_text_must_arrive(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with texting(database, tmp_path) as (running, server):
            job_id = running.start("a", text("a", WAIT, LONG), numbers(running, "a", 1, 2))
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("delivered", None): 2}
            assert server.ledger.counts["taken"] == 6
            assert server.ledger.texts()["493012345601"] == [LONG]
            parts = database.read_now(_count(schema.text_parts))
            assert parts == 6

    run(scenario)


def test_a_long_text_as_one_payload_has_one_receipt(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with texting(database, tmp_path, long_messages=LongMessages.PAYLOAD) as (running, server):
            job_id = running.start("a", text("a", WAIT, LONG), numbers(running, "a", 1))
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("delivered", None): 1}
            assert server.ledger.counts["taken"] == 1

    run(scenario)


def test_the_sender_is_chosen_by_condition(database: Database, tmp_path: Path) -> None:
    rules = """
sender = "Clinic"
[[actions.sender_rules]]
sender = "Klinik"
condition = { attribute = "language", operator = "equals", value = "de" }
"""

    async def scenario() -> None:
        async with texting(database, tmp_path) as (running, server):
            rows = [
                {"phone": "+493012345601", "attributes": {"language": "DE", "name": "Ada"}},
                {"phone": "+493012345602", "attributes": {"language": "en"}},
            ]
            source = text("a", rules, words="Dear {name|customer}")
            job_id = running.start("a", source, [people(running.system, "a", rows)])
            await running.until_ended(job_id)
            sent = {(taken.message.source.digits, taken.text) for taken in server.ledger.taken}
            assert sent == {("Klinik", "Dear Ada"), ("Clinic", "Dear customer")}

    run(scenario)


def test_a_piece_of_news_that_cannot_be_kept_does_not_keep_back_the_others(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with texting(database, tmp_path) as (running, _):
            taker, now = running.worker._text_news, running.clock.now()
            bad = InboundText("main", now, "+493012345601", "x" * 99, "\0Hello")
            worse = replace(bad, recipient="12345", connection="y" * 99)
            good = replace(bad, recipient="12345", text="STOP\0")
            found = await asyncio.gather(*map(taker.take, (bad, good, worse)), return_exceptions=True)
            assert found[1] is None
            await running.until_blocked("+493012345601")
            kept = schema.text_news.c.text
            texts = database.read_now(lambda tx: tx.execute(select(kept)).scalars().all())
            assert "STOP" in texts

    run(scenario)


def _count(table: Any) -> Callable[[Tx], int]:
    return lambda tx: int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_targets_that_wait_are_not_done(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(receipt_delay=1000.0)
        async with texting(database, tmp_path, behaviour) as (running, _):
            source = text("a", WAIT).replace('name = "a"', 'name = "a"\ngoal = { delivered = 1 }', 1)
            job_id = running.start("a", source, numbers(running, "a", 1, 2, 3))
            await running.until_awaiting(3)
            (first, *_) = database.read_now(targets)
            assert (first["state"], first["outcome"]) == ("due", "sent")
            news = database.read_now(_delivered, first["awaiting"], running.clock.now())
            database.write_now(receipts.take, RULES, [news], running.clock.now())
            await running.until_ended(job_id)
            assert running.system.job(job_id).end_reason == "goal reached: 1 delivered"

    run(scenario)


def _delivered(tx: Tx, attempt_id: str, now: Any) -> TextReceipt:
    column = schema.text_parts.c
    row = tx.execute(select(schema.text_parts).where(column.attempt_id == attempt_id)).mappings().one()
    return TextReceipt(row["connection"], row["remote_id"], now, ReceiptState.DELIVERED)
