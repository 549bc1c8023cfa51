"""The editor of strategies: a form generated from one description, and the source text of the same document.

`pages/strategies.py` includes `router` and shows versions through `editor_page`. A form that is posted with
`do` is shown again, changed as the button says; with `then` it is saved. Works without scripts too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from outrider.campaigns import service
from outrider.campaigns.document_table import spoken
from outrider.campaigns.model import StrategyState, StrategyVersion
from outrider.campaigns.schemas import StrategyCheck
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import LARGEST_DOCUMENT, parse_strategy
from outrider.campaigns.templates import templates
from outrider.channels.sms.segments import count as count_segments
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller
from outrider.web.access import Administrator, Edge, EdgeServices, RowId
from outrider.web.pages import redirect, render
from outrider.web.pages import templates as pages
from outrider.web.pages.console import from_script, optional_number, organization_choice, show
from outrider.web.pages.strategy_document import as_data, as_source, changed
from outrider.web.pages.strategy_form import Document, read_form
from outrider.web.pages.strategy_view import FormView, action_label, element_id, form_view

router = APIRouter(include_in_schema=False)

BODY_LIMIT = 8 * LARGEST_DOCUMENT
"""Bytes: a document of the largest size and the one before it, escaped as a form."""
UNREADABLE = 422

pages.filters["action_label"] = action_label
pages.filters["element_id"] = element_id
pages.filters["duration"] = spoken


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be said about a document: its problems, or what was read from it."""

    problems: Sequence[tuple[str, str]]
    strategy: Strategy | None


@dataclass(frozen=True, slots=True)
class Edited:
    """What is being edited: a text, of a version or the next one; `focus` is where the person goes on."""

    source: str
    version: StrategyVersion | None = None
    base: StrategyVersion | None = None
    organization_id: str = ""
    view: str = "form"
    document: Document | None = None
    """What the form says, if it was posted; None: as the source has it."""
    original: str | None = None
    """The text that the form was first made of, with its comments."""
    focus: str = ""
    error: str = ""


@dataclass(slots=True)
class Sent:
    """A posted form, whether it came field by field or packed into one by the script."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def last(self, name: str) -> str:
        """Return the last value sent by that name, empty when there is none."""
        return self.fields.get(name, [""])[-1]


def checked(source: str) -> Checked:
    """Check a document as activation would."""
    found = StrategyCheck.of(source)
    problems = [(each.where, each.problem) for each in found.problems]
    return Checked(problems, parse_strategy(source) if found.valid else None)


def plain(source: str) -> str:
    """Return a text as it was typed; browsers send its line ends as CR LF."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def segments_text(text: str) -> str:
    """Return in words how many segments a text is sent in, placeholders counted as they are written."""
    found = count_segments(text)
    noun = "segment" if found.segments == 1 else "segments"
    words = f"{found.segments} {noun}, {found.left_in_last} more characters fit"
    if found.outside_gsm:
        words += f"; sent as UCS-2 because of {' '.join(found.outside_gsm)}"
    return words + ("; placeholders counted as written" if "{" in text else "")


pages.filters["segments"] = segments_text


async def editor_page(request: Request, edge: EdgeServices, caller: Caller, edited: Edited) -> HTMLResponse:
    """Return the editor's page in the view that was asked for; the source when the form cannot show it."""
    document = edited.document if edited.document is not None else as_data(edited.source)
    found = checked(edited.source)
    view: FormView | None = None
    if edited.view == "form" and document is not None:
        view = form_view(document, found.problems)
    version = edited.version
    return await show(
        request,
        edge,
        "strategy_editor.html" if view is not None else "strategy.html",
        status=UNREADABLE if edited.error else 200,
        source=edited.source,
        original=edited.source if edited.original is None else edited.original,
        version=version,
        base=edited.base,
        found=found,
        form=view,
        focus=edited.focus,
        unreadable=edited.view == "form" and view is None,
        organizations=await edge.database.read(organization_choice, caller),
        organization_id=edited.organization_id,
        templates=templates(),
        editable=caller.role == "administrator" and (version is None or version.state is StrategyState.DRAFT),
        error=edited.error,
        path="/strategies",
    )


