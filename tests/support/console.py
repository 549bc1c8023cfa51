"""A furnished system for tests of the console's pages: licences, two organizations, lists, campaigns, jobs.

Everything is made by the services that production uses; only units in use and samples are written directly,
since nothing dials here.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from sqlalchemy import update

from outrider.campaigns import service as campaigns
from outrider.campaigns.model import Campaign, StrategyVersion
from outrider.campaigns.service import CampaignPlan
from outrider.contacts import service as contacts
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.files import save_upload
from outrider.contacts.imports.model import Import, ImportOptions
from outrider.contacts.model import ContactList
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.ids import JobId, ListId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.loading import load_targets
from outrider.jobs.model import Job, JobCommand, Task
from outrider.licences import division, division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.runtime.importing import ImportRunner
from outrider.supply import service as supply
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair
from support.web import Site

RULES = SharingRules()
HOST = "console-test"
PRIVATE_KEY, PUBLIC_KEY = generate_keypair()

COUNTS: Mapping[LicenceKind, int] = {
    LicenceKind.OUTBOUND_PORTS: 60,
    LicenceKind.TELEPHONY_PORTS: 80,
    LicenceKind.PREDICTIVE_AGENTS: 12,
    LicenceKind.PREVIEW_AGENTS: 6,
    LicenceKind.MANUAL_AGENTS: 4,
    LicenceKind.AGENT_WEB_API: 20,
    LicenceKind.EMAIL: 1,
}

CALL = """name = "{name}"

[[actions]]
name = "call"
channel = "call"
priority = {priority}
minimum = {minimum}
maximum = {maximum}
allocation = "{allocation}"
prompt = {{ text = "Hello." }}
"""

EMAIL = """name = "{name}"

