"""Signing in and out, and changing one's password, for the API and for the pages alike.

Here passwords are checked between transactions, under the throttle; `people/service.py` does the rest.
"""

from fastapi import Request
from starlette.responses import Response

from outrider.errors import InvalidInputError, NotAllowedError, NotAuthenticatedError
from outrider.people import service
from outrider.people.model import NAME_LENGTH, Caller, check_new_password
from outrider.people.passwords import hash_later, verify_later
from outrider.people.service import OpenedSession
from outrider.web.access import SESSION_COOKIE, EdgeServices
from outrider.web.origins import is_foreign


def check_same_origin(request: Request) -> None:
    """NotAllowedError when another site's page sent this sign-in, where no session could prove more."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in {None, "same-origin", "none"}
    if site is None and origin is not None:
        foreign = is_foreign(origin, request.headers.get("host", ""))
    if foreign:
        raise NotAllowedError("sign in on a page of this server, not from another site")


async def sign_in(edge: EdgeServices, name: str, password: str, address: str) -> OpenedSession:
    """Check a name and password, and open a session.

    NotAuthenticatedError, the same whether the name or the password is wrong; ThrottledError.
    """
    cleaned = name.strip().casefold()[:NAME_LENGTH]
    now = edge.clock.now()
    edge.throttle.begin(cleaned, address, now)
    record = await edge.database.read(service.sign_in_record, cleaned)
    if not await verify_later(record.password_hash, password) or record.user is None:
        await edge.database.write(service.note_failed_sign_in, now, record.user)
        raise NotAuthenticatedError("the name or the password is wrong")
    opened = await edge.database.write(service.open_session, now, record.user.id)
    edge.throttle.succeed(cleaned, address)
    return opened


async def change_own_password(
    edge: EdgeServices, request: Request, caller: Caller, *, current: str, new: str
) -> None:
    """Give the caller a new password and end its other sessions.

    InvalidInputError when `current` is wrong or `new` is weak; ThrottledError after wrong ones.
    """
    session = request.cookies.get(SESSION_COOKIE, "")
    if not session:
        raise NotAllowedError("sign in with a session to change a password; API tokens cannot")
    check_new_password(new, caller.name)
    if new == current:
        raise InvalidInputError("password: the new one must differ from the present one", where="password")
    now, source = edge.clock.now(), f"password of {caller.user_id}"
    edge.throttle.begin(caller.name, source, now)
    record = await edge.database.read(service.sign_in_record, caller.name)
    if not await verify_later(record.password_hash, current):
        raise InvalidInputError("current: the present password is wrong", where="current")
    edge.throttle.succeed(caller.name, source)
    hashed = await hash_later(new)
    await edge.database.write(service.change_own_password, now, caller, hashed, session)


def give_session(request: Request, response: Response, edge: EdgeServices, opened: OpenedSession) -> None:
    """Put the session's secret into a cookie that scripts and other sites cannot use."""
    response.set_cookie(
        SESSION_COOKIE,
        opened.secret,
        httponly=True,
        samesite="lax",
        secure=edge.settings.server.secure_cookies or request.url.scheme == "https",
    )


async def sign_out(request: Request, response: Response, edge: EdgeServices) -> None:
    """End the session of the request's cookie and delete the cookie."""
    await edge.database.write(service.close_session, request.cookies.get(SESSION_COOKIE, ""))
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")


def address_of(request: Request) -> str:
    """Return the network address of the caller, as the server (or its trusted proxy) saw it."""
    return request.client.host if request.client is not None else ""
