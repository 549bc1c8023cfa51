"""A server with the Agent Web API over a `PlayDesk`: agents with users and tokens, HTTP and real websockets.

Tests of the API, of `outrider.client` and of the desktop's page use it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fastapi import APIRouter
from sqlalchemy import select

from outrider.agents import desk_api, desk_commands_api, desk_documents_api, desk_records_api, desk_socket_api
from outrider.agents.desk import AgentDesk
from outrider.agents.model import AgentId
from outrider.clock import Clock, RealClock
from outrider.db import schema
from outrider.db.database import Database
from outrider.licences import division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.people.model import Role
from outrider.settings import DesktopSettings
from outrider.web.coalescing import Coalescer
from outrider.web.server import bound_port, listen, make_server
from support.console import COUNTS, Console
from support.desk_play import RULES, PlayDesk, add_agent
from support.web import Api, Site, open_site

ROUTERS: tuple[APIRouter, ...] = (
    desk_api.router,
    desk_commands_api.router,
    desk_documents_api.router,
    desk_records_api.router,
    desk_socket_api.router,
)
PATIENCE = 15.0

T = TypeVar("T")


@dataclass
class DeskSite:
    """A site with a floor; agents are made by name, each with a user of the role agent and its token."""

    site: Site
    desk: PlayDesk
    console: Console
    organization_id: int

    def agent(self, name: str, role: Role = Role.AGENT) -> tuple[AgentId, str]:
        """Make an agent with a user; return its id and an API token."""
        user = self.site.user(name, role, self.organization_id)
        database, now = self.site.database, self.site.clock.now()
        made = database.write_now(add_agent, name, self.organization_id, user.id, now)
        return made, self.site.token(user)

    def api(self, name: str, role: Role = Role.AGENT) -> Api:
        """Make an agent; return a client with its token."""
        return self.site.api().bear(self.agent(name, role)[1])

    def act(self, what: Callable[[], T]) -> T:
        """Let something happen on the floor, on the loop of the HTTP tests."""

        async def work() -> T:
            found = what()
            # What follows is called soon, and what follows from that.
            for _ in range(10):
                await asyncio.sleep(0)
            return found

        found = self.site.runner.run(work())
        # Sessions that ended meanwhile are written in this order too.
        self.site.database.write_now(lambda _: None)
        return found


@contextmanager
def desk_site(
    database: Database,
    folder: Path,
    routers: Sequence[APIRouter] = (),
    *,
    clock: Clock | None = None,
    desktops: DesktopSettings | None = None,
    sessions: int = 20,
) -> Iterator[DeskSite]:
    """Give a server over `database`, with licences for so many `sessions` through the API."""
    clock = clock or RealClock()
    desk = PlayDesk(database, clock)
    database.write_now(division_store.ensure_defaults, clock.now())
    parts: dict[type, object] = {
        AgentDesk: AgentDesk(desk),
        SharingRules: RULES,
        Coalescer: Coalescer(database, RULES, clock),
    }
    with open_site(
        database,
        folder,
        (*ROUTERS, *routers),
        clock=clock,
        change=lambda edge: replace(
            edge,
            parts=parts,
            settings=edge.settings.model_copy(update={"agents": desktops or DesktopSettings()}),
        ),
    ) as site:
        console = Console(site)
        console.load_licence({**COUNTS, LicenceKind.AGENT_WEB_API: sessions})
        query = select(schema.pools.c.organization_id).order_by(schema.pools.c.id)
        organization_id = database.read_now(lambda tx: int(tx.execute(query).scalars().first() or 0))
        yield DeskSite(site, desk, console, organization_id)


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[str]:
    """Serve a site on the running loop, so that its floor and the test share it; give its address."""
    server = make_server(site.app, site.edge.news, host="127.0.0.1", port=0)
    running = asyncio.ensure_future(server.serve([listen("127.0.0.1", 0)]))
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound_port(server)}"
    finally:
        server.should_exit = True
        await running


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in a fresh event loop; it fails rather than hangs."""

    async def limited() -> None:
        async with asyncio.timeout(PATIENCE):
            await scenario()

    asyncio.run(limited())
