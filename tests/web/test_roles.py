"""For every operation that changes something: the lowest role that may, and that the one below may not."""

from collections.abc import Iterator, Mapping

import pytest

from outrider.agents.desk_messages import BODIES, SUPERVISORS
from outrider.db.database import Database
from outrider.people.model import Role
from support.composed import Composed, composed
from support.databases import sqlite_url

SYSTEM = "system"
"""Only an administrator of the whole system."""

LOWEST: Mapping[str, str] = {
    "POST /api/agents": Role.SUPERVISOR,
    "PATCH /api/agents/{agent_id}": Role.SUPERVISOR,
    "DELETE /api/agents/{agent_id}": Role.SUPERVISOR,
    "POST /api/agents/{agent_id}/commands/move": Role.SUPERVISOR,
    "POST /api/agents/{agent_id}/commands/detach": Role.SUPERVISOR,
    "POST /api/agents/{agent_id}/commands/log_out": Role.SUPERVISOR,
    "POST /api/agents/{agent_id}/commands/ready": Role.SUPERVISOR,
    "POST /api/agents/{agent_id}/commands/not_ready": Role.SUPERVISOR,
    "POST /api/skills": Role.SUPERVISOR,
    "DELETE /api/skills/{skill_id}": Role.SUPERVISOR,
    "POST /api/callbacks": Role.SUPERVISOR,
    "PATCH /api/callbacks/{callback_id}": Role.SUPERVISOR,
    "DELETE /api/callbacks/{callback_id}": Role.SUPERVISOR,
    "POST /api/completion-codes": Role.SUPERVISOR,
    "PATCH /api/completion-codes/{code_id}": Role.SUPERVISOR,
    "DELETE /api/completion-codes/{code_id}": Role.SUPERVISOR,
    "POST /api/campaigns/{campaign_id}/jobs": Role.SUPERVISOR,
    "POST /api/jobs/{job_id}/{command}": Role.SUPERVISOR,
    "PATCH /api/tasks/{task_id}": Role.SUPERVISOR,
    "POST /api/pools/{pool_id}/what-if": Role.VIEWER,
    "POST /api/strategies": Role.ADMINISTRATOR,
    "POST /api/strategies/check": Role.VIEWER,
    "PUT /api/strategies/{strategy_id}": Role.ADMINISTRATOR,
    "POST /api/strategies/{strategy_id}/activate": Role.ADMINISTRATOR,
    "DELETE /api/strategies/{strategy_id}": Role.ADMINISTRATOR,
    "POST /api/campaigns": Role.ADMINISTRATOR,
    "PUT /api/campaigns/{campaign_id}": Role.ADMINISTRATOR,
    "DELETE /api/campaigns/{campaign_id}": Role.ADMINISTRATOR,
    "POST /api/licences/files": SYSTEM,
    "DELETE /api/licences/files/{file_id}": SYSTEM,
    "PUT /api/licences/division": SYSTEM,
    "POST /api/platform/poll": SYSTEM,
    "POST /api/connections": SYSTEM,
    "PATCH /api/connections/{connection_id}": SYSTEM,
    "DELETE /api/connections/{connection_id}": SYSTEM,
    "POST /api/media-servers": SYSTEM,
    "PATCH /api/media-servers/{server_id}": SYSTEM,
    "DELETE /api/media-servers/{server_id}": SYSTEM,
    "POST /api/media-servers/{server_id}/drain": SYSTEM,
    "POST /api/media-servers/{server_id}/check": SYSTEM,
    "POST /api/speech-servers": SYSTEM,
    "PATCH /api/speech-servers/{server_id}": SYSTEM,
    "DELETE /api/speech-servers/{server_id}": SYSTEM,
    "POST /api/speech-servers/{server_id}/check": SYSTEM,
    "POST /api/channels/{channel}/check": SYSTEM,
    "POST /api/zones": SYSTEM,
    "DELETE /api/zones/{zone_id}": SYSTEM,
    "POST /api/zones/{zone_id}/organizations": SYSTEM,
    "POST /api/organizations": SYSTEM,
    "DELETE /api/organizations/{organization_id}": SYSTEM,
    "POST /api/contact-lists": Role.SUPERVISOR,
    "PATCH /api/contact-lists/{list_id}": Role.SUPERVISOR,
    "DELETE /api/contact-lists/{list_id}": Role.SUPERVISOR,
    "POST /api/contact-lists/{list_id}/imports": Role.SUPERVISOR,
    "POST /api/imports/{import_id}/cancel": Role.SUPERVISOR,
    "POST /api/do-not-contact-lists": Role.SUPERVISOR,
    "DELETE /api/do-not-contact-lists/{list_id}": Role.SUPERVISOR,
    "POST /api/do-not-contact-lists/{list_id}/entries": Role.SUPERVISOR,
    "POST /api/do-not-contact-lists/{list_id}/entries/remove": Role.SUPERVISOR,
    "POST /api/do-not-contact-lists/{list_id}/imports": Role.SUPERVISOR,
    "POST /api/users": Role.ADMINISTRATOR,
    "PATCH /api/users/{user_id}": Role.ADMINISTRATOR,
    "POST /api/users/{user_id}/password": Role.ADMINISTRATOR,
}
"""By operation."""

