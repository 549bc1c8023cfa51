"""The page of channels: every way out, what is configured, how it stands now, and a button that tries it.

`app.py` includes `router`, and gives EdgeServices a ChannelChecks. Platform-wide: for its administrators.
"""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from outrider.channel_reports import service
from outrider.channel_reports.api import ChannelKey
from outrider.channel_reports.checking import ChannelChecks
from outrider.channel_reports.model import Channel, Kind, Sight
from outrider.clock import RealClock
from outrider.media.checking import Finding
from outrider.web.access import Edge, EdgeServices, SystemAdministrator
from outrider.web.pages import render, templates
from outrider.web.pages.console import from_script, show

router = APIRouter(include_in_schema=False)

SIGHTS: Mapping[Sight, tuple[str, str]] = {
    Sight.WORKING: ("Working", "good"),
    Sight.UNTRIED: ("Not tried yet", "neutral"),
    Sight.LIMITED: ("Limited", "warn"),
    Sight.FAILING: ("Failing", "bad"),
}
"""How a way out stands: the words and the tone of its badge."""

GROUPS: Sequence[tuple[str, tuple[Kind, ...]]] = (
    ("Calls", (Kind.CARRIER, Kind.ZONE, Kind.MEDIA)),
    ("Speech", (Kind.SPEECH,)),
    ("Email", (Kind.EMAIL, Kind.BOUNCES)),
    ("Text messages", (Kind.SMS,)),
    ("Webhooks", (Kind.WEBHOOKS,)),
)
"""The parts of the page, and what stands in each."""

KINDS: Mapping[Kind, str] = {
    Kind.CARRIER: "Carrier",
    Kind.ZONE: "Zone",
    Kind.MEDIA: "Media server",
    Kind.SPEECH: "Speech server",
    Kind.EMAIL: "Mail server",
    Kind.BOUNCES: "Bounce listener",
    Kind.SMS: "Message centre",
    Kind.WEBHOOKS: "Webhooks",
}

templates.globals["channel_sights"] = SIGHTS
templates.globals["channel_kinds"] = KINDS


@router.get("/channels")
async def show_channels(request: Request, edge: Edge, _caller: SystemAdministrator) -> HTMLResponse:
    """Show every way out; the page asks for the table again every few seconds."""
    return await _page(request, edge)


@router.post("/channels/{channel}/check")
async def handle_check(
    request: Request, edge: Edge, _caller: SystemAdministrator, channel: ChannelKey
) -> HTMLResponse:
    """Try a way out for real, and show what was found."""
    findings = await edge.part(ChannelChecks).run(channel)
    if from_script(request):
        return render(request, "media_check.html", findings=findings)
    return await _page(request, edge, checked=channel, findings=findings)


async def _page(
    request: Request, edge: EdgeServices, *, checked: str = "", findings: tuple[Finding, ...] = ()
) -> HTMLResponse:
    ways = edge.part(ChannelChecks).ways
    found = await edge.database.read(service.overview, ways, RealClock().now())
    return await show(
        request,
        edge,
        "channels.html",
        groups=[(title, members) for title, kinds in GROUPS if (members := _of(found, kinds))],
        failing=sum(_fails(each) for each in found),
        checked=checked,
        findings=findings,
        path="/channels",
    )


def _of(found: Sequence[Channel], kinds: Sequence[Kind]) -> list[Channel]:
    return [each for each in found if each.way.kind in kinds]


def _fails(channel: Channel) -> bool:
    return channel.standing is not None and channel.standing.sight is Sight.FAILING
