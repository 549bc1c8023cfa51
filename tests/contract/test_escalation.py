"""From channel to channel over each database: call, text, mail, and what is heard of a mail afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from outrider.channels.email.news import MailBounced, MailComplained
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import OutboundCall, Prompt
from outrider.channels.simulated.behaviour import FarEnd, Span
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.db.database import Database
from outrider.demo.mail_sink import MailSink
from outrider.dialing import mail_news
from outrider.errors import ConflictError, NotFoundError
from outrider.ids import AttemptId, JobId
from outrider.jobs import store as job_store
from support import mail_sink, message_centre
from support.campaigning import NOON, RULES
from support.outreach import Outreach, always, attempts, course, finals, outreach, people, people_who, run
from support.sms import over

ADA: dict[str, Any] = {
    "phone": "+493012345601",
    "other_phones": ["+493012345611"],
    "email": "ada@example.org",
}
BOB: dict[str, Any] = {"phone": "+493012345602", "email": "bob@example.org"}
ESCALATION = """
name = "{name}"
[[actions]]
name = "call"
channel = "call"
prompt = {{ text = "Hello." }}
[actions.retry.no_answer]
count = 1
delays = ["1h"]
then = "text"
then_delay = "30m"
[[actions]]
name = "text"
channel = "sms"
text = "Hello {{first_name|there}}"
receipt_wait = "4h"
[actions.retry.no_receipt]
then = "mail"
then_delay = "2h"
[actions.retry.undelivered]
then = "mail"
[[actions]]
name = "mail"
channel = "email"
subject = "Hello"
text = "Hello {{first_name|there}}"
from = "Clinic <clinic@example.org>"
"""
MAIL = """
name = "{name}"
[[actions]]
name = "mail"
channel = "email"
subject = "Hello"
text = "Hello"
from = "clinic@example.org"
{rules}
"""
THEN_CALL = """
bounce_wait = "1h"
retry = { hard_bounce = { then = "call" }, soft_bounce = { count = 1, delays = ["30m"], then = "call" } }
[[actions]]
name = "call"
channel = "call"
prompt = { text = "Hello." }
"""


ENDS_SOON = Span(0.5, 0.5)


def heard_of(running: Outreach) -> dict[str, tuple[str | None, str]]:
    """Return what the carrier is given from now on: caller id and first prompt by number."""
    carrier, heard = running.carrier, dict[str, tuple[str | None, str]]()
    assert carrier is not None
    ids: dict[str, str] = {}
    originate, play = carrier.originate, carrier.play

    def originated(order: OutboundCall) -> None:
        ids[order.call_id] = order.address
        heard[order.address] = (order.caller_id, "")
        originate(order)

    def played(call_id: AttemptId, prompt: Prompt) -> None:
        heard[ids[call_id]] = (heard[ids[call_id]][0], prompt.text or "")
        play(call_id, prompt)

    carrier.originate, carrier.play = originated, played  # type: ignore[method-assign] # a witness
    return heard


@asynccontextmanager
async def everything(
    database: Database, folder: Path, behaviour: CentreBehaviour | None = None
) -> AsyncIterator[tuple[Outreach, SimulatedCentre, MailSink]]:
    """Give a system with all channels; nobody answers the phone."""
    async with (
        message_centre.centre(behaviour) as centre,
        mail_sink.sink() as sink,
        outreach(
            database,
            folder,
            profiles=always(FarEnd.NO_ANSWER),
            text=over(message_centre.settings_for(centre)),
            mail=lambda clock: SmtpChannel(mail_sink.settings_for(sink), clock),
        ) as running,
    ):
        yield running, centre, sink


def test_a_contact_is_called_twice_then_texted_then_mailed(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path, CentreBehaviour(receipt_delay=1000.0)) as (
            running,
            _,
            sink,
        ):
            job_id = running.start("a", ESCALATION.format(name="a"), [people(running.system, "a", [ADA])])
            for made, leap in enumerate((60, 30), start=1):
                await running.until_attempts(made)
                running.clock.leap(minutes=leap)
            await running.until_awaiting(1)
            running.clock.leap(hours=4)
            await running.until(lambda tx: course(tx)[-1][2] == "no_receipt")
            running.clock.leap(hours=2)
            await running.until_ended(job_id)
            assert database.read_now(course) == [
                ("call", ADA["phone"], "no_answer"),
                ("call", ADA["phone"], "no_answer"),
                ("text", ADA["phone"], "no_receipt"),
                ("mail", ADA["email"], "delivered"),
            ]
            at = [row["claimed_at"] for row in database.read_now(attempts)]
            ended = [row["ended_at"] for row in database.read_now(attempts)]
            hours = [(later - end).total_seconds() / 3600 for end, later in zip(ended, at[1:], strict=False)]
            assert [round(each, 1) for each in hours] == pytest.approx([1.0, 0.5, 6.0], abs=0.2)
            assert database.read_now(finals, job_id) == {("delivered", None): 1}
            assert [mail.recipient for mail in sink.mails] == [ADA["email"]]
            assert database.read_now(job_store.outcomes, [job_id])[JobId(job_id)] == {
                "delivered": (1, 1),
                "no_answer": (2, 0),
                "no_receipt": (1, 0),
                "sent": (0, 0),
            }

    run(scenario)


def test_an_undelivered_text_goes_on_to_a_mail_at_once(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path) as (running, centre, _):
            source = (
                ESCALATION.format(name="a").replace('count = 1\ndelays = ["1h"]\n', "").replace("30m", "0s")
            )
            rows = [{**ADA, "phone": "+493012345609", "attributes": {"first_name": "Ada"}}]
            job_id = running.start("a", source, [people(running.system, "a", rows)])
            await running.until_ended(job_id)
            assert [(action, outcome) for action, _, outcome in database.read_now(course)] == [
                ("call", "no_answer"),
                ("text", "undelivered"),
                ("mail", "delivered"),
            ]
            assert centre.ledger.texts() == {"493012345609": ["Hello Ada"]}

    run(scenario)


def test_conditions_choose_actions_and_caller_ids(database: Database, tmp_path: Path) -> None:
    source = """
