"""REST of the platform manager: /api/platform, and a poll at once.

`supply/api.py` includes `router`.
"""

from fastapi import APIRouter

from outrider.supply import service
from outrider.supply.platform import platform
from outrider.supply.platform_schemas import PlatformView
from outrider.web.access import Edge, SystemAdministrator, Viewer

router = APIRouter(prefix="/platform", tags=["platform"])


@router.get("")
async def show_platform(edge: Edge, caller: Viewer) -> PlatformView:
    """Show the platform's licence: state, polls, end of grace, server, features, ports, connections, alarms.

    An organization's user sees the state and its times only.
    """
    found = await edge.database.read(platform)
    return PlatformView.of(found, whole=caller.organization_id is None)


@router.post("/poll")
async def poll_now(edge: Edge, _caller: SystemAdministrator) -> PlatformView:
    """Ask for a poll of the licence server at once. It happens within about a second; look again then."""
    await edge.database.write(service.request_poll, edge.clock.now())
    return PlatformView.of(await edge.database.read(platform), whole=True)
