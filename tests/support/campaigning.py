"""Systems to dial with: licences, lists, strategies and campaigns made through the services themselves.

Contract and acceptance tests build on it; contacts are inserted directly, for speed.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import func, select

from outrider.campaigns import service as campaigns
from outrider.campaigns.service import CampaignPlan
from outrider.contacts import service as contacts
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.ids import JobId, ListId
from outrider.jobs import service as jobs
from outrider.jobs.model import Job, JobCommand
from outrider.licences import division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.supply import service as supply
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
"""A Wednesday: calling windows are open in Europe."""

RULES = SharingRules()

CALL = """
name = "{name}"
[[actions]]
name = "call"
channel = "call"
minimum = {minimum}
maximum = {maximum}
priority = {priority}
allocation = "{allocation}"
{extra}
[actions.prompt]
text = "Your parcel arrives tomorrow."
"""


_keys = cache(generate_keypair)
"""The issuer of all test licences."""


@dataclass(frozen=True)
class Campaigning:
    """One database with a default organization, ready for campaigns."""

    database: Database
    organization_id: int

    def license(self, now: dt.datetime = NOON, **counts: int) -> None:
        """Load a signed licence file with these counts; it supersedes the one before.

        It has as many telephony ports as outbound ports, unless it says otherwise.
        """
        private, public = _keys()
        counts.setdefault("telephony_ports", counts.get("outbound_ports", 0))
        licence = LicenceFile(
            id="test",
            customer="The tests",
            issued_at=now,
            not_before=now - dt.timedelta(days=1),
            expires_at=now + dt.timedelta(days=365),
            counts={LicenceKind(kind): count for kind, count in counts.items()},
        )
        text = issue(licence, private)
        self.database.write_now(supply.load_file, RULES, text, public, "any", now, "test")

    def contact_list(self, name: str, count: int, now: dt.datetime = NOON, prefix: str = "+4930") -> ListId:
        """Create a list of `count` German numbers, all different, with mail addresses."""

        def create(tx: Tx) -> ListId:
            made = contacts.create_list(
                tx, now, organization_id=self.organization_id, actor="test", name=name, default_country="DE"
            )
            rows = [
                {
                    "list_id": made.id,
                    "duplicate_key": f"{name}-{number}",
                    "external_id": f"{name}-{number}",
                    "phone": f"{prefix}{made.id:02}{1000000 + number}",
                    "email": f"{name}.{number}@example.org",
                    "time_zone": "Europe/Berlin",
                    "attributes": {"first_name": f"Person {number}"},
                }
                for number in range(count)
            ]
            if rows:
                tx.execute(schema.contacts.insert(), rows)
            return ListId(made.id)

        return self.database.write_now(create)

    def campaign(
        self,
        name: str,
        list_ids: Sequence[ListId],
        now: dt.datetime = NOON,
        *,
        source: str | None = None,
        minimum: int = 1,
        maximum: int = 30,
        priority: int = 5,
        allocation: str = "dynamic",
        extra: str = "",
    ) -> int:
        """Create a campaign with a strategy of the same name; return its id."""
        document = source or CALL.format(
            name=name, minimum=minimum, maximum=maximum, priority=priority, allocation=allocation, extra=extra
        )

        def create(tx: Tx) -> int:
            campaigns.create_strategy(tx, self.organization_id, document, now, "test")
            plan = CampaignPlan(name=name, strategy_name=name, list_ids=tuple(list_ids))
            return campaigns.create_campaign(tx, self.organization_id, plan, now, "test").id

        return self.database.write_now(create)

    def start(self, campaign_id: int, now: dt.datetime = NOON) -> JobId:
        """Create and start a job of a campaign; return its id."""

        def start(tx: Tx) -> JobId:
            job = jobs.create(tx, campaign_id, None, now, "test")
            return jobs.command(tx, RULES, job.id, None, JobCommand.START, now, "test").id

        return self.database.write_now(start)

    def job(self, job_id: int) -> Job:
        """Return a job as it is now."""
        return self.database.read_now(jobs.job, job_id, None)

    def final_outcomes(self, job_id: int) -> dict[str, int]:
        """Return how many targets of a job ended with each outcome; "" counts those that did not."""
        column = schema.targets.c

        def read(tx: Tx) -> dict[str, int]:
            query = (
                select(column.state, column.outcome, func.count())
                .where(column.job_id == job_id)
                .group_by(column.state, column.outcome)
            )
            found: dict[str, int] = {}
            for state, outcome, count in tx.execute(query):
                key = outcome if state == "done" else ""
                found[key] = found.get(key, 0) + count
            return found

        return self.database.read_now(read)


def campaigning(database: Database, now: dt.datetime = NOON) -> Campaigning:
    """Return a system with the default zone and organization."""
    database.write_now(division_store.ensure_defaults, now)
    organization = database.read_now(division_store.organizations)["default"]
    return Campaigning(database, organization)
