"""The walls between organizations: every endpoint of the OpenAPI document, asked by the wrong organization.

Each operation has a case below; one without a case fails the test, so that a new endpoint brings its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from outrider.agents.desk_messages import BODIES, FOR_SUPERVISORS, SUPERVISORS
from outrider.db import log
from outrider.db.database import Database
from outrider.people.model import Caller, Role
from outrider.web.sse import log_source
from support.composed import STRATEGY, Composed, Tenant, composed
from support.databases import sqlite_url
from support.web import PASSWORD, Api

FOREIGN = frozenset({403, 404})


@dataclass(frozen=True)
class Case:
    """How an operation is asked by an administrator of the other organization.

    `path` fills the ids of the victim into the path, `body` makes the request's JSON body (or `content` its
    bytes). An operation on the victim's records is `refused`; one that the caller may use must not tell of
    the victim in its answer.
    """

    path: Callable[[Tenant], Mapping[str, object]] = field(default=lambda _: {})
    body: Callable[[Tenant], object] | None = None
    content: bytes | None = None
    refused: bool = True
    query: Mapping[str, object] = field(default_factory=dict)


def of(**names: str) -> Callable[[Tenant], Mapping[str, object]]:
    """Return a function that fills path parameters from attributes of the victim."""
    return lambda victim: {name: getattr(victim, attribute) for name, attribute in names.items()}


def says(value: object) -> Callable[[Tenant], object]:
    """Return a function that gives the same body whoever the victim is."""
    return lambda _: value


def harmless(body: object = None) -> Case:
    """Return the case of an operation that concerns the caller itself."""
    return Case(refused=False, body=None if body is None else says(body))


SOURCE = STRATEGY.format(name="mine", minimum=1, maximum=2, priority=3)
LIST, IMPORT, REFUSED = of(list_id="list_id"), of(import_id="import_id"), of(list_id="do_not_contact_id")
JOB, TASK, POOL = of(job_id="job_id"), of(task_id="task_id"), of(pool_id="pool_id")
CAMPAIGN, STRATEGY_ID = of(campaign_id="campaign_id"), of(strategy_id="strategy_id")
AGENT, CODE = of(agent_id="agent_id"), of(code_id="code_id")
CALLBACK = of(callback_id="callback_id")
DRAFT, USER, TOKEN = of(strategy_id="draft_id"), of(user_id="user_id"), of(token_id="token_id")


def plan_with_their_list(victim: Tenant) -> object:
    """Return a campaign over the victim's list."""
    return {"name": "x", "strategy_name": "rival calls", "list_ids": [victim.list_id]}


def agent_web_api() -> dict[str, Case]:
    """Return the cases of the Agent Web API: these callers are bound to no agent (see test_agent_api.py)."""
    own = (
        "POST session, GET session, DELETE session, GET account, GET completion-codes, GET jobs,"
        " GET callbacks, PUT preferred-campaigns, GET contacts/{contact_id},"
        " PUT contacts/{contact_id}/attributes,"
        " POST do-not-contact, POST do-not-contact/check, GET figures"
    )
    names = [each.strip().split(" ") for each in own.split(",")]
    names += [["POST", f"session/commands/{name}"] for name in BODIES if name not in SUPERVISORS]
    found = {f"{method} /api/agent/{path}": Case(of(contact_id="contact_id")) for method, path in names}
    for name in FOR_SUPERVISORS:
        body = says({"task_id": 1} if name == "move" else {})
        found[f"POST /api/agents/{{agent_id}}/commands/{name}"] = Case(AGENT, body)
    return found