name = "a"
[[actions]]
name = "german"
channel = "call"
condition = { attribute = "language", operator = "equals", value = "de" }
caller_id = "+493000000"
prompt = { text = "Hallo {first_name}." }
[[actions.caller_ids]]
caller_id = "+4940111111"
condition = { attribute = "phone", operator = "begins_with", value = "+4940" }
[[actions]]
name = "other"
channel = "call"
condition = { not = { attribute = "language", operator = "equals", value = "de" } }
prompt = { text = "Hello." }
[[actions]]
name = "nobody"
channel = "call"
condition = { attribute = "age", operator = "at_least", value = 200 }
prompt = { text = "Hello." }
"""

    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(linger=ENDS_SOON)) as running:
            placed = heard_of(running)
            rows: list[dict[str, Any]] = [
                {"phone": "+493012345601", "attributes": {"language": "DE", "first_name": "Ada"}},
                {"phone": "+494012345602", "attributes": {"language": "de"}},
                {"phone": "+493012345603", "attributes": {"language": "en"}},
                {"phone": "+493012345604"},
            ]
            job_id = running.start("a", source, [people(running.system, "a", rows)])
            await running.until_ended(job_id)
            assert sorted((action, address[-1]) for action, address, _ in database.read_now(course)) == [
                ("german", "1"),
                ("german", "2"),
                ("other", "3"),
                ("other", "4"),
            ]
            assert placed == {
                "+493012345601": ("+493000000", "Hallo Ada."),
                "+494012345602": ("+4940111111", "Hallo ."),
                "+493012345603": (None, "Hello."),
                "+493012345604": (None, "Hello."),
            }
            assert database.read_now(finals, job_id) == {("answered", None): 4}

    run(scenario)


def test_contacts_for_whom_no_action_is_end_as_expired(database: Database, tmp_path: Path) -> None:
    source = """
