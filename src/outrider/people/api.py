"""REST for people: /api/session (sign-in), /api/users, /api/tokens. `create_app` includes `router`."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from outrider.errors import NotAllowedError
from outrider.people import service
from outrider.people.model import Caller, Credential, Role, Token, User, check_new_password, clean_user_name
from outrider.people.passwords import hash_later, new_password
from outrider.web.access import Administrator, AnyUser, Edge, RowId, SignedIn, Text, Text80
from outrider.web.sign_in import (
    address_of,
    change_own_password,
    check_same_origin,
    give_session,
    sign_in,
    sign_out,
)

router = APIRouter(prefix="/api", tags=["people"])

Password = Annotated[Text, Field(min_length=1, max_length=1000)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class SignInBody(Strict):
    """A name and its password."""

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    password: Password


class SessionView(BaseModel):
    """Who is signed in, and the token that unsafe requests must carry as X-CSRF-Token."""

    user_id: int
    name: str
    role: Role
    organization_id: int | None
    must_change_password: bool
    csrf_token: str

    @classmethod
    def of(cls, credential: Credential) -> "SessionView":
        """Return the view of a credential."""
        caller = credential.caller
        return cls(
            user_id=caller.user_id,
            name=caller.name,
            role=caller.role,
            organization_id=caller.organization_id,
            must_change_password=credential.must_change_password,
            csrf_token=credential.csrf_token,
        )


class PasswordBody(Strict):
    """The present password and the new one."""

    current: Password
    new: Password


class UserBody(Strict):
    """A new user. Without a password, one is made up, shown once, and must be changed at first sign-in."""

    name: Text80
    role: Role
    organization_id: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    password: Password | None = None


class UserChange(Strict):
    """What is to change about a user; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None


class NewPassword(Strict):
    """A password for another user; without one, one is made up and shown once."""

    password: Password | None = None


class Created(BaseModel):
    """A user and its one-time password, when one was made up."""

    user: User
    one_time_password: str | None


class TokenBody(Strict):
    """A new API token of the caller's own; without an end it lives until it is revoked."""

    name: Text80
    expires_at: AwareDatetime | None = None


class NewToken(BaseModel):
    """A token and its secret, which cannot be shown again."""

    token: Token
    secret: str


@router.post("/session")
async def open_session(body: SignInBody, request: Request, response: Response, edge: Edge) -> SessionView:
    """Sign in: sets the session cookie. 401 for a wrong name or password, 429 after too many tries."""
    check_same_origin(request)
    opened = await sign_in(edge, body.name, body.password, address_of(request))
    give_session(request, response, edge, opened)
    return SessionView.of(opened.credential)


@router.get("/session")
async def show_session(credential: SignedIn) -> SessionView:
    """Tell who is calling."""
    return SessionView.of(credential)


@router.delete("/session", status_code=204)
async def end_session(request: Request, response: Response, edge: Edge, _: SignedIn) -> None:
    """Sign out: ends the session of the cookie."""
    await sign_out(request, response, edge)


@router.post("/session/password", status_code=204)
async def change_password(body: PasswordBody, request: Request, edge: Edge, credential: SignedIn) -> None:
    """Change one's own password; ends one's other sessions."""
    await change_own_password(edge, request, credential.caller, current=body.current, new=body.new)


@router.get("/users")
async def list_users(edge: Edge, caller: Administrator) -> list[User]:
    """List the users of one's organization; a system administrator sees all."""
    return await edge.database.read(service.list_users, caller)


@router.post("/users", status_code=201)
async def create_user(body: UserBody, edge: Edge, caller: Administrator) -> Created:
    """Create a user. An administrator of an organization creates users of that organization."""
    password, one_time = _chosen(body.password, clean_user_name(body.name))
    hashed = await hash_later(password)
    user = await edge.database.write(
        service.create_user,
        edge.clock.now(),
        caller,
        name=body.name,
        role=body.role,
        organization_id=_organization(caller, body),
        password_hash=hashed,
    )
    return Created(user=user, one_time_password=one_time)


def _organization(caller: Caller, body: UserBody) -> int | None:
    return body.organization_id if "organization_id" in body.model_fields_set else caller.organization_id


def _chosen(password: str | None, user_name: str) -> tuple[str, str | None]:
    if password is not None:
        check_new_password(password, user_name)
        return password, None
    made_up = new_password()
    return made_up, made_up


@router.get("/users/{user_id}")
async def show_user(user_id: RowId, edge: Edge, caller: Administrator) -> User:
    """Show one user."""
    return await edge.database.read(service.get_user, caller, user_id)


@router.patch("/users/{user_id}")
async def change_user(user_id: RowId, body: UserChange, edge: Edge, caller: Administrator) -> User:
    """Change a user's role, or disable or enable it. Disabling ends its sessions and stops its tokens."""
    return await edge.database.write(
        service.change_user, edge.clock.now(), caller, user_id, role=body.role, disabled=body.disabled
    )


@router.post("/users/{user_id}/password")
async def reset_password(user_id: RowId, body: NewPassword, edge: Edge, caller: Administrator) -> Created:
    """Give a user another password, to be changed at the next sign-in; ends its sessions."""
    user = await edge.database.read(service.get_user, caller, user_id)
    password, one_time = _chosen(body.password, user.name)
    hashed = await hash_later(password)
    await edge.database.write(service.set_password, edge.clock.now(), caller, user_id, hashed)
    changed = await edge.database.read(service.get_user, caller, user_id)
    return Created(user=changed, one_time_password=one_time)


@router.get("/tokens")
async def list_tokens(edge: Edge, caller: AnyUser) -> list[Token]:
    """List one's own API tokens; an administrator sees those of all users it sees."""
    return await edge.database.read(service.list_tokens, caller)


@router.post("/tokens", status_code=201)
async def create_token(body: TokenBody, edge: Edge, caller: AnyUser, credential: SignedIn) -> NewToken:
    """Create an API token with one's own rights. Only from a session: a token cannot make further tokens."""
    if not credential.is_session:
        raise NotAllowedError("sign in with a session to create a token; a token cannot make further tokens")
    end: dt.datetime | None = body.expires_at
    token, secret = await edge.database.write(
        service.create_token, edge.clock.now(), caller, caller.user_id, name=body.name, expires_at=end
    )
    return NewToken(token=token, secret=secret)


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: RowId, edge: Edge, caller: AnyUser) -> None:
    """Revoke an API token at once."""
    await edge.database.write(service.revoke_token, edge.clock.now(), caller, token_id)
