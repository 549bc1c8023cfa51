"""The whole API over one database: two organizations with their users, tokens and records, and a licence.

Tests of `*/api.py`, of isolation and of the OpenAPI document use it. Passwords are avoided: every user has an
API token, so that no test pays for a password hash.
"""

import datetime as dt
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from fastapi import APIRouter
from sqlalchemy import Select, Table, select

from outrider.agents import api as agents_api
from outrider.agents import desk_api, desk_commands_api, desk_records_api, supervising_api
from outrider.agents import service as agents
from outrider.agents.accounts import AccountPlan
from outrider.agents.desk import AgentDesk
from outrider.callbacks import api as callbacks_api
from outrider.callbacks import service as callbacks
from outrider.callbacks.model import CallbackPlan
from outrider.campaigns import api as campaigns_api
from outrider.campaigns import service as campaigns
from outrider.campaigns.service import CampaignPlan
from outrider.channel_reports import api as channels_api
from outrider.channel_reports.checking import ChannelChecks
from outrider.clock import VirtualClock
from outrider.completion import api as completion_api
from outrider.completion import service as completion
from outrider.contacts import api as contacts_api
from outrider.contacts import service as contacts
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import save_upload
from outrider.contacts.imports.model import ImportOptions
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.db.sealed import Sealer
from outrider.errors import NotFoundError
from outrider.ids import ListId
from outrider.jobs import api as jobs_api
from outrider.jobs import loading
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import JobCommand, Task
from outrider.licences import api as licences_api
from outrider.licences import division, division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.media import api as media_api
from outrider.media.checking import Finding, Level, ServerCheck
from outrider.media.model import Connection
from outrider.people.model import SYSTEM, Role
from outrider.people.service import authenticate_token
from outrider.speech import api as speech_api
from outrider.supply import api as supply_api
from outrider.supply import service as supply
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair
from outrider.web.coalescing import Coalescer
from support.desk_play import PlayDesk
from support.web import Api, Site, open_site

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
"""A Wednesday: calling windows are open in Europe."""

RULES = SharingRules()
API_ROUTERS: tuple[APIRouter, ...] = (
    agents_api.router,
    desk_api.router,
    desk_commands_api.router,
    desk_records_api.router,
    supervising_api.router,
    callbacks_api.router,
    campaigns_api.router,
    channels_api.router,
    completion_api.router,
    contacts_api.router,
    jobs_api.router,
    licences_api.router,
    media_api.router,
    speech_api.router,
    supply_api.router,
)

STRATEGY = """
name = "{name}"
[[actions]]
name = "call"
channel = "call"
minimum = {minimum}
maximum = {maximum}
priority = {priority}
prompt = {{ text = "Your parcel arrives tomorrow." }}
"""

TALKS = """
name = "{name}"
[[actions]]
name = "talk"
channel = "call"
[actions.agents]
mode = "predictive"
abandoned = {{ text = "Nobody is free to talk to you now." }}
"""

ROLES = {"amy": Role.AGENT, "vic": Role.VIEWER, "sue": Role.SUPERVISOR, "ada": Role.ADMINISTRATOR}
"""The users of each organization are called acme-vic, rival-ada and so on; those of the system root-vic..."""

_keys = cache(generate_keypair)


@dataclass(frozen=True)
class Tenant:
    """One organization and what was made for it."""

    name: str
    organization_id: int
    list_id: int
    strategy_id: int
    draft_id: int
    campaign_id: int
    spare_campaign_id: int
    job_id: int
    agents_job_id: int
    """A job in which agents talk, not started."""
    talks_id: int
    """The campaign of that."""
    callback_id: int
    task_id: int
    pool_id: int
    contact_id: int
    agent_id: int
    skill_id: int
    code_id: int
    import_id: int = 0
    do_not_contact_id: int = 0
    user_id: int = 0
    token_id: int = 0


