"""/api/docs: the API's reference as one page, made from the OpenAPI and AsyncAPI documents, without scripts
of others.
"""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from outrider.agents.desk_conversation_api import CLOSE_CODES
from outrider.agents.desk_documents_api import made
from outrider.web.access import Edge, recognise
from outrider.web.pages.console import show

router = APIRouter(include_in_schema=False)
METHODS = ("get", "post", "put", "patch", "delete")
COMMON_FIELDS = frozenset({"id", "at", "kind", "command"})
"""Fields that every message of the websocket has."""


@router.get("/api/docs", response_class=HTMLResponse)
async def documentation(request: Request, edge: Edge) -> HTMLResponse:
    """Show every operation with its parameters and body."""
    await recognise(request, edge)
    document = request.app.openapi()
    return await show(
        request,
        edge,
        "documentation.html",
        groups=operations(document),
        document=document,
        notifications=messages(made(), "notification_"),
        commands=messages(made(), "command_"),
        close_codes=CLOSE_CODES,
    )


def messages(document: dict[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Return those messages of an AsyncAPI document whose names begin with `prefix`, with their fields."""
    return [
        {
            "name": each["name"],
            "text": each["summary"],
            "fields": [
                {
                    "name": field,
                    "type": _type(value),
                    "required": field in each["payload"].get("required", ()),
                }
                for field, value in each["payload"]["properties"].items()
                if field not in COMMON_FIELDS
            ],
        }
        for name, each in document["components"]["messages"].items()
        if name.startswith(prefix)
    ]


def operations(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the operations of an OpenAPI document by tag, each with method and path, in order of path."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, item in sorted(document.get("paths", {}).items()):
        for method in METHODS:
            if method in item:
                operation = {
                    "method": method.upper(),
                    "path": path,
                    "text": item[method].get("description") or item[method].get("summary", ""),
                    "parameters": [
                        each for each in item[method].get("parameters", ()) if each["in"] != "cookie"
                    ],
                    "body": _body(item[method], document),
                }
                groups[(item[method].get("tags") or ["other"])[0]].append(operation)
    return dict(groups)


def _body(operation: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    content: dict[str, dict[str, Any]] = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next(iter(content.values())).get("schema", {}) if content else {}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    schema = document.get("components", {}).get("schemas", {}).get(name, schema)
    required = set(schema.get("required", ()))
    return [
        {"name": field, "type": _type(value), "required": field in required}
        for field, value in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    return str(schema.get("type", "any"))
