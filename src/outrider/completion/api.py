"""REST for completion codes: /api/completion-codes. `app.py` includes `router`.

What one agent may choose from is told by the Agent Web API; here codes are looked after.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from outrider.completion import service
from outrider.completion.model import (
    LARGEST_POSITION,
    LONGEST_LABEL,
    LONGEST_NAME,
    LONGEST_RETRY,
    CodePlan,
    CompletionCode,
    Effect,
)
from outrider.db.database import Tx
from outrider.web.access import Edge, RowId, Supervisor, Text, Viewer

router = APIRouter(prefix="/api/completion-codes", tags=["completion codes"])

Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME, examples=["not_interested"])]
Label = Annotated[Text, Field(max_length=LONGEST_LABEL)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_RETRY)]
Shortcut = Annotated[Text, Field(max_length=1, examples=["n"])]
Position = Annotated[int, Field(ge=0, le=LARGEST_POSITION)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewCode(Strict):
    """A code to be made. `retry_after` is seconds, for the effect `retry` only; `position` 0: the last."""

    name: Name
    label: Label = ""
    effect: Effect = Effect.DONE
    retry_after: Seconds | None = None
    shortcut: Shortcut = ""
    position: Position = 0
    organization_id: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None

    def plan(self) -> CodePlan:
        """Return it as the service takes it."""
        return CodePlan(**self.model_dump(exclude={"organization_id"}))


class CodeChange(Strict):
    """What is to change; what is left out stays. An effect that is no retry drops `retry_after`."""

    label: Label | None = None
    effect: Effect | None = None
    retry_after: Seconds | None = None
    shortcut: Shortcut | None = None
    position: Position | None = None

    def applied(self, plan: CodePlan) -> CodePlan:
        """Return a plan with these changes."""
        given = self.model_dump(exclude_none=True)
        if self.effect not in (None, Effect.RETRY):
            given.setdefault("retry_after", None)
        return replace(plan, **given)


class CompletionCodeView(BaseModel):
    """A completion code: what an agent may say of a contact, and what follows."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    name: str
    label: str
    effect: Effect
    retry_after: float | None
    shortcut: str
    position: int


@router.get("")
async def list_codes(edge: Edge, caller: Viewer) -> list[CompletionCodeView]:
    """List the completion codes in use, in the order in which agents see them."""
    found = await edge.database.read(service.codes, caller.organization_id)
    return [CompletionCodeView.model_validate(each) for each in found]


@router.post("", status_code=201)
async def create_code(body: NewCode, edge: Edge, caller: Supervisor) -> CompletionCodeView:
    """Make a completion code. A retired one of that name comes back."""
    made = await edge.database.write(
        service.create, edge.clock.now(), caller, body.plan(), organization_id=body.organization_id
    )
    return CompletionCodeView.model_validate(made)


@router.get("/{code_id}")
async def show_code(code_id: RowId, edge: Edge, caller: Viewer) -> CompletionCodeView:
    """Show one completion code."""
    found = await edge.database.read(service.code, code_id, caller.organization_id)
    return CompletionCodeView.model_validate(found)


@router.patch("/{code_id}")
async def change_code(code_id: RowId, body: CodeChange, edge: Edge, caller: Supervisor) -> CompletionCodeView:
    """Change a completion code, all but its name. It holds for what agents say from now on."""

    def work(tx: Tx) -> CompletionCode:
        known = service.code(tx, code_id, caller.organization_id)
        return service.change(tx, edge.clock.now(), caller, code_id, body.applied(known.plan))

    return CompletionCodeView.model_validate(await edge.database.write(work))


@router.delete("/{code_id}", status_code=204)
async def retire_code(code_id: RowId, edge: Edge, caller: Supervisor) -> None:
    """Take a completion code out of use; attempts that have it keep it."""
    await edge.database.write(service.retire, edge.clock.now(), caller, code_id)