@dataclass
class Composed:
    """A site with everything in it. Users are made when they are first asked for."""

    site: Site
    with_agents_jobs: bool = False
    """Whether each organization has a job in which agents talk, too."""
    _clients: dict[str, Api] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The database under it."""
        return self.site.database

    @property
    def now(self) -> dt.datetime:
        """The site's time."""
        return self.site.clock.now()

    @cached_property
    def acme(self) -> Tenant:
        """The first organization."""
        return self.tenant("acme")

    @cached_property
    def rival(self) -> Tenant:
        """The second organization."""
        return self.tenant("rival")

    def user(self, name: str, organization_id: int | None = None) -> Api:
        """Return a client with the token of a user; "sue" in the name makes it a supervisor, and so on."""
        if name not in self._clients:
            made = self.site.user(name, ROLES[name.rpartition("-")[2]], organization_id)
            self._clients[name] = self.site.api().bear(self.site.token(made))
        return self._clients[name]

    def of(self, tenant: Tenant, who: str) -> Api:
        """Return a client of an organization: vic the viewer, sue the supervisor or ada the administrator."""
        return self.user(f"{tenant.name}-{who}", tenant.organization_id)

    def root(self, who: str = "ada") -> Api:
        """Return a client of the whole system."""
        return self.user(f"root-{who}")

    def load_licence(self, file_id: str = "L-1", **counts: int) -> None:
        """Load a signed licence file with these counts."""
        text, public = licence_text(self.now, file_id, **counts)
        self.database.write_now(supply.load_file, RULES, text, public, "any", self.now, "test")

    def tenant(self, name: str, ports: int = 20, contacts_count: int = 40) -> Tenant:
        """Make an organization with ports of its own, lists, strategies, campaigns, a running job, a user."""
        made = self.database.write_now(self._tenant, name, ports, contacts_count)
        user = self.site.user(f"{name}-uma", Role.VIEWER, made.organization_id)
        secret = self.site.token(user)
        token = self.database.read_now(lambda tx: authenticate_token(tx, self.now, secret))[1]
        assert token is not None
        return replace(
            made,
            user_id=user.id,
            token_id=token,
            import_id=self.queued_import(made, b"Phone\n+493012345678\n"),
            do_not_contact_id=self.database.write_now(
                do_not_contact.create_list,
                self.now,
                organization_id=made.organization_id,
                actor="test",
                name=f"{name} refused",
            ).id,
        )

    def queued_import(self, tenant: Tenant, content: bytes) -> int:
        """Save a contact file and queue its import; nothing runs it."""
        saved = save_upload(self.site.edge.data_folder, io.BytesIO(content), "people.csv")
        queued = self.database.write_now(
            imports.request_import,
            self.now,
            organization_id=tenant.organization_id,
            actor="test",
            list_id=tenant.list_id,
            file_name="people.csv",
            file_size=len(content),
            file_digest=hashlib.sha256(content).hexdigest(),
            spool=saved.spool,
            options=ImportOptions(),
        )
        return queued.id

    def _tenant(self, tx: Tx, name: str, ports: int, count: int) -> Tenant:
        organization_id = division.add_organization(tx, name, (), self.now, "test")
        entitlement = supply.current(tx).counts
        numbers = {LicenceKind.OUTBOUND_PORTS: ports}
        division.set_counts(tx, RULES, entitlement, self.now, "default", name, numbers, actor="test")
        list_id = self.contact_list(tx, organization_id, f"{name} list", count)
        source = STRATEGY.format(name=f"{name} calls", minimum=1, maximum=30, priority=5)
        strategy = campaigns.create_strategy(tx, organization_id, source, self.now, "test")
        talks = campaigns.create_strategy(
            tx, organization_id, TALKS.format(name=f"{name} talks"), self.now, "test"
        )
        draft = campaigns.create_strategy(
            tx, organization_id, "name = 'draft'", self.now, "test", draft_name="draft"
        )
        made = [
            campaigns.create_campaign(
                tx,
                organization_id,
                CampaignPlan(name=f"{name} {which}", strategy_name=rules, list_ids=(list_id,)),
                self.now,
                "test",
            )
            for which, rules in (("spring", strategy.name), ("spare", strategy.name), ("talks", talks.name))
        ]
        job = jobs.create(tx, made[0].id, organization_id, self.now, "test")
        jobs.command(tx, RULES, job.id, organization_id, JobCommand.START, self.now, "test")
        loading.load_targets(tx, RULES, job.id, self.now)
        task = job_store.tasks(tx, organization_id, job_ids=[job.id])[0]
        plan = AccountPlan(f"{name}-ann", f"sip:{name}-ann@example.org", skills={f"{name} tact": 5})
        agent = agents.create(tx, self.now, SYSTEM, plan, organization_id=organization_id)
        contact, other = contacts.contacts_page(tx, organization_id=None, list_id=list_id, limit=2)
        promise = CallbackPlan(self.now + dt.timedelta(hours=1), note=f"{name} promised it")
        promised = callbacks.create(tx, self.now, SYSTEM, made[2].id, other.id, promise)
        return Tenant(
            name=name,
            organization_id=organization_id,
            list_id=list_id,
            strategy_id=strategy.id,
            draft_id=draft.id,
            campaign_id=made[0].id,
            spare_campaign_id=made[1].id,
            job_id=job.id,
            agents_job_id=self._agents_job(tx, made[2].id, organization_id),
            talks_id=made[2].id,
            callback_id=promised.id,
            task_id=task.id,
            pool_id=task.pool_id,
            contact_id=contact.id,
            agent_id=agent.id,
            skill_id=agents.skills(tx, organization_id)[0].id,
            code_id=completion.codes(tx, organization_id)[0].id,
        )

    def _agents_job(self, tx: Tx, campaign_id: int, organization_id: int) -> int:
        if not self.with_agents_jobs:
            return 0
        return jobs.create(tx, campaign_id, organization_id, self.now, "test").id

    def contact_list(self, tx: Tx, organization_id: int, name: str, count: int) -> ListId:
        """Create a list of `count` German numbers, all different."""
        made = contacts.create_list(
            tx, self.now, organization_id=organization_id, actor="test", name=name, default_country="DE"
        )
        rows = [
            {
                "list_id": made.id,
                "duplicate_key": f"{number}",
                "external_id": f"{name} {number}",
                "phone": f"+4930{made.id:02}{1000000 + number}",
                "email": f"person{number}@example.org",
                "time_zone": "Europe/Berlin",
                "attributes": {"first_name": f"Person {number}"},
            }
            for number in range(count)
        ]
        if rows:
            tx.execute(schema.contacts.insert(), rows)
        return ListId(made.id)

    def task(self, task_id: int) -> Task:
        """Return a task as it is now."""
        return self.database.read_now(jobs.task, task_id, None)

    def rows(self, organization_id: int) -> Mapping[str, object]:
        """Return every record of an organization, for comparing before and after."""
        return self.database.read_now(_rows_of, organization_id)


