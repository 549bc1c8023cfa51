"""/desktop: the page at which agents work. It is empty; its script fills it over the Agent Web API alone.

`app.py` includes `router`. Whoever is signed in may open it; the API says whether they are an agent.
"""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from outrider.web.access import AnyUser
from outrider.web.pages import render

router = APIRouter(include_in_schema=False)

KEYPAD = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
BREAKS = ("break", "lunch", "training", "meeting", "other work")
"""Reasons to be not ready that the page offers; others may be typed."""


@router.get("/desktop")
async def show_desktop(request: Request, _caller: AnyUser) -> HTMLResponse:
    """Show the agent's desktop."""
    return render(request, "desktop.html", keypad=KEYPAD, breaks=BREAKS)
