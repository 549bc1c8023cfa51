"""A site with a campaign whose agents promise callbacks, for tests of the pages of callbacks."""

from sqlalchemy import select, update

from outrider.agents import service as agents
from outrider.agents.accounts import AccountPlan
from outrider.callbacks.model import Callback
from outrider.callbacks.service import callbacks as listed
from outrider.campaigns.strategy_agents import CallbackState
from outrider.db import schema
from outrider.people.model import SYSTEM, Role
from support.agent_campaigns import SOURCE
from support.campaigning import NOON, Campaigning
from support.furnished import Form
from support.web import Site

TOMORROW = "2026-03-05T15:30"


class PromisedSite:
    """A site with a campaign of agents, one agent, and a supervisor."""

    def __init__(self, site: Site, system: Campaigning) -> None:
        self.site = site
        people = system.contact_list("people", 2)
        C = schema.contacts.c  # noqa: N806 - a table's columns
        # As an import would: the list knows duplicates by their numbers.
        keyed = update(schema.contacts).values(duplicate_key=C.phone)
        site.database.write_now(lambda tx: tx.execute(keyed))
        source = SOURCE.format(name="calls", mode="preview", extra="", agents="", top="")
        self.campaign = system.campaign("calls", [people], source=source)
        plan = AccountPlan("ann", "sip:ann@example.org", display_name="Ann Lee")
        self.agent = site.database.write_now(agents.create, NOON, SYSTEM, plan)
        query = select(C.id, C.phone).order_by(C.id)
        self.contacts = site.database.read_now(lambda tx: [tuple(row) for row in tx.execute(query)])
        site.user("sue", Role.SUPERVISOR, system.organization_id)
        self.form = Form(site.as_user("sue"))

    def fields(self, **change: str) -> dict[str, str]:
        """Return the form of a callback as it is filled in."""
        given = {
            "campaign_id": str(self.campaign),
            "contact": str(self.contacts[0][1]),
            "at": TOMORROW,
            "kind": "strict_agent",
            "agent_id": str(self.agent.id),
            "note": "about\nthe <loan>",
        }
        return {**given, **change}

    def all(self) -> list[Callback]:
        """Return all callbacks."""
        found, _ = self.site.database.read_now(lambda tx: listed(tx, None, states=tuple(CallbackState)))
        return found
