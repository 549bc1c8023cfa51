"""Webhooks over each database, against a real little web service."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from outrider.campaigns.outcome import Outcome
from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.dialing.commands import CallWebhook, WebhookAnswered
from outrider.ids import AttemptId
from outrider.runtime.webhooks import MOST_CONNECTIONS, WebhookChannel
from support.outreach import attempts, course, finals, outreach, people, people_who, run
from support.web_service import Answer, Asked, web_service

SECRET = "open sesame"
HOOK = """
name = "{name}"
[[actions]]
name = "hook"
channel = "webhook"
url = "{url}"
timeout = 1
headers = {{ "X-Kind" = "reached" }}
secret_headers = {{ Authorization = "token" }}
{rules}
"""


def hook(name: str, url: str, rules: str = "") -> str:
    return HOOK.format(name=name, url=url, rules=rules)


def test_an_answer_names_the_disposition_and_the_secret_is_sent_but_not_told(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with (
            web_service(Answer(201, '{"disposition": "booked"}')) as service,
            outreach(database, tmp_path, secrets={"token": SECRET + "\n"}) as running,
        ):
            rows: list[dict[str, Any]] = [
                {"attributes": {"name": 'A "b"\n', "id": "mine"}},
                {"attributes": {}},
            ]
            rules = 'body = { customer = "{external_id}", name = "{name|nobody}" }'
            jobs = [
                running.start("a", hook("a", service.url, rules), [people(running.system, "a", rows)]),
                running.start("b", hook("b", service.url), [people(running.system, "b", rows[:1])]),
            ]
            await running.until_ended(*jobs)
            assert database.read_now(finals, jobs[0]) == {("sent", "booked"): 2}
            assert {asked.headers["authorization"] for asked in service.asked} == {SECRET}
            assert {asked.headers["x-kind"] for asked in service.asked} == {"reached"}
            bodies = [asked.body for asked in service.asked]
            assert {"customer": "a-0", "name": 'A "b"'} in bodies
            assert {"customer": "a-1", "name": "nobody"} in bodies
            (standard,) = (body for body in bodies if "contact" in body)
            assert isinstance(standard["contact"]["id"], int)
            assert (standard["job"], standard["action"]) == (jobs[1], "hook")
            told = database.read_now(lambda tx: str([dict(row) for row in attempts(tx)]))
            assert SECRET not in told

    with capture_logs() as logged:
        run(scenario)
    assert SECRET not in caplog.text + str(logged)


def test_refusals_are_tried_again_silence_is_no_answer_and_redirects_are_not_followed(
    database: Database, tmp_path: Path
) -> None:
    seen: Counter[str] = Counter()

    def answer(asked: Asked) -> Answer:
        customer = str(asked.body["customer"])
        seen[customer] += 1
        first = seen[customer] == 1
        return {
            "a-0": Answer(503) if first else Answer(204),
            "a-1": Answer(404),
            "a-2": Answer(302, headers={"location": "/elsewhere"}),
            "a-3": Answer(200, "not json"),
            "a-4": Answer(200, '{"outcome": "failed", "disposition": "Not A Name"}'),
            "a-5": Answer(after=9.0),
            "a-6": Answer(slowly=True),
        }[customer]

    async def scenario() -> None:
        async with (
            web_service(answer) as service,
            outreach(database, tmp_path, secrets={"token": "x"}, speed=20) as running,
        ):
            rules = (
                'body = { customer = "{external_id}" }\nretry = { failed = { count = 1, delays = ["1m"] } }'
            )
            listed = people(running.system, "a", [{}] * 7)
            job_id = running.start("a", hook("a", service.url, rules), [listed])
            await running.until_attempts(7)
            running.clock.leap(minutes=1)
            await running.until_ended(job_id)
            ended = {("sent", None): 2, ("failed", None): 3, ("no_answer", None): 2}
            assert database.read_now(finals, job_id) == ended
            assert {name: seen[name] for name in sorted(seen)} == {
                "a-0": 2,
                "a-1": 2,
                "a-2": 2,
                "a-3": 1,
                "a-4": 2,
                "a-5": 1,
                "a-6": 1,
            }
            assert {asked.line for asked in service.asked} == {"POST /hook HTTP/1.1"}

    run(scenario)


def test_webhooks_run_while_any_licence_is_in_force_and_follow_a_call(
    database: Database, tmp_path: Path
) -> None:
    source = """
name = "a"
[[actions]]
name = "ask"
channel = "call"
prompt = { text = "Press 1." }
menu = { choices = [{ digit = "1", disposition = "yes" }] }
dispositions = { yes = { then = "hook" } }
[[actions]]
name = "hook"
channel = "webhook"
url = "URL"
"""

    async def scenario() -> None:
        async with (
            web_service(Answer(200, '{"disposition": "stored"}')) as service,
            outreach(
                database, tmp_path, profiles=people_who(answers={"1": 1.0}), outbound_ports=2
            ) as running,
        ):
            job_id = running.start(
                "a", source.replace("URL", service.url), [running.system.contact_list("a", 3)]
            )
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("sent", "stored"): 3}
            hooks = [outcome for action, _, outcome in database.read_now(course) if action == "hook"]
            assert hooks == ["sent"] * 3
            # With no licence of any kind left, nothing starts; with one of whatever kind, it does.
            other = running.start("b", hook("b", service.url), [running.system.contact_list("b", 2)])
            running.system.license(running.clock.now(), outbound_ports=0)
            before = len(service.asked)
            await running.monitor.tick()
            await asyncio.sleep(0.2)
            stopped = len(service.asked)
            await asyncio.sleep(0.2)
            assert len(service.asked) == stopped <= before + 2
            running.system.license(running.clock.now(), outbound_ports=0, email=1)
            await running.until(lambda tx: finals(tx, other).total() == 2)

    run(scenario)


def _call(url: str, headers: Mapping[str, str], timeout: float = 5.0) -> CallWebhook:
    return CallWebhook(AttemptId("a"), url, "{}", {}, headers, timeout)


@pytest.mark.parametrize("secret", ["two\nlines", "schlüssel", "nul\0"])
def test_a_secret_that_cannot_stand_in_a_header_is_not_told_either(secret: str) -> None:
    async def scenario() -> None:
        async with web_service() as service:
            channel = WebhookChannel(RealClock(), {"token": secret})
            answered = await channel.call(_call(service.url, {"Authorization": "token"}))
            await channel.close()
            assert answered.outcome is Outcome.FAILED
            assert secret not in answered.detail
            assert service.asked == []

    run(scenario)


def test_waiting_for_a_connection_of_ours_takes_none_of_the_services_time() -> None:
    async def scenario() -> None:
        async with web_service(Answer(after=0.3)) as service:
            channel = WebhookChannel(RealClock())
            calls = [channel.call(_call(service.url, {}, 0.8)) for _ in range(4 * MOST_CONNECTIONS)]
            answered: list[WebhookAnswered] = await asyncio.gather(*calls)
            await channel.close()
            assert {each.outcome for each in answered} == {Outcome.SENT}

    run(scenario)


def test_a_service_that_is_not_there_is_no_answer() -> None:
    async def scenario() -> None:
        async with web_service() as service:
            url = service.url
        channel = WebhookChannel(RealClock())
        answered = await channel.call(_call(url, {}))
        missing = await channel.call(_call(url, {"Authorization": "token"}))
        await channel.close()
        assert answered.outcome is Outcome.NO_ANSWER
        assert (missing.outcome, "webhooks.secrets.token" in missing.detail) == (Outcome.FAILED, True)

    run(scenario)
