"""/api/docs: the API's reference as one page, made from the OpenAPI document, without scripts of others."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from outrider.web.access import Edge, recognise
from outrider.web.pages.console import show

router = APIRouter(include_in_schema=False)
METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/api/docs", response_class=HTMLResponse)
async def documentation(request: Request, edge: Edge) -> HTMLResponse:
    """Show every operation with its parameters and body."""
    await recognise(request, edge)
    document = request.app.openapi()
    return await show(request, edge, "documentation.html", groups=operations(document), document=document)


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