@router.post("/strategies/form", max_body_size=BODY_LIMIT)
async def handle_new_form(request: Request, edge: Edge, caller: Administrator) -> Response:
    """Carry out a button of the form, save the document as a draft, or as the version that new jobs use."""
    sent = await _sent(request)
    base_id = optional_number(sent.last("from"), "from")
    base = None
    if base_id is not None:
        base = await edge.database.read(service.strategy, base_id, caller.organization_id)
    edited = replace(_edited(sent, None), base=base)
    if sent.last("do") or not sent.last("then"):
        return await _shown(request, edge, caller, edited)
    draft = sent.last("then") == "draft"
    try:
        made = await edge.database.write(create, edge, caller, edited.source, edited.organization_id, draft)
    except (InvalidInputError, ConflictError, NotAllowedError) as error:
        return await editor_page(request, edge, caller, replace(edited, error=error.message))
    return saved(made)


@router.post("/strategies/{strategy_id}/form", max_body_size=BODY_LIMIT)
async def handle_draft_form(
    request: Request, edge: Edge, caller: Administrator, strategy_id: RowId
) -> Response:
    """Carry out a button of a draft's form, save it, or save and activate it."""
    sent = await _sent(request)
    version = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    edited = _edited(sent, version)
    if sent.last("do") or not sent.last("then"):
        return await _shown(request, edge, caller, edited)
    activate = sent.last("then") == "activate"
    try:
        made = await edge.database.write(save, edge, caller, strategy_id, edited.source, activate)
    except (InvalidInputError, ConflictError) as error:
        return await editor_page(request, edge, caller, replace(edited, error=error.message))
    return saved(made)


async def _sent(request: Request) -> Sent:
    form = await request.form()
    packed = form.get("fields")
    if isinstance(packed, str):
        return Sent(parse_qs(packed, keep_blank_values=True, max_num_fields=100_000))
    sent = Sent()
    for name, value in form.multi_items():
        if isinstance(value, str):
            sent.fields.setdefault(name, []).append(value)
    return sent


def _edited(sent: Sent, version: StrategyVersion | None) -> Edited:
    """Return what the form says, changed as the button in it asks for."""
    document = read_form(sent.fields)
    command = sent.last("do")
    verb, _, place = command.partition(" ")
    focus = changed(document, command, sent.last(f"new:{place}")) if place else ""
    original = plain(sent.last("original"))
    return Edited(
        source=as_source(document, original),
        version=version,
        organization_id=sent.last("organization_id"),
        view="source" if verb == "source" else "form",
        document=document,
        original=original,
        focus=focus,
    )


async def _shown(request: Request, edge: EdgeServices, caller: Caller, edited: Edited) -> Response:
    """Show the form again: all of the page, or for a script only the form."""
    if not from_script(request) or edited.document is None:
        return await editor_page(request, edge, caller, edited)
    found = checked(edited.source)
    return render(
        request,
        "strategy_editor_form.html",
        form=form_view(edited.document, found.problems),
        found=found,
        focus=edited.focus,
        original=edited.original,
        editable=True,
    )


def create(
    tx: Tx,
    edge: EdgeServices,
    caller: Caller,
    source: str,
    organization_id: str,
    draft: bool,  # noqa: FBT001 - passed on by the database by position
) -> StrategyVersion:
    """Store a document as the next version of the strategy that it names, or as a draft of it."""
    owner = owner_of_new(tx, caller.organization_id, optional_number(organization_id, "organization"))
    return service.create_strategy(
        tx, owner, source, edge.clock.now(), caller.name, draft_name="Untitled" if draft else None
    )


def save(
    tx: Tx,
    edge: EdgeServices,
    caller: Caller,
    strategy_id: int,
    source: str,
    activate: bool,  # noqa: FBT001 - passed on by the database by position
) -> StrategyVersion:
    """Replace the text of a draft, and perhaps activate it."""
    now, owner = edge.clock.now(), caller.organization_id
    changed_draft = service.change_draft(tx, strategy_id, owner, source, now, caller.name)
    return service.activate(tx, strategy_id, owner, now, caller.name) if activate else changed_draft


def saved(version: StrategyVersion) -> Response:
    """Lead on to a version that was saved."""
    active = version.state is StrategyState.ACTIVE
    state = "active: new jobs use it" if active else "saved as a draft"
    message = f"{version.name}, version {version.version}, is {state}."
    return redirect(f"/strategies/{version.id}", message)