CASES: Mapping[str, Case] = {
    **agent_web_api(),
    "GET /api/agents": harmless(),
    "POST /api/agents": Case(
        body=lambda victim: {
            "name": "spy",
            "address": "sip:spy@example.org",
            "organization_id": victim.organization_id,
        }
    ),
    "GET /api/agents/live": harmless(),
    "GET /api/agents/{agent_id}": Case(AGENT),
    "PATCH /api/agents/{agent_id}": Case(AGENT, says({"address": "sip:spy@example.org"})),
    "DELETE /api/agents/{agent_id}": Case(AGENT),
    "GET /api/agents/{agent_id}/sessions": Case(AGENT),
    "GET /api/agents/{agent_id}/transitions": Case(AGENT),
    "GET /api/skills": harmless(),
    "POST /api/skills": Case(body=lambda victim: {"name": "x", "organization_id": victim.organization_id}),
    "DELETE /api/skills/{skill_id}": Case(of(skill_id="skill_id")),
    "GET /api/callbacks": harmless(),
    "POST /api/callbacks": Case(
        body=lambda victim: {
            "campaign_id": victim.talks_id,
            "contact_id": victim.contact_id,
            "at": "2026-03-04T15:00:00Z",
        }
    ),
    "GET /api/callbacks/{callback_id}": Case(CALLBACK),
    "PATCH /api/callbacks/{callback_id}": Case(CALLBACK, says({"note": "mine"})),
    "DELETE /api/callbacks/{callback_id}": Case(CALLBACK),
    "GET /api/completion-codes": harmless(),
    "POST /api/completion-codes": Case(
        body=lambda victim: {"name": "spied", "organization_id": victim.organization_id}
    ),
    "GET /api/completion-codes/{code_id}": Case(CODE),
    "PATCH /api/completion-codes/{code_id}": Case(CODE, says({"label": "mine"})),
    "DELETE /api/completion-codes/{code_id}": Case(CODE),
    "GET /api/board": harmless(),
    "GET /api/board/samples": harmless(),
    "GET /api/jobs": harmless(),
    "POST /api/campaigns/{campaign_id}/jobs": Case(of(campaign_id="spare_campaign_id")),
    "GET /api/jobs/{job_id}": Case(JOB),
    "POST /api/jobs/{job_id}/{command}": Case(lambda victim: {"job_id": victim.job_id, "command": "stop"}),
    "GET /api/jobs/{job_id}/outcomes": Case(JOB),
    "GET /api/jobs/{job_id}/attempts": Case(JOB),
    "GET /api/jobs/{job_id}/samples": Case(JOB),
    "GET /api/jobs/{job_id}/agents": Case(of(job_id="agents_job_id")),
    "GET /api/jobs/{job_id}/agents/samples": Case(of(job_id="agents_job_id")),
    "GET /api/jobs/{job_id}/contacts/{contact_id}/why": Case(of(job_id="job_id", contact_id="contact_id")),
    "GET /api/tasks/{task_id}/pacing": Case(TASK),
    "GET /api/jobs/{job_id}/results.csv": Case(JOB),
    "GET /api/tasks/{task_id}": Case(TASK),
    "PATCH /api/tasks/{task_id}": Case(TASK, says({"priority": 10})),
    "GET /api/tasks/{task_id}/why": Case(TASK),
    "GET /api/pools": harmless(),
    "POST /api/pools/{pool_id}/what-if": Case(
        POOL, says({"changes": [{"what": "change_count", "kind": "outbound_ports", "by": 1}]})
    ),
    "GET /api/pools/{pool_id}/recalculations": Case(POOL),
    "GET /api/pools/{pool_id}/why": Case(POOL),
    "GET /api/strategies": harmless(),
    "POST /api/strategies": Case(
        body=lambda victim: {"source": SOURCE, "organization_id": victim.organization_id}
    ),
    "POST /api/strategies/check": harmless({"source": SOURCE}),
    "GET /api/strategies/templates": harmless(),
    "GET /api/strategies/{strategy_id}": Case(STRATEGY_ID),
    "GET /api/strategies/{strategy_id}/changes": Case(STRATEGY_ID),
    "PUT /api/strategies/{strategy_id}": Case(DRAFT, says({"source": SOURCE})),
    "POST /api/strategies/{strategy_id}/activate": Case(DRAFT),
    "DELETE /api/strategies/{strategy_id}": Case(DRAFT),
    "GET /api/campaigns": harmless(),
    "POST /api/campaigns": Case(body=plan_with_their_list),
    "GET /api/campaigns/{campaign_id}": Case(CAMPAIGN),
    "PUT /api/campaigns/{campaign_id}": Case(CAMPAIGN, plan_with_their_list),
    "DELETE /api/campaigns/{campaign_id}": Case(of(campaign_id="spare_campaign_id")),
    "GET /api/licences": harmless(),
    "GET /api/licences/files": Case(),
    "POST /api/licences/files": Case(body=says({"text": "a.b.c", "public_key": "x"})),
    "DELETE /api/licences/files/{file_id}": Case(lambda _: {"file_id": "L-1"}),
    "GET /api/licences/division": harmless(),
    "PUT /api/licences/division": Case(
        body=lambda victim: {"zone": "default", "organization": victim.name, "counts": {"outbound_ports": 1}}
    ),
    "GET /api/platform": harmless(),
    "POST /api/platform/poll": Case(),
    "GET /api/connections": Case(),
    "POST /api/connections": Case(body=says({"name": "mine", "kind": "sip", "capacity": 1})),
    "PATCH /api/connections/{connection_id}": Case(lambda _: {"connection_id": 1}, says({"capacity": 1})),
    "DELETE /api/connections/{connection_id}": Case(lambda _: {"connection_id": 1}),
    "GET /api/media-servers": Case(),
    "POST /api/media-servers": Case(
        body=says({"name": "mine", "url": "http://127.0.0.1:8088", "username": "x", "password": "x"})
    ),
    "GET /api/media-servers/{server_id}": Case(lambda _: {"server_id": 1}),
    "PATCH /api/media-servers/{server_id}": Case(lambda _: {"server_id": 1}, says({"weight": 2})),
    "DELETE /api/media-servers/{server_id}": Case(lambda _: {"server_id": 1}),
    "POST /api/media-servers/{server_id}/drain": Case(lambda _: {"server_id": 1}, says({"draining": True})),
    "POST /api/media-servers/{server_id}/check": Case(lambda _: {"server_id": 1}),
    "GET /api/speech-servers": Case(),
    "POST /api/speech-servers": Case(body=says({"name": "mine", "kind": "tts", "engine": "espeak"})),
    "GET /api/speech-servers/use": Case(),
    "GET /api/speech-servers/{server_id}": Case(lambda _: {"server_id": 1}),
    "PATCH /api/speech-servers/{server_id}": Case(lambda _: {"server_id": 1}, says({"maximum": 2})),
    "DELETE /api/speech-servers/{server_id}": Case(lambda _: {"server_id": 1}),
    "POST /api/speech-servers/{server_id}/check": Case(lambda _: {"server_id": 1}),
    "GET /api/channels": Case(),
    "POST /api/channels/{channel}/check": Case(lambda _: {"channel": "email"}),
    "GET /api/zones": harmless(),
    "POST /api/zones": Case(body=says({"name": "mine"})),
    "DELETE /api/zones/{zone_id}": Case(lambda _: {"zone_id": 1}),
    "POST /api/zones/{zone_id}/organizations": Case(
        lambda _: {"zone_id": 1}, lambda victim: {"organization_id": victim.organization_id}
    ),
    "GET /api/organizations": harmless(),
    "POST /api/organizations": Case(body=says({"name": "mine"})),
    "DELETE /api/organizations/{organization_id}": Case(of(organization_id="organization_id")),
    "GET /api/contact-lists": harmless(),
    "POST /api/contact-lists": Case(
        body=lambda victim: {"name": "x", "default_country": "DE", "organization_id": victim.organization_id}
    ),
    "GET /api/contact-lists/{list_id}": Case(LIST),
    "PATCH /api/contact-lists/{list_id}": Case(LIST, says({"name": "mine now"})),
    "DELETE /api/contact-lists/{list_id}": Case(LIST),
    "GET /api/contact-lists/{list_id}/contacts": Case(LIST),
    "GET /api/contact-lists/{list_id}/contacts/{contact_id}": Case(
        of(list_id="list_id", contact_id="contact_id")
    ),
    "POST /api/contact-lists/{list_id}/imports": Case(LIST, content=b"Phone\n+4930111111\n"),
    "GET /api/contact-lists/{list_id}/imports": Case(LIST),
    "GET /api/imports": harmless(),
    "GET /api/imports/{import_id}": Case(IMPORT),
    "POST /api/imports/{import_id}/cancel": Case(IMPORT),
    "GET /api/imports/{import_id}/rejects": Case(IMPORT),
    "GET /api/do-not-contact-lists": harmless(),
    "POST /api/do-not-contact-lists": Case(
        body=lambda victim: {"name": "x", "organization_id": victim.organization_id}
    ),
    "GET /api/do-not-contact-lists/{list_id}": Case(REFUSED),
    "DELETE /api/do-not-contact-lists/{list_id}": Case(REFUSED),
    "GET /api/do-not-contact-lists/{list_id}/entries": Case(REFUSED),
    "POST /api/do-not-contact-lists/{list_id}/entries": Case(
        REFUSED, says({"addresses": ["a@example.org"], "country": "DE"})
    ),
    "POST /api/do-not-contact-lists/{list_id}/entries/remove": Case(
        REFUSED, says({"addresses": ["a@example.org"], "country": "DE"})
    ),
    "POST /api/do-not-contact-lists/{list_id}/imports": Case(
        REFUSED, content=b"a@example.org\n", query={"country": "DE"}
    ),
    "GET /api/users": harmless(),
    "POST /api/users": Case(
        body=lambda victim: {"name": "spy", "role": "viewer", "organization_id": victim.organization_id}
    ),
    "GET /api/users/{user_id}": Case(USER),
    "PATCH /api/users/{user_id}": Case(USER, says({"disabled": True})),
    "POST /api/users/{user_id}/password": Case(USER, says({"password": "a wholly other password"})),
    "GET /api/tokens": harmless(),
    "POST /api/tokens": Case(body=says({"name": "x"})),
    "DELETE /api/tokens/{token_id}": Case(TOKEN),
    "GET /api/session": harmless(),
    "DELETE /api/session": harmless(),
    "POST /api/session/password": harmless({"current": PASSWORD, "new": "a wholly other password"}),
    "POST /api/session": harmless({"name": "rival-ada", "password": "not this one"}),
}
"""By method and path of the OpenAPI document."""

