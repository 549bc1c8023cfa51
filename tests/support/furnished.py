"""A furnished console for page tests: two organizations with jobs, and people who fill forms.

The page tests' fixtures give it; `furnished_system` fills any site in which `root` exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter

from outrider.campaigns.model import Campaign
from outrider.contacts import api as contacts_api
from outrider.contacts.model import ContactList
from outrider.jobs import api as jobs_api
from outrider.jobs.model import Job, Task
from outrider.licences.service import SharingRules
from outrider.people.model import Role
from outrider.web.access import EdgeServices
from outrider.web.coalescing import Coalescer
from outrider.web.pages import (
    board,
    campaigns,
    contacts,
    history,
    job_agents,
    jobs,
    licences,
    platform,
    strategies,
    why,
)
from support.console import RULES, Console
from support.web import Api, Site

ROUTERS: Sequence[APIRouter] = (
    board.router,
    campaigns.router,
    contacts.router,
    history.router,
    job_agents.router,
    jobs.router,
    licences.router,
    platform.router,
    strategies.router,
    why.router,
    contacts_api.router,
    jobs_api.router,
)
HTML = {"accept": "text/html"}


def with_rules(edge: EdgeServices) -> EdgeServices:
    """Add what the composition root adds."""
    return replace(edge, parts={SharingRules: RULES, Coalescer: Coalescer(edge.database, RULES, edge.clock)})


@dataclass(frozen=True)
class Furnished:
    """Two organizations; the first has two call jobs that share 40 ports, the second one job with 12."""

    site: Site
    console: Console
    harbour: int
    nordic: int
    people: ContactList
    spare: Campaign
    """A campaign of the first organization without a job."""
    important: Job
    lesser: Job
    foreign: Job

    def task(self, job: Job) -> Task:
        """Return the one task of a job, as it is now."""
        return self.console.tasks(job.id)[0]

    def form(self, user: str) -> "Form":
        """Return a signed-in person who fills forms."""
        return Form(self.site.as_user(user))


class Form:
    """A person with a browser: asks for pages, posts forms with the CSRF token in them."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = str(api.http.headers.pop("x-csrf-token"))

    def page(self, path: str, status: int = 200) -> str:
        """Return the text of a page."""
        response = self.api.get(path, headers=HTML)
        assert response.status_code == status, response.text
        return response.text

    def send(self, path: str, status: int = 303, /, **fields: object) -> str:
        """Post a form; return where it leads, or the page that answers."""
        data = {"csrf_token": self.token, **fields}
        response = self.api.request("POST", path, data=data, headers=HTML)
        assert response.status_code == status, response.text
        return response.headers["location"] if status == 303 else response.text

    def upload(
        self, path: str, files: dict[str, tuple[str, bytes]], status: int = 303, /, **fields: object
    ) -> str:
        """Post a form with files."""
        data = {"csrf_token": self.token, **fields}
        response = self.api.request("POST", path, data=data, files=files, headers=HTML)
        assert response.status_code == status, response.text
        return response.headers["location"] if status == 303 else response.text


def furnished_system(site: Site) -> Furnished:
    """Furnish a system in which `root` exists."""
    console = Console(site)
    console.load_licence()
    harbour, nordic = console.organization("Harbour", 40), console.organization("Nordic", 12)
    people = console.contact_list(harbour, "Customers", 120)
    strangers = console.contact_list(nordic, "Strangers", 30)
    important = console.start(console.call_campaign(harbour, "Reminders", people.id, priority=8))
    lesser = console.start(console.call_campaign(harbour, "Survey", people.id, priority=2))
    foreign = console.start(console.call_campaign(nordic, "Outage", strangers.id))
    spare = console.call_campaign(harbour, "Evening", people.id)
    for name, role, organization in (
        ("ada", Role.ADMINISTRATOR, harbour),
        ("sam", Role.SUPERVISOR, harbour),
        ("vera", Role.VIEWER, harbour),
        ("nils", Role.ADMINISTRATOR, nordic),
    ):
        site.user(name, role, organization)
    return Furnished(site, console, harbour, nordic, people, spare, important, lesser, foreign)
