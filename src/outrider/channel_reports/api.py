"""REST for ways out: /api/channels. Platform-wide, so for administrators of the system only.

`app.py` includes `router`, and gives EdgeServices a ChannelChecks.
"""

from typing import Annotated

from fastapi import APIRouter, Path

from outrider.channel_reports import service
from outrider.channel_reports.checking import ChannelChecks
from outrider.channel_reports.model import LONGEST_KEY
from outrider.channel_reports.schemas import ChannelView
from outrider.clock import RealClock
from outrider.media.schemas import FindingView
from outrider.web.access import Edge, SystemAdministrator

router = APIRouter(prefix="/api/channels", tags=["channels"])

ChannelKey = Annotated[
    str, Path(max_length=LONGEST_KEY, pattern=r"^[a-z]+(\.[A-Za-z0-9._-]+)?$", description="As in the list.")
]
"""The key of a way out in a path: `email`, `sms.main`, `media.3`."""


@router.get("")
async def list_channels(edge: Edge, _caller: SystemAdministrator) -> list[ChannelView]:
    """List every way out: what is configured, and how it stands now, as the workers see it."""
    ways = edge.part(ChannelChecks).ways
    found = await edge.database.read(service.overview, ways, RealClock().now())
    return [ChannelView.of(each) for each in found]


@router.post("/{channel}/check")
async def check_channel(channel: ChannelKey, edge: Edge, _caller: SystemAdministrator) -> list[FindingView]:
    """Try a way out for real and say what works and what is wrong, as the command line does."""
    return [FindingView.of(each) for each in await edge.part(ChannelChecks).run(channel)]