FOLLOWED_APART = {"GET /api/events"}
"""Streams that do not end; `test_the_event_stream_tells_nothing_of_others` asks what they would say."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    folder = tmp_path_factory.mktemp("isolation")
    with sqlite_url(folder) as url:
        database = Database(url, connections=4)
        with composed(database, folder, with_agents_jobs=True) as made:
            assert made.acme.job_id != made.rival.job_id
            made.of(made.acme, "ada").patch(f"/api/tasks/{made.acme.task_id}", json={"priority": 6})
            yield made
        database.close()


def operations(document: Mapping[str, Any]) -> list[str]:
    """Return every operation of an OpenAPI document as METHOD path."""
    return [
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/api/")
    ]


def test_every_operation_has_a_case(system: Composed) -> None:
    assert set(operations(system.site.app.openapi())) == CASES.keys() | FOLLOWED_APART


def test_the_program_serves_no_operation_that_is_not_tested_here(system: Composed) -> None:
    from fastapi import FastAPI  # noqa: PLC0415 - only here

    from outrider.app import ROUTERS  # noqa: PLC0415 - as above

    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    assert set(operations(app.openapi())) <= set(operations(system.site.app.openapi()))


@pytest.mark.parametrize("operation", sorted(CASES))
@pytest.mark.parametrize("who", ["ada", "vic"])
def test_another_organization_sees_and_changes_nothing(system: Composed, operation: str, who: str) -> None:
    case = CASES[operation]
    victim, caller = system.acme, system.of(system.rival, who)
    before = system.rows(victim.organization_id)
    response = ask(caller, operation, case, victim)
    assert system.rows(victim.organization_id) == before
    if case.refused:
        assert response.status_code in FOREIGN, response.text
        assert response.json()["detail"]
    assert "acme" not in response.text
    if response.status_code not in FOREIGN:
        assert f'"organization_id":{victim.organization_id},' not in response.text.replace(" ", "")


def ask(caller: Api, operation: str, case: Case, victim: Tenant) -> Any:
    """Send the request of a case."""
    method, path = operation.split(" ", 1)
    options: dict[str, Any] = {"params": dict(case.query)}
    if case.content is not None:
        options |= {"content": case.content, "headers": {"content-type": "text/csv"}}
    elif case.body is not None:
        options |= {"content": json.dumps(case.body(victim)), "headers": {"content-type": "application/json"}}
    return caller.request(method, path.format(**case.path(victim)), **options)


def test_the_cases_are_not_refused_for_another_reason(system: Composed) -> None:
    """Ask the reading cases as the victim's own administrator: those must be answered."""
    own = system.of(system.acme, "ada")
    others = (
        "/licences/files",
        "/connections",
        "/media-servers",
        "/speech-servers",
        "/channels",
        "rejects",
        "/agent/",
    )
    for operation, case in CASES.items():
        if operation.startswith("GET ") and not any(part in operation for part in others):
            assert ask(own, operation, case, system.acme).status_code == 200, operation


def test_the_event_stream_tells_nothing_of_others(system: Composed) -> None:
    rival = system.rival
    spy = Caller(999, "spy", Role.ADMINISTRATOR, rival.organization_id)
    source = log_source(system.site.edge, spy)

    async def read() -> list[str]:
        messages, _ = await source(0)
        return [message.data for message in messages]

    told = system.site.runner.run(read())
    assert told
    assert "acme" not in " ".join(told)
    whole = system.database.read_now(log.since, 0, None)
    assert "acme" in str(whole)
