"""Pages to sign in, to sign out, and to change one's password. `create_app` includes `router`."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import HTMLResponse

from outrider.errors import InvalidInputError, NotAllowedError, NotAuthenticatedError
from outrider.people.model import Credential, Role, ThrottledError
from outrider.web.access import Edge, SignedIn, authenticate
from outrider.web.pages import own_address, redirect, render
from outrider.web.sign_in import (
    address_of,
    change_own_password,
    check_same_origin,
    give_session,
    sign_in,
    sign_out,
)

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form(max_length=1000)]


def _sign_in_page(
    request: Request, *, to: str, name: str = "", error: str = "", status: int = 200
) -> HTMLResponse:
    return render(request, "sign_in.html", status=status, next=to, name=name, error=error)


@router.get("/sign-in")
async def show_sign_in(request: Request, edge: Edge, next: str = "/") -> Response:  # noqa: A002 - a query's name
    """Show the form; whoever is signed in already is led on."""
    try:
        credential = await authenticate(request, edge)
    except NotAuthenticatedError:
        return _sign_in_page(request, to=own_address(next))
    return redirect(_home(credential, own_address(next)))


def _home(credential: Credential, to: str) -> str:
    """Return where to lead: agents have nothing of the console, so that their first page is the desktop."""
    return "/desktop" if to == "/" and credential.caller.role is Role.AGENT else to


@router.post("/sign-in")
async def handle_sign_in(
    request: Request,
    edge: Edge,
    name: Field = "",
    password: Field = "",
    next: Field = "/",  # noqa: A002 - a field's name
) -> Response:
    """Open a session and lead on, or show the form again with the reason."""
    check_same_origin(request)
    to = own_address(next)
    try:
        opened = await sign_in(edge, name, password, address_of(request))
    except NotAuthenticatedError as error:
        return _sign_in_page(request, to=to, name=name, error=_sentence(error.message), status=401)
    except ThrottledError as error:
        page = _sign_in_page(request, to=to, name=name, error=_sentence(error.message), status=429)
        page.headers["Retry-After"] = str(error.facts["retry_after"])
        return page
    response = redirect(
        "/password" if opened.credential.must_change_password else _home(opened.credential, to)
    )
    give_session(request, response, edge, opened)
    return response


@router.post("/sign-out")
async def handle_sign_out(request: Request, edge: Edge, _: SignedIn) -> Response:
    """End the session."""
    response = redirect("/sign-in", "You are signed out.")
    await sign_out(request, response, edge)
    return response


@router.get("/password")
async def show_password(request: Request, credential: SignedIn) -> Response:
    """Show the form to change one's password."""
    return _password_page(request, forced=credential.must_change_password)


def _password_page(request: Request, *, forced: bool, error: str = "", status: int = 200) -> HTMLResponse:
    return render(request, "password.html", status=status, forced=forced, error=error, next="/")


@router.post("/password")
async def handle_password(
    request: Request,
    edge: Edge,
    credential: SignedIn,
    *,
    current: Field = "",
    new: Field = "",
    again: Field = "",
) -> Response:
    """Change the password and lead to the board, or show the form again with the reason."""
    try:
        _require_same(new, again)
        await change_own_password(edge, request, credential.caller, current=current, new=new)
    except (InvalidInputError, ThrottledError, NotAllowedError) as error:
        forced = credential.must_change_password
        return _password_page(request, forced=forced, error=_sentence(error.message), status=422)
    return redirect(_home(credential, "/"), "Your password is changed.")


def _require_same(new: str, again: str) -> None:
    if new != again:
        raise InvalidInputError("the new password is not the same both times", where="again")


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + "."