def licence_text(now: dt.datetime, file_id: str = "L-1", **counts: int) -> tuple[str, str]:
    """Return a signed licence file, valid for a year from yesterday on, and the public key.

    It has as many telephony ports as outbound ports, unless it says otherwise.
    """
    private, public = _keys()
    counts.setdefault("telephony_ports", counts.get("outbound_ports", 0))
    licence = LicenceFile(
        id=file_id,
        customer="The tests",
        issued_at=now,
        not_before=now - dt.timedelta(days=1),
        expires_at=now + dt.timedelta(days=365),
        counts={LicenceKind(kind): count for kind, count in counts.items()},
    )
    return issue(licence, private), public


@contextmanager
def composed(
    database: Database, folder: Path, *, ports: int = 60, with_agents_jobs: bool = False
) -> Iterator[Composed]:
    """Give the whole API over `database`, with a licence for `ports` outbound ports and email."""
    database.write_now(division_store.ensure_defaults, NOON)
    with open_site(
        database,
        folder,
        API_ROUTERS,
        clock=VirtualClock(NOON),
        change=lambda edge: replace(
            edge,
            parts={
                SharingRules: RULES,
                Coalescer: Coalescer(edge.database, RULES, edge.clock),
                Sealer: Sealer(bytes(32)),
                ServerCheck: ServerCheck(_look),
                ChannelChecks: ChannelChecks((), _try_way),
                AgentDesk: AgentDesk(PlayDesk(edge.database, edge.clock)),
            },
        ),
    ) as site:
        made = Composed(site, with_agents_jobs)
        made.load_licence(outbound_ports=ports, email=1)
        yield made


async def _look(connection: Connection) -> tuple[Finding, ...]:
    """Stand in for the check of a real media server."""
    return (Finding(Level.OK, "server", f"{connection.name} was looked at"),)


async def _try_way(key: str) -> tuple[Finding, ...]:
    """Stand in for the trying of a way out: there is none here."""
    raise NotFoundError(f"there is no way out {key!r}")


def _rows_of(tx: Tx, organization_id: int) -> dict[str, object]:
    tables = {
        "contact_lists": schema.contact_lists.c.organization_id == organization_id,
        "contacts": schema.contacts.c.list_id.in_(_ids(schema.contact_lists, organization_id)),
        "imports": schema.imports.c.list_id.in_(_ids(schema.contact_lists, organization_id)),
        "do_not_contact_lists": schema.do_not_contact_lists.c.organization_id == organization_id,
        "do_not_contact_entries": schema.do_not_contact_entries.c.list_id.in_(
            _ids(schema.do_not_contact_lists, organization_id)
        ),
        "strategies": schema.strategies.c.organization_id == organization_id,
        "campaigns": schema.campaigns.c.organization_id == organization_id,
        "campaign_lists": schema.campaign_lists.c.campaign_id.in_(_ids(schema.campaigns, organization_id)),
        "jobs": schema.jobs.c.organization_id == organization_id,
        "tasks": schema.tasks.c.job_id.in_(_ids(schema.jobs, organization_id)),
        "users": schema.users.c.organization_id == organization_id,
        "agents": schema.agents.c.organization_id == organization_id,
        "agent_skills": schema.agent_skills.c.agent_id.in_(_ids(schema.agents, organization_id)),
        "skills": schema.skills.c.organization_id == organization_id,
        "callbacks": schema.callbacks.c.organization_id == organization_id,
        "completion_codes": schema.completion_codes.c.organization_id == organization_id,
        "api_tokens": schema.api_tokens.c.user_id.in_(_ids(schema.users, organization_id)),
        "pools": schema.pools.c.organization_id == organization_id,
        "pool_counts": schema.pool_counts.c.pool_id.in_(_ids(schema.pools, organization_id)),
        "organizations": schema.organizations.c.id == organization_id,
    }
    found: dict[str, object] = {}
    for name, condition in tables.items():
        table = schema.metadata.tables[name]
        columns = [column for column in table.c if column.name != "last_used_at"]
        query = select(*columns).where(condition).order_by(*table.primary_key.columns)
        found[name] = [dict(row) for row in tx.execute(query).mappings()]
    return found


def _ids(table: Table, organization_id: int) -> Select[tuple[int]]:
    return select(table.c.id).where(table.c.organization_id == organization_id)
