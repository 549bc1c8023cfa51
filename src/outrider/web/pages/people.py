"""Pages of users (for administrators), and of one's own account and API tokens.

`create_app` includes `router`.
"""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import HTMLResponse

from outrider.errors import ConflictError, InvalidInputError
from outrider.people import service
from outrider.people.model import Caller, Role, User
from outrider.people.passwords import hash_later, new_password
from outrider.web.access import Administrator, Edge, EdgeServices, RowId, Viewer
from outrider.web.pages import own_address, redirect
from outrider.web.pages.console import show

router = APIRouter(include_in_schema=False)

ROLES = [
    (Role.AGENT.value, "Agent: works at the agent desktop, sees nothing else"),
    (Role.VIEWER.value, "Viewer: sees everything, changes nothing"),
    (Role.SUPERVISOR.value, "Supervisor: runs campaigns and jobs"),
    (Role.ADMINISTRATOR.value, "Administrator: also users and configuration"),
]
Field = Annotated[str, Form(max_length=1000)]


@router.get("/users")
async def show_users(request: Request, edge: Edge, caller: Administrator) -> HTMLResponse:
    """Show all users that the caller may see."""
    return await show(request, edge, "users.html", users=await edge.database.read(service.list_users, caller))


@router.get("/users/new")
async def show_new_user(request: Request, edge: Edge, caller: Administrator) -> HTMLResponse:
    """Show the form for a new user."""
    return await _new_user_page(request, edge, caller)


async def _new_user_page(
    request: Request, edge: EdgeServices, caller: Caller, *, error: str = "", **given: str
) -> HTMLResponse:
    choice = None
    if caller.organization_id is None:
        found = await edge.database.read(service.list_organizations)
        choice = [("", "All organizations"), *((str(number), name) for number, name in found)]
    values = {"name": "", "role": Role.SUPERVISOR.value, "organization_id": "", **given}
    status = 422 if error else 200
    return await show(
        request,
        edge,
        "user_new.html",
        status=status,
        roles=ROLES,
        organizations=choice,
        error=error,
        **values,
    )


@router.post("/users/new")
async def handle_new_user(
    request: Request,
    edge: Edge,
    caller: Administrator,
    *,
    name: Field = "",
    role: Annotated[Role, Form()],
    organization_id: Annotated[str, Form(pattern=r"^[0-9]{0,18}$")] = "",
) -> HTMLResponse:
    """Create a user and show its one-time password, or show the form again with the reason."""
    password = new_password()
    hashed = await hash_later(password)
    organization = int(organization_id) if organization_id else caller.organization_id
    try:
        user = await edge.database.write(
            service.create_user,
            edge.clock.now(),
            caller,
            name=name,
            role=role,
            organization_id=organization,
            password_hash=hashed,
        )
    except (InvalidInputError, ConflictError) as error:
        given = {"name": name, "role": role.value, "organization_id": organization_id}
        return await _new_user_page(request, edge, caller, error=error.message, **given)
    return await _user_page(request, edge, caller, user, one_time_password=password)


@router.get("/users/{user_id}")
async def show_user(request: Request, edge: Edge, caller: Administrator, user_id: RowId) -> HTMLResponse:
    """Show one user."""
    return await _user_page(
        request, edge, caller, await edge.database.read(service.get_user, caller, user_id)
    )


async def _user_page(
    request: Request, edge: EdgeServices, caller: Caller, user: User, **context: Any
) -> HTMLResponse:
    tokens = [
        token for token in await edge.database.read(service.list_tokens, caller) if token.user_id == user.id
    ]
    values = {"one_time_password": "", "error": "", **context}
    status = 409 if values["error"] else 200
    # After a POST the address is that of the action; forms and links shall lead back here.
    values["path"] = f"/users/{user.id}"
    return await show(
        request,
        edge,
        "user.html",
        status=status,
        user=user,
        roles=ROLES,
        tokens=tokens,
        now=edge.clock.now(),
        **values,
    )


@router.post("/users/{user_id}/role")
async def handle_role(
    request: Request, edge: Edge, caller: Administrator, user_id: RowId, role: Annotated[Role, Form()]
) -> Response:
    """Change a user's role."""
    return await _change(request, edge, caller, user_id, role=role)


@router.post("/users/{user_id}/state")
async def handle_state(
    request: Request, edge: Edge, caller: Administrator, user_id: RowId, *, disabled: Annotated[bool, Form()]
) -> Response:
    """Disable or enable a user."""
    return await _change(request, edge, caller, user_id, disabled=disabled)


async def _change(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    user_id: int,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
) -> Response:
    try:
        user = await edge.database.write(
            service.change_user, edge.clock.now(), caller, user_id, role=role, disabled=disabled
        )
    except ConflictError as error:
        user = await edge.database.read(service.get_user, caller, user_id)
        return await _user_page(request, edge, caller, user, error=error.message)
    return redirect(f"/users/{user_id}", f"{user.name} is changed.")


@router.post("/users/{user_id}/password")
async def handle_reset(request: Request, edge: Edge, caller: Administrator, user_id: RowId) -> HTMLResponse:
    """Give a user a new one-time password and show it once."""
    password = new_password()
    hashed = await hash_later(password)
    await edge.database.write(service.set_password, edge.clock.now(), caller, user_id, hashed)
    user = await edge.database.read(service.get_user, caller, user_id)
    return await _user_page(request, edge, caller, user, one_time_password=password)


@router.get("/account")
async def show_account(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show who one is, and one's tokens."""
    return await _account_page(request, edge, caller)


async def _account_page(request: Request, edge: EdgeServices, caller: Caller, **context: Any) -> HTMLResponse:
    user = await edge.database.read(service.get_user, caller, caller.user_id)
    tokens = await edge.database.read(service.list_tokens, caller)
    own = [token for token in tokens if token.user_id == caller.user_id]
    values = {"error": "", "secret": "", "created": None, "name": "", "days": "90", **context}
    status = 422 if values["error"] else 200
    values["path"] = "/account"
    return await show(
        request, edge, "account.html", status=status, user=user, tokens=own, now=edge.clock.now(), **values
    )


@router.post("/account/tokens")
async def handle_new_token(
    request: Request,
    edge: Edge,
    caller: Viewer,
    *,
    name: Field = "",
    days: Annotated[str, Form(pattern=r"^[0-9]{0,3}$")] = "",
) -> HTMLResponse:
    """Create a token of one's own and show it once, or show the form again with the reason."""
    now = edge.clock.now()
    expires_at = now + dt.timedelta(days=int(days)) if days else None
    try:
        created, secret = await edge.database.write(
            service.create_token, now, caller, caller.user_id, name=name, expires_at=expires_at
        )
    except (InvalidInputError, ConflictError) as error:
        return await _account_page(request, edge, caller, error=error.message, name=name, days=days)
    return await _account_page(request, edge, caller, created=created, secret=secret)


@router.post("/tokens/{token_id}/revoke")
async def handle_revoke(
    edge: Edge,
    caller: Viewer,
    token_id: RowId,
    next: Field = "/account",  # noqa: A002 - a field's name
) -> Response:
    """Revoke a token and lead back."""
    await edge.database.write(service.revoke_token, edge.clock.now(), caller, token_id)
    return redirect(own_address(next), "The token is revoked.")
