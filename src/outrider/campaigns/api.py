"""REST for strategies and campaigns: /api/strategies, /api/campaigns.

`app.py` includes `router`. Jobs of a campaign are made by `jobs/api.py`.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from outrider.campaigns import service
from outrider.campaigns.model import Campaign, StrategyVersion
from outrider.campaigns.schemas import (
    LARGEST_ID,
    CampaignBody,
    CampaignView,
    NewCampaign,
    NewStrategy,
    StrategyChanges,
    StrategyCheck,
    StrategyLine,
    StrategySource,
    StrategyView,
    TemplateView,
)
from outrider.campaigns.strategy_document import LARGEST_DOCUMENT
from outrider.campaigns.templates import templates
from outrider.db.database import Tx
from outrider.licences.ownership import owner_of_new
from outrider.web.access import Administrator, Caller, Edge, EdgeServices, RowId, Viewer

router = APIRouter(prefix="/api", tags=["campaigns"])

BODY_LIMIT = 4 * LARGEST_DOCUMENT
"""Bytes: a document of the largest size, escaped as JSON."""


@router.get("/strategies")
async def list_strategies(edge: Edge, caller: Viewer) -> list[StrategyLine]:
    """List all versions of the strategies, by name, newest first."""
    found = await edge.database.read(service.strategies, caller.organization_id)
    return [StrategyLine.of(version) for version in found]


@router.post("/strategies", status_code=201, max_body_size=BODY_LIMIT)
async def create_strategy(body: NewStrategy, edge: Edge, caller: Administrator) -> StrategyView:
    """Add a version of a strategy: active, or a draft that may have problems. 422 lists all of them."""
    return StrategyView.of(await edge.database.write(_create_strategy, edge, body, caller))


@router.post("/strategies/check", max_body_size=BODY_LIMIT)
async def check_strategy(body: StrategySource, _: Viewer) -> StrategyCheck:
    """Tell whether a document could be used, with every problem and its place. Stores nothing."""
    return StrategyCheck.of(body.source)


@router.get("/strategies/templates")
async def list_templates(_: Viewer) -> list[TemplateView]:
    """List strategies to begin with, the simplest first."""
    return [
        TemplateView(key=each.key, title=each.title, text=each.text, source=each.source)
        for each in templates()
    ]


@router.get("/strategies/{strategy_id}")
async def show_strategy(strategy_id: RowId, edge: Edge, caller: Viewer) -> StrategyView:
    """Show one version: its text, what was read from it, and for a draft what is wrong with it."""
    return StrategyView.of(await edge.database.read(service.strategy, strategy_id, caller.organization_id))


@router.get("/strategies/{strategy_id}/changes")
async def list_changes(
    strategy_id: RowId,
    edge: Edge,
    caller: Viewer,
    since: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> StrategyChanges:
    """Tell what changed since another version: `since`, or the one before it by the same name."""
    compared = await edge.database.read(service.compare, strategy_id, since, caller.organization_id)
    return StrategyChanges.of(*compared)


@router.put("/strategies/{strategy_id}", max_body_size=BODY_LIMIT)
async def change_draft(
    strategy_id: RowId, body: StrategySource, edge: Edge, caller: Administrator
) -> StrategyView:
    """Replace the text of a draft. 409 for an active version: those never change."""
    changed = await edge.database.write(
        service.change_draft, strategy_id, caller.organization_id, body.source, edge.clock.now(), caller.name
    )
    return StrategyView.of(changed)


@router.post("/strategies/{strategy_id}/activate")
async def activate_strategy(strategy_id: RowId, edge: Edge, caller: Administrator) -> StrategyView:
    """Make a draft the version that new jobs use. 422 lists what is wrong with it."""
    changed = await edge.database.write(
        service.activate, strategy_id, caller.organization_id, edge.clock.now(), caller.name
    )
    return StrategyView.of(changed)


@router.delete("/strategies/{strategy_id}", status_code=204)
async def delete_strategy(strategy_id: RowId, edge: Edge, caller: Administrator) -> None:
    """Delete a version that no job ever ran."""
    await edge.database.write(
        service.delete_strategy, strategy_id, caller.organization_id, edge.clock.now(), caller.name
    )


@router.get("/campaigns")
async def list_campaigns(edge: Edge, caller: Viewer) -> list[CampaignView]:
    """List the campaigns by name."""
    found = await edge.database.read(service.campaigns, caller.organization_id)
    return [CampaignView.of(campaign) for campaign in found]


@router.post("/campaigns", status_code=201)
async def create_campaign(body: NewCampaign, edge: Edge, caller: Administrator) -> CampaignView:
    """Create a campaign; POST /campaigns/{id}/jobs starts it."""
    return CampaignView.of(await edge.database.write(_create_campaign, edge, body, caller))


@router.get("/campaigns/{campaign_id}")
async def show_campaign(campaign_id: RowId, edge: Edge, caller: Viewer) -> CampaignView:
    """Show one campaign."""
    return CampaignView.of(await edge.database.read(service.campaign, campaign_id, caller.organization_id))


@router.put("/campaigns/{campaign_id}")
async def change_campaign(
    campaign_id: RowId, body: CampaignBody, edge: Edge, caller: Administrator
) -> CampaignView:
    """Replace a campaign. A job that is under way keeps its strategy and zones."""
    changed = await edge.database.write(
        service.change_campaign,
        campaign_id,
        caller.organization_id,
        body.plan(),
        edge.clock.now(),
        caller.name,
    )
    return CampaignView.of(changed)


@router.delete("/campaigns/{campaign_id}", status_code=204)
async def delete_campaign(campaign_id: RowId, edge: Edge, caller: Administrator) -> None:
    """Delete a campaign with the records of its jobs. 409 while one of them has not ended."""
    await edge.database.write(
        service.delete_campaign, campaign_id, caller.organization_id, edge.clock.now(), caller.name
    )


def _create_strategy(tx: Tx, edge: EdgeServices, body: NewStrategy, caller: Caller) -> StrategyVersion:
    owner = owner_of_new(tx, caller.organization_id, body.organization_id)
    draft_name = (body.name or "") if body.draft else None
    return service.create_strategy(
        tx, owner, body.source, edge.clock.now(), caller.name, draft_name=draft_name
    )


def _create_campaign(tx: Tx, edge: EdgeServices, body: NewCampaign, caller: Caller) -> Campaign:
    owner = owner_of_new(tx, caller.organization_id, body.organization_id)
    return service.create_campaign(tx, owner, body.plan(), edge.clock.now(), caller.name)
