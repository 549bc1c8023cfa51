"""Menus over each database: what people press and say, and what a strategy makes of it."""

from collections import Counter
from pathlib import Path

from outrider.channels.simulated.behaviour import FarEnd, Span
from outrider.db import schema
from outrider.db.database import Database
from outrider.jobs import store as job_store
from support.outreach import always, attempts, course, finals, outreach, people, people_who, run

MENU = """
name = "{name}"
{head}
[[actions]]
name = "ask"
channel = "call"
{extra}
[actions.prompt]
text = "Press 1 to confirm, 2 for another time, 9 to be removed, {{first_name|friend}}."
[actions.menu]
timeout = 30
repeats = 1
{speech}
no_input = "silent"
choices = [
    {{ digit = "1", {yes} disposition = "confirmed", say = {{ text = "Thank you." }} }},
    {{ digit = "2", {no} disposition = "another_time" }},
    {{ digit = "9", disposition = "removed", do_not_contact = true }},
]
"""
CALL_AGAIN = """
[actions.dispositions.another_time]
then = "again"
then_delay = "2h"
[[actions]]
name = "again"
channel = "call"
prompt = { text = "Hello again." }
"""


def menu(name: str, *, head: str = "", extra: str = "", speech: bool = False) -> str:
    words = {"yes": 'word = "yes",', "no": 'word = "no",'} if speech else {"yes": "", "no": ""}
    return MENU.format(name=name, head=head, extra=extra, speech="speech = true" if speech else "", **words)


def test_a_key_is_the_disposition_of_attempt_and_contact_and_is_counted(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"1": 1.0})) as running:
            people_called = running.system.contact_list("a", 6)
            job_id = running.start("a", menu("a"), [people_called])
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("answered", "confirmed"): 6}
            assert {row["disposition"] for row in database.read_now(attempts)} == {"confirmed"}
            counted = database.read_now(job_store.dispositions, [job_id])
            assert counted == {job_id: {"confirmed": (6, 6)}}
            assert running.carrier is not None
            assert running.carrier.counts.originated == 6

    run(scenario)


def test_who_presses_9_is_blocked_in_other_campaigns_too(database: Database, tmp_path: Path) -> None:
    phone = "+493012345678"

    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"9": 1.0})) as running:
            first = people(running.system, "first", [{"phone": phone}])
            job_id = running.start("first", menu("first"), [first])
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("answered", "removed"): 1}
            assert database.read_now(running.blocked, [phone]) == {phone}
            second = people(running.system, "second", [{"phone": phone}, {"phone": "+493012345679"}])
            other = running.start("second", menu("second"), [second])
            await running.until_ended(other)
            assert database.read_now(finals, other) == {
                ("do_not_contact", None): 1,
                ("answered", "removed"): 1,
            }
            assert [address for _, address, _ in database.read_now(course)] == [phone, "+493012345679"]

    run(scenario)


def test_silence_is_asked_again_and_then_has_its_own_disposition(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who()) as running:
            rule = '[actions.dispositions.silent]\ncount = 1\ndelays = ["10m"]'
            job_id = running.start("a", menu("a") + rule, [running.system.contact_list("a", 2)])
            await running.until_attempts(2)
            running.clock.leap(minutes=10)
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("answered", "silent"): 2}
            made = database.read_now(attempts)
            assert [row["number"] for row in made] == [1, 1, 2, 2]
            assert all((row["ended_at"] - row["answered_at"]).total_seconds() > 2 * 30 for row in made)

    run(scenario)


def test_words_count_as_keys_do_where_speech_is_recognised(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        # They think long enough that the worker is listening, however busy this machine is.
        profiles = people_who(answers={"yes": 0.5, "no": 0.5}, answer_delay=Span(6.0, 7.0))
        async with outreach(database, tmp_path, profiles=profiles) as running:
            source = menu("a", speech=True)
            job_id = running.start("a", source, [running.system.contact_list("a", 12)])
            await running.until_ended(job_id)
            ended = database.read_now(finals, job_id)
            assert set(ended) == {("answered", "confirmed"), ("answered", "another_time")}
            assert ended.total() == 12

    run(scenario)


def test_words_are_not_heard_by_a_menu_of_keys(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"yes": 1.0})) as running:
            job_id = running.start("a", menu("a"), [running.system.contact_list("a", 2)])
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("answered", "silent"): 2}

    run(scenario)


def test_a_disposition_leads_to_another_action(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"2": 1.0})) as running:
            rows = [{"phone": "+493012345678"}]
            job_id = running.start("a", menu("a") + CALL_AGAIN, [people(running.system, "a", rows)])
            await running.until_attempts(1)
            running.clock.leap(hours=1, minutes=50)
            await running.until(lambda tx: running.clock.now() > attempts(tx)[0]["ended_at"])
            assert len(database.read_now(attempts)) == 1
            running.clock.leap(minutes=10)
            await running.until_attempts(2)
            await running.until_ended(job_id)
            assert [action for action, _, _ in database.read_now(course)] == ["ask", "again"]
            assert database.read_now(finals, job_id) == {("answered", None): 1}
            counted = database.read_now(job_store.dispositions, [job_id])
            assert counted == {job_id: {"another_time": (1, 0)}}

    run(scenario)


def test_a_job_is_finished_by_a_disposition_and_by_an_outcome(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=people_who(answers={"1": 1.0})) as running:
            by_disposition = menu("a", head="[finish]\ndispositions = { confirmed = 3 }", extra="maximum = 1")
            by_outcome = menu("b", head="[finish]\noutcomes = { answered = 2 }", extra="maximum = 1")
            jobs = [
                running.start(name, source, [running.system.contact_list(name, 20)])
                for name, source in (("a", by_disposition), ("b", by_outcome))
            ]
            await running.until_ended(*jobs)
            reasons = [running.system.job(job).end_reason for job in jobs]
            assert reasons == [
                "finish criterion: 3 contacts ended with confirmed",
                "finish criterion: 2 contacts ended answered",
            ]
            made = Counter(row["job_id"] for row in database.read_now(attempts))
            assert 3 <= made[jobs[0]] <= 4
            assert 2 <= made[jobs[1]] <= 3

    run(scenario)


def test_a_job_is_finished_by_time(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, profiles=always(FarEnd.NO_ANSWER)) as running:
            source = menu("a", head='[finish]\nafter = "3h"')
            retry = '[actions.retry.no_answer]\ncount = 9\ndelays = ["1h"]'
            job_id = running.start("a", source + retry, [running.system.contact_list("a", 2)])
            await running.until_attempts(2)
            running.clock.leap(hours=3)
            await running.until_ended(job_id)
            assert running.system.job(job_id).end_reason
            assert database.read_now(finals, job_id) == {}
            column = schema.tasks.c
            used = database.read_now(
                lambda tx: tx.execute(schema.tasks.select().with_only_columns(column.in_use)).scalars().all()
            )
            assert set(used) <= {0, 1, 2}

    run(scenario)
