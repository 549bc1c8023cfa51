"""One-click unsubscribing (RFC 8058): the link in every campaign mail, without sign-in or session.

Mail programs POST to it; people who follow the link get a page with one button. The signed token names
the address, so nobody can unsubscribe somebody else by guessing.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from outrider.channels.email.unsubscribe import Unsubscribe
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db.database import Tx
from outrider.runtime.mailing import MailComposer
from outrider.web.access import Edge
from outrider.web.pages import render

router = APIRouter(tags=["unsubscribe"])

LIST_NAME = "Unsubscribed"
ACTOR = "the recipient"
SOURCE = "one-click unsubscribe"

Token = Annotated[str, Path(max_length=1000)]


@router.get("/unsubscribe/{token}", include_in_schema=False)
async def ask(request: Request, token: Token, edge: Edge) -> Response:
    """Show the address and one button; following a link must not change anything (mail scanners do it)."""
    wish = edge.part(MailComposer).read_token(token)
    return render(request, "unsubscribe.html", address=wish.address, done=False)


@router.post("/unsubscribe/{token}", include_in_schema=False)
async def unsubscribe(request: Request, token: Token, edge: Edge) -> Response:
    """Put the address on the organization's do-not-contact list; repeating it changes nothing."""
    wish = edge.part(MailComposer).read_token(token)
    await edge.database.write(_block, edge.clock.now(), wish)
    return render(request, "unsubscribe.html", address=wish.address, done=True)


def _block(tx: Tx, now: dt.datetime, wish: Unsubscribe) -> None:
    do_not_contact.opt_out(
        tx,
        now,
        organization_id=wish.organization,
        list_name=LIST_NAME,
        addresses=[wish.address],
        source=SOURCE,
        actor=ACTOR,
    )