[[actions]]
name = "mail"
channel = "email"
maximum = 10
subject = "Your appointment"
text = "We are looking forward to it."
from = "Team <team@example.org>"
"""


def licence_text(
    now: dt.datetime,
    counts: Mapping[LicenceKind, int] = COUNTS,
    *,
    number: str = "L-2026-001",
    days: int = 365,
) -> str:
    """Return a signed licence file that is valid from an hour ago for `days`."""
    begin = now - dt.timedelta(hours=1)
    claims = LicenceFile(
        id=number,
        customer="Example Contact Centres",
        issued_at=begin,
        not_before=begin,
        expires_at=begin + dt.timedelta(days=days),
        counts=counts,
        platform_version="4.0",
    )
    return issue(claims, PRIVATE_KEY)


class Console:
    """Fills the database of a site; times are those of its clock."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.database: Database = site.database
        self.folder: Path = site.edge.data_folder
        self.database.write_now(division_store.ensure_defaults, self.now)

    @property
    def now(self) -> dt.datetime:
        """The site's time."""
        return self.site.clock.now()

    def load_licence(self, counts: Mapping[LicenceKind, int] = COUNTS, *, days: int = 365) -> None:
        """Load a signed licence file."""
        text = licence_text(self.now, counts, days=days)
        self.database.write_now(supply.load_file, RULES, text, PUBLIC_KEY, HOST, self.now, "test")

    def poll(self) -> None:
        """Do what the monitor does every minute."""
        self.database.write_now(supply.poll, RULES, HOST, self.now)

    def organization(self, name: str, ports: int = 20) -> int:
        """Create an organization in the default zone with its own outbound ports."""

        def make(tx: Tx) -> int:
            number = division.add_organization(tx, name, (), self.now, "test")
            counts = {LicenceKind.OUTBOUND_PORTS: ports}
            entitlement = supply.current(tx).counts
            division.set_counts(tx, RULES, entitlement, self.now, "default", name, counts, actor="test")
            return number

        return self.database.write_now(make)

    def contact_list(
        self, organization_id: int, name: str, rows: int = 0, country: str = "GB"
    ) -> ContactList:
        """Create a list, and import `rows` made-up contacts into it."""
        made = self.database.write_now(
            contacts.create_list,
            self.now,
            organization_id=organization_id,
            actor="test",
            name=name,
            default_country=country,
        )
        if rows:
            lines = ["Name,Phone,Email,City"]
            lines += [
                f"Person {number},+4420794{number:05d},person{number}@example.org,Leeds"
                for number in range(rows)
            ]
            ended = self.import_text(made.id, "\n".join(lines) + "\n")
            assert ended.rows_added == rows, ended
        return self.database.read_now(contacts.get_list, organization_id=None, list_id=made.id)

    def import_text(self, list_id: int, text: str, options: ImportOptions | None = None) -> Import:
        """Import a CSV text to its end."""
        data = text.encode()
        saved = save_upload(self.folder, BytesIO(data), "made-up.csv")
        queued = self.database.write_now(
            imports.request_import,
            self.now,
            organization_id=None,
            actor="test",
            list_id=list_id,
            file_name="made-up.csv",
            file_size=len(data),
            file_digest=hashlib.sha256(data).hexdigest(),
            spool=saved.spool,
            options=options or ImportOptions(),
        )
        return self.run_import(queued.id)

    def run_import(self, import_id: int) -> Import:
        """Do what the server's worker does with a queued import."""
        runner = ImportRunner(self.database, self.folder, self.site.clock)
        claimed = runner.claim_next(import_id)
        assert claimed == import_id
        ended = runner.run_one(import_id)
        assert ended is not None
        return ended

    def strategy(self, organization_id: int, source: str) -> StrategyVersion:
        """Store an active version of a strategy."""
        return self.database.write_now(campaigns.create_strategy, organization_id, source, self.now, "test")

    def campaign(self, organization_id: int, name: str, strategy_name: str, *list_ids: int) -> Campaign:
        """Create a campaign that is started by hand."""
        plan = CampaignPlan(
            name=name, strategy_name=strategy_name, list_ids=tuple(ListId(each) for each in list_ids)
        )
        return self.database.write_now(campaigns.create_campaign, organization_id, plan, self.now, "test")

    def call_campaign(
        self,
        organization_id: int,
        name: str,
        list_id: int,
        *,
        priority: int = 5,
        minimum: int = 1,
        maximum: int = 30,
        allocation: str = "dynamic",
    ) -> Campaign:
        """Create a campaign with a strategy of its own that makes one call."""
        source = CALL.format(
            name=f"{name} calls", priority=priority, minimum=minimum, maximum=maximum, allocation=allocation
        )
        self.strategy(organization_id, source)
        return self.campaign(organization_id, name, f"{name} calls", list_id)

    def start(self, campaign: Campaign) -> Job:
        """Make a job of a campaign, start it and make its contacts its targets."""

        def begin(tx: Tx) -> Job:
            made = jobs.create(tx, campaign.id, None, self.now, "test")
            started = jobs.command(tx, RULES, made.id, None, JobCommand.START, self.now, "test")
            load_targets(tx, RULES, JobId(started.id), self.now)
            return jobs.job(tx, started.id, None)

        return self.database.write_now(begin)

    def command(self, job_id: int, what: JobCommand) -> Job:
        """Command a job."""
        return self.database.write_now(jobs.command, RULES, job_id, None, what, self.now, "test")

    def tasks(self, job_id: int) -> list[Task]:
        """Return the tasks of a job."""
        return self.database.read_now(job_store.tasks, None, job_ids=[job_id])

    def use(self, task_id: int, units: int, bound: str = "") -> None:
        """Let a task have so many calls up."""

        def write(tx: Tx) -> None:
            statement = update(schema.tasks).where(schema.tasks.c.id == task_id)
            tx.execute(statement.values(in_use=units, bound=bound, last_attempt_at=self.now))

        self.database.write_now(write)

    def outcomes(self, task_id: int, counts: Mapping[str, tuple[int, int]]) -> None:
        """Count attempts and final outcomes of a task, and its job's finished contacts with them."""

        def write(tx: Tx) -> None:
            job_store.add_outcomes(tx, {(task_id, outcome): pair for outcome, pair in counts.items()})
            job_id = next(iter(job_store.tasks(tx, None, task_id=task_id))).job_id
            job_store.count_finals(tx, job_id, sum(final for _, final in counts.values()), 0)

        self.database.write_now(write)

    def sample(self, task_id: int, at: dt.datetime, quota: int, granted: int, in_use: int) -> None:
        """Write down what a task had at a time."""
        row = {"task_id": task_id, "at": at, "quota": quota, "granted": granted, "in_use": in_use}
        self.database.write_now(lambda tx: tx.execute(schema.samples.insert(), [row]).close())
