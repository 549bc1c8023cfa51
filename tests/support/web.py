"""An app over a test database, and a small synchronous client that speaks to it without a network.

(Starlette's own test client wants a library that we do not use.) Used by tests of `*/api.py` and of pages.
"""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from argon2 import PasswordHasher
from fastapi import APIRouter, FastAPI
from sqlalchemy import insert

from outrider.clock import Clock, VirtualClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.people import service
from outrider.people.model import SYSTEM, Role, User
from outrider.settings import Settings
from outrider.web.access import CSRF_HEADER, EdgeServices
from outrider.web.app import create_app
from outrider.web.news import News

T = TypeVar("T")

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
PASSWORD = "correct horse battery staple"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Cheap to verify, since tests sign in often; how costly a check is stands in the hash itself."""


class Runner:
    """An event loop in a thread of its own: the test's thread may be the browser driver's loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-loop")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class Api:
    """A client of an app, with cookies. Signed in as a user, it sends the CSRF token by itself."""

    def __init__(self, app: FastAPI, runner: Runner, address: str = "192.0.2.1") -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40000))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://outrider.test")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and return the whole response."""
        return self._runner.run(self.http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """POST a JSON body (or `data=` for a form)."""
        return self.request("POST", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """PATCH a JSON body."""
        return self.request("PATCH", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """PUT a JSON body."""
        return self.request("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **options)

    def sign_in(self, name: str, password: str = PASSWORD) -> "Api":
        """Open a session and send its CSRF token from now on."""
        response = self.post("/api/session", {"name": name, "password": password})
        assert response.status_code == 200, response.text
        self.http.headers[CSRF_HEADER] = response.json()["csrf_token"]
        return self

    def bear(self, token: str) -> "Api":
        """Send an API token from now on."""
        self.http.headers["Authorization"] = f"Bearer {token}"
        return self


class Site:
    """An app over a database, with helpers to fill it. `clock` stands still unless advanced."""

    def __init__(self, edge: EdgeServices, routers: Sequence[APIRouter], runner: Runner) -> None:
        self.edge = edge
        self.database = edge.database
        self.clock = edge.clock
        self.app = create_app(edge, routers)
        self.runner = runner

    def api(self, address: str = "192.0.2.1") -> Api:
        """Return a new client that is not signed in."""
        return Api(self.app, self.runner, address)

    def as_user(self, name: str) -> Api:
        """Return a new client that is signed in."""
        return self.api().sign_in(name)

    def advance(self, seconds: float) -> None:
        """Let time pass (VirtualClock only)."""
        assert isinstance(self.clock, VirtualClock)
        self.runner.run(self.clock.advance(seconds))

    def organization(self, name: str) -> int:
        """Insert an organization and return its id."""

        def create(tx: Tx) -> int:
            table = schema.organizations
            statement = insert(table).values(name=name, created_at=self.clock.now()).returning(table.c.id)
            return int(tx.execute(statement).scalar_one())

        return self.database.write_now(create)

    def user(self, name: str, role: Role = Role.ADMINISTRATOR, organization_id: int | None = None) -> User:
        """Create a user whose password is PASSWORD."""
        return self.database.write_now(
            service.create_user,
            self.clock.now(),
            SYSTEM,
            name=name,
            role=role,
            organization_id=organization_id,
            password_hash=PASSWORD_HASH,
            must_change_password=False,
        )

    def token(self, user: User, name: str = "test") -> str:
        """Create an API token of a user and return its secret."""
        _, secret = self.database.write_now(
            service.create_token, self.clock.now(), SYSTEM, user.id, name=name, expires_at=None
        )
        return secret


EdgeChange = Callable[[EdgeServices], EdgeServices]


@contextmanager
def open_site(
    database: Database,
    folder: Path,
    routers: Sequence[APIRouter] = (),
    *,
    clock: Clock | None = None,
    change: EdgeChange = lambda edge: edge,
) -> Iterator[Site]:
    """Give a site over `database`; `change` may add parts to its EdgeServices."""
    edge = EdgeServices(
        database=database,
        clock=clock or VirtualClock(START),
        data_folder=folder,
        settings=Settings(data_folder=folder),
        news=News(database),
    )
    with Runner() as runner:
        yield Site(change(edge), routers, runner)