ONES_OWN = frozenset(
    {
        *(f"POST /api/agent/session/commands/{name}" for name in BODIES if name not in SUPERVISORS),
        "POST /api/agent/session",
        "DELETE /api/agent/session",
        "PUT /api/agent/preferred-campaigns",
        "PUT /api/agent/contacts/{contact_id}/attributes",
        "POST /api/agent/do-not-contact",
        "POST /api/agent/do-not-contact/check",
        "POST /api/session",
        "DELETE /api/session",
        "POST /api/session/password",
        "POST /api/tokens",
        "DELETE /api/tokens/{token_id}",
    }
)
"""What everybody may do about oneself."""

NOWHERE = {
    "agent_id": "999999",
    "skill_id": "999999",
    "callback_id": "999999",
    "code_id": "999999",
    "campaign_id": "999999",
    "job_id": "999999",
    "command": "pause",
    "task_id": "999999",
    "pool_id": "999999",
    "strategy_id": "999999",
    "file_id": "nothing",
    "connection_id": "999999",
    "server_id": "999999",
    "channel": "nothing",
    "zone_id": "999999",
    "organization_id": "999999",
    "list_id": "999999",
    "import_id": "999999",
    "user_id": "999999",
}
"""Ids of nothing: whoever is allowed gets 404 or 422, whoever is not 403."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    folder = tmp_path_factory.mktemp("roles")
    with sqlite_url(folder) as url:
        database = Database(url, connections=4)
        with composed(database, folder) as made:
            yield made
        database.close()


def test_every_changing_operation_has_its_role(system: Composed) -> None:
    unsafe = {
        f"{method.upper()} {path}"
        for path, methods in system.site.app.openapi()["paths"].items()
        for method in methods
        if method != "get" and path.startswith("/api/")
    }
    assert unsafe == LOWEST.keys() | ONES_OWN


@pytest.mark.parametrize("operation", sorted(LOWEST))
def test_the_lowest_role_may_and_the_one_below_may_not(system: Composed, operation: str) -> None:
    method, path = operation.split(" ", 1)
    address = path.format(**NOWHERE)
    acme = system.acme
    ladder = [
        (Role.AGENT, system.of(acme, "amy")),
        (Role.VIEWER, system.of(acme, "vic")),
        (Role.SUPERVISOR, system.of(acme, "sue")),
        (Role.ADMINISTRATOR, system.of(acme, "ada")),
        (SYSTEM, system.root("ada")),
    ]
    lowest = [str(role) for role, _ in ladder].index(LOWEST[operation])
    for rank, (role, api) in enumerate(ladder):
        status = api.request(method, address, json={}).status_code
        if rank < lowest:
            assert status == 403, (role, operation)
        else:
            assert status in {200, 404, 422}, (role, operation, status)


OF_AGENTS = frozenset({"GET /api/session", "GET /api/tokens"}) | ONES_OWN
"""What agents may use: what they may do about themselves, and the Agent Web API."""


def test_agents_have_nothing_of_the_console(system: Composed) -> None:
    amy = system.of(system.acme, "amy")
    for path, methods in system.site.app.openapi()["paths"].items():
        for method in methods:
            operation = f"{method.upper()} {path}"
            if not path.startswith("/api/") or operation in OF_AGENTS or path.startswith("/api/agent/"):
                continue
            address = path.format(**NOWHERE, contact_id="1", token_id="1")
            answer = amy.request(method.upper(), address)
            assert answer.status_code == 403, (operation, answer.text)


def test_nothing_is_answered_to_strangers(system: Composed) -> None:
    stranger = system.site.api()
    for path, methods in system.site.app.openapi()["paths"].items():
        for method in methods:
            operation = f"{method.upper()} {path}"
            if not path.startswith("/api/") or operation == "POST /api/session":
                continue
            address = path.format(**NOWHERE, contact_id="1", token_id="1")
            answer = stranger.request(method.upper(), address)
            assert answer.status_code == 401, (operation, answer.text)
