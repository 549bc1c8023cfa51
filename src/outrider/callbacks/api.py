"""REST for callbacks: /api/callbacks. `app.py` includes `router`.

Agents promise callbacks in their wrap-ups; here supervisors and other systems look after all of them.
"""

import datetime as dt
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from outrider.callbacks import service
from outrider.callbacks.model import LONGEST_NOTE, Callback, CallbackPlan
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.db.database import Tx
from outrider.web.access import Edge, RowId, Supervisor, Text

router = APIRouter(prefix="/api/callbacks", tags=["callbacks"])

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Number = Annotated[Text, Field(max_length=40, examples=["+4930123456"])]
Note = Annotated[Text, Field(max_length=LONGEST_NOTE)]
Zone = Annotated[Text, Field(max_length=64, examples=["Europe/Berlin"])]
Why = Annotated[Text, Query(max_length=200)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewCallback(Strict):
    """A callback to be made. `at` without an offset is local time in `time_zone`, or where the contact is.

    `address` empty: the contact's own number. `agent_id` is needed for the kinds `agent` and `strict_agent`.
    A time outside of the contact's calling hours is refused, or with `shift` moved to their beginning.
    """

    campaign_id: Id
    contact_id: Id
    at: dt.datetime
    kind: CallbackKind = CallbackKind.CAMPAIGN
    agent_id: Id | None = None
    address: Number = ""
    note: Note = ""
    time_zone: Zone = ""
    expires_at: AwareDatetime | None = None
    shift: bool = False

    def plan(self) -> CallbackPlan:
        """Return it as the service takes it."""
        return CallbackPlan(**self.model_dump(exclude={"campaign_id", "contact_id"}))


class CallbackChange(Strict):
    """What is to change about an open callback; what is left out stays.

    A new time without `expires_at` lets it expire the strategy's time afterwards. The kind `campaign` takes
    it from its agent.
    """

    at: dt.datetime | None = None
    kind: CallbackKind | None = None
    agent_id: Id | None = None
    address: Number | None = None
    note: Note | None = None
    time_zone: Zone | None = None
    expires_at: AwareDatetime | None = None
    shift: bool = False

    def applied(self, known: Callback) -> CallbackPlan:
        """Return what a callback shall be with these changes."""
        plan = CallbackPlan(
            at=known.due_at,
            kind=known.kind,
            agent_id=known.agent_id,
            address=known.address,
            note=known.note,
            time_zone=known.time_zone,
            expires_at=known.expires_at if self.at is None else None,
        )
        plan = replace(plan, **self.model_dump(exclude_none=True))
        taken = self.kind is CallbackKind.CAMPAIGN and self.agent_id is None
        return replace(plan, agent_id=None) if taken else plan


class CallbackView(BaseModel):
    """A callback. `closed_why` says what it came to; `given_attempt` is the attempt that was to keep it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    campaign_id: int
    campaign: str
    contact_id: int
    address: str
    kind: CallbackKind
    agent_id: int | None
    agent: str
    due_at: dt.datetime
    expires_at: dt.datetime
    time_zone: str
    state: CallbackState
    note: str
    created_by: str
    created_at: dt.datetime
    closed_at: dt.datetime | None
    closed_why: str
    given_attempt: str | None


class CallbackPage(BaseModel):
    """Callbacks, soonest first; `next` is the `after` of the following page, null on the last."""

    items: list[CallbackView]
    next: int | None


@router.get("")
async def list_callbacks(
    edge: Edge,
    caller: Supervisor,
    campaign_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    agent_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    state: Annotated[list[CallbackState] | None, Query()] = None,
    after: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CallbackPage:
    """List callbacks, soonest first: those that are not kept yet, or those in the states asked for."""
    found, following = await edge.database.read(
        lambda tx: service.callbacks(
            tx,
            caller.organization_id,
            campaign_id=campaign_id,
            agent_id=agent_id,
            states=state or (),
            after=after,
            limit=limit,
        )
    )
    return CallbackPage(items=[CallbackView.model_validate(each) for each in found], next=following)


@router.post("", status_code=201)
async def create_callback(body: NewCallback, edge: Edge, caller: Supervisor) -> CallbackView:
    """Promise a contact of a campaign a call at a time."""
    made = await edge.database.write(
        service.create, edge.clock.now(), caller, body.campaign_id, body.contact_id, body.plan()
    )
    return CallbackView.model_validate(made)


@router.get("/{callback_id}")
async def show_callback(callback_id: RowId, edge: Edge, caller: Supervisor) -> CallbackView:
    """Show one callback."""
    found = await edge.database.read(service.callback, callback_id, caller.organization_id)
    return CallbackView.model_validate(found)


@router.patch("/{callback_id}")
async def change_callback(
    callback_id: RowId, body: CallbackChange, edge: Edge, caller: Supervisor
) -> CallbackView:
    """Change a callback that is open and in no agent's hands; an expired one waits again."""

    def work(tx: Tx) -> Callback:
        known = service.callback(tx, callback_id, caller.organization_id)
        return service.change(tx, edge.clock.now(), caller, callback_id, body.applied(known))

    return CallbackView.model_validate(await edge.database.write(work))


@router.delete("/{callback_id}")
async def cancel_callback(callback_id: RowId, edge: Edge, caller: Supervisor, why: Why = "") -> CallbackView:
    """Cancel a callback that is open and in no agent's hands. Its contact goes on like any other."""
    found = await edge.database.write(service.cancel, edge.clock.now(), caller, callback_id, why)
    return CallbackView.model_validate(found)
