"""The composition root: settings in, running program out. The only module that knows every adapter.

`cli/serve.py` runs it; tests and the demo compose the same program with other settings.
"""

import asyncio
import datetime as dt
from collections.abc import Callable

from fastapi import APIRouter, FastAPI

from outrider.agents import api as agents_api
from outrider.agents import (
    desk_api,
    desk_commands_api,
    desk_documents_api,
    desk_records_api,
    desk_socket_api,
    supervising_api,
)
from outrider.agents.desk import AgentDesk
from outrider.background import background, mail_composer, running, taking_bounces
from outrider.callbacks import api as callbacks_api
from outrider.campaigns import api as campaigns_api
from outrider.channel_reports import api as channels_api
from outrider.channel_reports.checking import ChannelChecks
from outrider.completion import api as completion_api
from outrider.contacts import api as contacts_api
from outrider.db.database import Tx
from outrider.db.sealed import Sealer
from outrider.fleet import check_server
from outrider.jobs import api as jobs_api
from outrider.licences import api as licences_api
from outrider.licences.service import SharingRules
from outrider.media import api as media_api
from outrider.media.checking import ServerCheck
from outrider.observe import Metrics
from outrider.prepared import Prepared
from outrider.runtime import store as runtime_store
from outrider.runtime.floor_door import FloorDoor
from outrider.runtime.mailing import MailComposer
from outrider.speaking import speech_settings
from outrider.speech import api as speech_api
from outrider.speech.check import SpeechCheck, make_check
from outrider.supply import api as supply_api
from outrider.supply import service as supply
from outrider.ways_out import make_channel_checks
from outrider.web.access import EdgeServices
from outrider.web.app import create_app
from outrider.web.coalescing import Coalescer
from outrider.web.news import News
from outrider.web.pages import (
    agent_accounts,
    agents,
    board,
    callbacks,
    campaigns,
    channels,
    completion_codes,
    contacts,
    desktop,
    history,
    job_agents,
    jobs,
    licences,
    media,
    platform,
    speech,
    strategies,
    unsubscribe,
    why,
)
from outrider.web.server import Server, bound_port, listen, make_server

ROUTERS: tuple[APIRouter, ...] = (
    agents_api.router,
    desk_api.router,
    desk_commands_api.router,
    desk_documents_api.router,
    desk_records_api.router,
    desk_socket_api.router,
    supervising_api.router,
    callbacks_api.router,
    campaigns_api.router,
    channels_api.router,
    completion_api.router,
    contacts_api.router,
    jobs_api.router,
    licences_api.router,
    media_api.router,
    speech_api.router,
    supply_api.router,
    agents.router,
    agent_accounts.router,
    board.router,
    callbacks.router,
    campaigns.router,
    channels.router,
    completion_codes.router,
    contacts.router,
    desktop.router,
    history.router,
    job_agents.router,
    jobs.router,
    licences.router,
    media.router,
    platform.router,
    speech.router,
    strategies.router,
    unsubscribe.router,
    why.router,
)
"""Everything that is served beyond the web shell."""


def make_web(prepared: Prepared, door: FloorDoor | None = None) -> tuple[FastAPI, News]:
    """Return the web application and the news that its streams wait on; `door` leads to agents' floor."""
    news = News(prepared.database)
    metrics = Metrics(lambda: prepared.database.read_now(_figures, prepared.clock.now()))
    speech_check = make_check(speech_settings(prepared.settings))
    door = door or FloorDoor()
    agents = AgentDesk(door)
    patience = prepared.settings.agents.desktop_patience
    door.on_found = lambda session_id: agents.desktops.expected(session_id, door.connected, patience)
    edge = EdgeServices(
        database=prepared.database,
        clock=prepared.clock,
        data_folder=prepared.settings.data_folder,
        settings=prepared.settings,
        news=news,
        metrics=metrics,
        parts={
            AgentDesk: agents,
            ChannelChecks: make_channel_checks(
                prepared.settings, prepared.database, prepared.sealer, speech_check
            ),
            SharingRules: prepared.rules,
            Sealer: prepared.sealer,
            ServerCheck: ServerCheck(check_server),
            SpeechCheck: speech_check,
            Coalescer: Coalescer(prepared.database, prepared.rules, prepared.clock),
            MailComposer: mail_composer(prepared),
        },
    )
    return create_app(edge, ROUTERS), news


def _figures(tx: Tx, now: dt.datetime) -> dict[str, float]:
    """Return the figures of the moment, by the names of their gauges."""
    return {**runtime_store.figures(tx), **supply.figures(tx, now)}


async def serve(prepared: Prepared, started: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve pages and API, dial, and keep the clockwork running until `stop` is set.

    `started` is called with the address once the server listens. Calls that are up at the end are taken
    over by the next start, where the carrier keeps them.
    """
    door = FloorDoor()
    app, news = make_web(prepared, door)
    server_settings = prepared.settings.server
    server = make_server(app, news, host=server_settings.host, port=server_settings.port)
    listening = listen(server_settings.host, server_settings.port)
    async with background(prepared, door), taking_bounces(prepared), running(_stop_later(server, stop)):
        serving = asyncio.ensure_future(server.serve([listening]))
        await _listening(server, serving)
        if server.started and not server.should_exit:
            started(f"http://{server_settings.host}:{bound_port(server)}")
        await serving


async def _stop_later(server: Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


async def work(prepared: Prepared) -> None:
    """Dial and keep the clockwork running without a web server, until cancelled."""
    async with background(prepared):
        await asyncio.Event().wait()


async def _listening(server: Server, serving: asyncio.Future[None]) -> None:
    """Wait until the server accepts requests, or has failed to."""
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.01)