name = "a"
[[actions]]
name = "call"
channel = "call"
condition = { attribute = "age", operator = "at_least", value = 18 }
prompt = { text = "Hello." }
"""

    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=always(FarEnd.BUSY)) as running:
            rows: list[dict[str, Any]] = [
                {**BOB, "attributes": {"age": "17"}},
                {"phone": "+493012345605", "attributes": {}},
            ]
            job_id = running.start("a", source, [people(running.system, "a", rows)])
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("expired", None): 2}
            assert database.read_now(attempts) == []

    run(scenario)


def _bounce(attempt_id: str, *, permanent: bool) -> MailBounced:
    status = "5.1.1" if permanent else "4.2.2"
    return MailBounced(AttemptId(attempt_id), NOON, BOB["email"], permanent, status, "no such mailbox")


def test_a_bounce_in_time_moves_the_contact_on_and_a_late_one_corrects(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path) as (running, _, _):
            listed = people(running.system, "a", [ADA, BOB])
            job_id = running.start("a", MAIL.format(name="a", rules=THEN_CALL), [listed])
            await running.until_awaiting(2)
            ids = {row["address"]: row["id"] for row in database.read_now(attempts)}
            now = running.clock.now()
            for _ in range(2):
                database.write_now(mail_news.take, RULES, _bounce(ids[BOB["email"]], permanent=True), now)
            await running.until_attempts(3)
            assert database.read_now(running.blocked, [BOB["email"], ADA["email"]]) == {BOB["email"]}
            running.clock.leap(hours=1)
            await running.until_ended(job_id)
            ended = {("delivered", None): 1, ("no_answer", None): 1}
            assert database.read_now(finals, job_id) == ended
            database.write_now(mail_news.take, RULES, _bounce(ids[ADA["email"]], permanent=False), now)
            assert ("mail", ADA["email"], "soft_bounce") in database.read_now(course)
            assert database.read_now(finals, job_id) == ended

    run(scenario)


def test_a_soft_bounce_is_tried_again_and_a_complaint_is_the_end(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path) as (running, _, sink):
            listed = people(running.system, "a", [BOB])
            job_id = running.start("a", MAIL.format(name="a", rules=THEN_CALL), [listed])
            await running.until_awaiting(1)
            (first,) = database.read_now(attempts)
            database.write_now(
                mail_news.take, RULES, _bounce(first["id"], permanent=False), running.clock.now()
            )
            complaint = MailComplained(AttemptId(first["id"]), NOON, BOB["email"], "spam")
            database.write_now(mail_news.take, RULES, complaint, running.clock.now())
            running.clock.leap(minutes=30)
            await running.until_ended(job_id)
            # The mail is not sent again: who complained must not be written to. Nothing was said of calls.
            assert [(action, outcome) for action, _, outcome in database.read_now(course)] == [
                ("mail", "soft_bounce"),
                ("call", "no_answer"),
            ]
            assert len(sink.mails) == 1

    run(scenario)


def test_a_goal_counts_mails_that_did_not_bounce(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path) as (running, _, _):
            rules = 'bounce_wait = "1h"\npacing = 0.001\nmaximum = 1'
            source = MAIL.format(name="a", rules=rules)
            source = source.replace('name = "a"', 'name = "a"\ngoal = { delivered = 1 }', 1)
            job_id = running.start("a", source, [running.system.contact_list("a", 5)])
            await running.until_awaiting(1)
            running.clock.leap(hours=1)
            await running.until_ended(job_id)
            assert running.system.job(job_id).end_reason == "goal reached: 1 delivered"

    run(scenario)


def test_a_bounce_that_is_faster_than_the_result_is_to_be_told_again(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with everything(database, tmp_path) as (running, _, sink):
            rows = [{**BOB, "email": "slow.bob@example.org"}]
            job_id = running.start("a", MAIL.format(name="a", rules=""), [people(running.system, "a", rows)])
            await running.until(lambda tx: attempts(tx) and sink.waiting.is_set())
            (open_attempt,) = database.read_now(attempts)
            bounce = _bounce(open_attempt["id"], permanent=True)
            with pytest.raises(ConflictError, match="still being sent"):
                database.write_now(mail_news.take, RULES, bounce, running.clock.now())
            sink.released.set()
            await running.until_ended(job_id)
            database.write_now(mail_news.take, RULES, bounce, running.clock.now())
            assert [outcome for *_, outcome in database.read_now(course)] == ["hard_bounce"]
            with pytest.raises(NotFoundError):
                database.write_now(mail_news.take, RULES, _bounce("nobody", permanent=True), NOON)

    run(scenario)


def test_a_disposition_stays_when_what_follows_is_not_for_the_contact(
    database: Database, tmp_path: Path
) -> None:
    source = """
name = "a"
finish = { dispositions = { confirmed = 2 } }
[[actions]]
name = "ask"
channel = "call"
maximum = 1
prompt = { text = "Press 1." }
menu = { choices = [{ digit = "1", disposition = "confirmed" }] }
dispositions = { confirmed = { then = "again" } }
[[actions]]
name = "again"
channel = "call"
condition = { attribute = "language", operator = "is_set" }
prompt = { text = "Hello." }
"""

    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"1": 1.0})) as running:
            job_id = running.start("a", source, [running.system.contact_list("a", 30)])
            await running.until_ended(job_id)
            assert running.system.job(job_id).end_reason == (
                "finish criterion: 2 contacts ended with confirmed"
            )
            assert database.read_now(finals, job_id)["answered", "confirmed"] == 2

    run(scenario)
