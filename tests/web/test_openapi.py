"""Generated requests over the whole OpenAPI document: none makes the server fail, each error is a problem.

Schemathesis draws them from the document, valid and invalid ones, with a fixed seed and over real records, as
an administrator of the system, who passes every check of rights.
"""

import json
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema

from outrider.db.database import Database
from support.composed import Composed, Tenant, composed
from support.databases import sqlite_url

EXAMPLES = 10
SEED = 20260304
STREAMS = "/api/events"
"""Streams do not end; `test_sse.py` reads it."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    folder: Path = tmp_path_factory.mktemp("openapi")
    with sqlite_url(folder) as url:
        database = Database(url, connections=4)
        with composed(database, folder) as made:
            assert made.acme.job_id != made.rival.job_id
            yield made
        database.close()


def operations(system: Composed) -> list[tuple[str, str]]:
    """Return method and path of every operation, those that delete last."""
    paths = system.site.app.openapi()["paths"]
    found = [(method, path) for path, methods in paths.items() for method in methods if path != STREAMS]
    return sorted(found, key=lambda each: (each[0] == "delete", each[0] != "get"))


def one_operation(system: Composed, method: str, path: str) -> BaseSchema:
    """Return the document with that operation alone, its ids drawn from records that exist as well."""
    document = json.loads(json.dumps(system.site.app.openapi()))
    operation = document["paths"][path][method]
    known = ids_of(system.acme)
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path" and name in known:
            parameter["schema"] = {"anyOf": [{"const": known[name]}, parameter["schema"]]}
    document["paths"] = {path: {method: operation}}
    return schemathesis.openapi.from_dict(document)


def ids_of(tenant: Tenant) -> dict[str, object]:
    names = ("list_id", "campaign_id", "job_id", "task_id", "pool_id", "contact_id", "import_id")
    return {name: getattr(tenant, name) for name in names} | {
        "strategy_id": tenant.draft_id,
        "user_id": tenant.user_id,
        "token_id": tenant.token_id,
        "file_id": "L-1",
        "command": "pause",
    }


def test_no_generated_request_makes_the_server_fail(system: Composed) -> None:
    root = system.root()
    tried = 0

    def send(case: Any) -> None:
        nonlocal tried
        tried += 1
        kwargs = case.as_transport_kwargs(base_url="http://outrider.test")
        headers = dict(kwargs["headers"])
        headers.pop("Authorization", None)
        response = root.request(
            case.method,
            kwargs["url"],
            params=kwargs.get("params"),
            headers=headers,
            content=kwargs.get("data"),
            json=kwargs.get("json"),
        )
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json", response.text
            assert response.json()["detail"]

    for method, path in operations(system):
        operation = one_operation(system, method, path)[path][method]
        for mode in GenerationMode:
            bounded = settings(
                max_examples=EXAMPLES,
                phases=(Phase.explicit, Phase.generate),
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            drawn = operation.as_strategy(generation_mode=mode)
            # An operation that takes nothing cannot be asked wrongly.
            with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
                bounded(seed(SEED)(given(case=drawn)(send)))()
    assert tried > 1000
    assert root.get("/api/board").status_code == 200
