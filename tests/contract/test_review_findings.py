"""What a review of the database's rules found, one test each: none of it may come back.

`in_between` runs one whole transaction at the moment in which another is about to take its locks; SQLite has
one writer, so there it runs just before.
"""

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import Connection, Table, func, select

from outrider.campaigns import service as campaigns
from outrider.campaigns.outcome import Outcome
from outrider.contacts import service as contacts
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import plans
from outrider.dialing.attempt import Claim, Result
from outrider.dialing.claims import take_batch
from outrider.dialing.results import record
from outrider.errors import ConflictError, NotFoundError
from outrider.ids import JobId, ListId, PoolId, ZoneId
from outrider.jobs import loading
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import JobCommand, JobState
from outrider.licences import division, division_store
from outrider.licences import store as licence_store
from outrider.licences.model import LicenceKind
from outrider.runtime import store as runtime_store
from outrider.supply import dividing
from outrider.supply import service as supply
from support.campaigning import NOON, RULES, Campaigning, campaigning

PORTS = LicenceKind.OUTBOUND_PORTS


def in_between(monkeypatch: pytest.MonkeyPatch, database: Database, other: Callable[[], object]) -> None:
    """Let `other` commit when the next transaction is about to lock its pools."""
    if database.single_writer:
        other()
        return
    lock_pools = licence_store.lock_pools
    waiting = [other]

    def lock(tx: Tx, pool_ids: Iterable[PoolId]) -> None:
        if waiting:
            waiting.pop()()
        lock_pools(tx, pool_ids)

    monkeypatch.setattr(licence_store, "lock_pools", lock)


def attempt(system: Campaigning, job_id: int, zone: str, calls: int) -> tuple[Claim, ...]:
    """Start calls of a job in one zone."""
    tasks = system.database.read_now(job_store.tasks, None, job_ids=[job_id])
    [task_id] = [task.id for task in tasks if task.zone_name == zone]
    _, found = system.database.read_now(plans.admitted_plans, frozenset())
    plan = next(plan for plan in found if plan.task_id == task_id)
    return system.database.write_now(take_batch, RULES, plan, calls, "test", NOON).claims


def end(system: Campaigning, claims: tuple[Claim, ...]) -> None:
    """Let calls end, each with its contact's final outcome."""
    results = [Result(claim, Outcome.ANSWERED, NOON, NOON) for claim in claims]
    system.database.write_now(record, RULES, results, NOON)


def left(system: Campaigning, job_id: int) -> int:
    """Return how many contacts the tasks of a job still count."""
    T = schema.tasks.c  # noqa: N806 - a table's columns, as elsewhere
    query = select(func.sum(T.contacts_left)).where(T.job_id == job_id)
    return system.database.read_now(lambda tx: int(tx.execute(query).scalar_one()))


def in_force(system: Campaigning) -> dict[str, int]:
    """Return the ports in force, by zone."""
    counts = system.database.read_now(division_store.effective)
    pools = system.database.read_now(division_store.pools)
    return {row.zone: counts.get(row.id, {}).get(PORTS, 0) for row in pools}


def test_a_campaign_is_kept_while_calls_of_its_stopped_job_are_up(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=5)
    campaign_id = system.campaign("draining", [system.contact_list("draining", 9)])
    job_id = system.start(campaign_id)
    database.write_now(loading.load_targets, RULES, job_id, NOON)
    claims = attempt(system, job_id, "default", 3)
    database.write_now(jobs.command, RULES, job_id, None, JobCommand.STOP, NOON, "test")
    with pytest.raises(ConflictError, match="'draining' has 3 attempts under way"):
        database.write_now(campaigns.delete_campaign, campaign_id, None, NOON, "test")
    assert sum(database.read_now(licence_store.units_in_use).values()) == 3
    end(system, claims)
    database.write_now(campaigns.delete_campaign, campaign_id, None, NOON, "test")
    with pytest.raises(NotFoundError):
        system.job(job_id)


class TwoZones:
    """A job with 5 contacts in the default zone and 7 in a zone North, 8 ports in each."""

    def __init__(self, database: Database) -> None:
        """Make it and load the job."""
        self.system = campaigning(database)
        self.system.license(outbound_ports=16)
        self.database = database
        self.zone_id = ZoneId(database.write_now(division.add_zone, "North", NOON, "test"))
        for zone in ("default", "North"):
            database.write_now(dividing.set_counts, RULES, zone, None, {PORTS: 8}, NOON, "test")
        self.here = self.system.contact_list("here", 5)
        self.north = self.system.contact_list("north", 7)
        self.campaign_id = self.system.campaign("both", [self.here, self.north])
        database.write_now(self._extend)
        self.job_id = self.system.start(self.campaign_id)
        assert database.write_now(loading.load_targets, RULES, self.job_id, NOON)

    def _extend(self, tx: Tx) -> None:
        lists = schema.contact_lists
        tx.execute(lists.update().where(lists.c.id == self.north).values(zone_id=self.zone_id))
        row = {"campaign_id": self.campaign_id, "zone_id": self.zone_id}
        tx.execute(schema.campaign_zones.insert().values(row))

    def delete_north(self) -> None:
        """Delete the zone; its calls go on."""
        self.database.write_now(dividing.remove_zone, RULES, self.zone_id, NOON, "test")


def test_a_job_of_two_zones_finishes_when_one_is_deleted(database: Database) -> None:
    two = TwoZones(database)
    end(two.system, attempt(two.system, two.job_id, "North", 1))
    calls = attempt(two.system, two.job_id, "North", 2)
    two.delete_north()
    end(two.system, attempt(two.system, two.job_id, "default", 5))
    assert database.write_now(division_store.purge_retired) == 0
    end(two.system, calls)
    job = two.system.job(two.job_id)
    assert (job.state, job.targets, job.targets_done) == (JobState.RUNNING, 12, 8)
    assert database.write_now(division_store.purge_retired) == 1
    job = two.system.job(two.job_id)
    assert (job.targets, job.targets_done) == (5, 5)
    assert list(database.read_now(runtime_store.finished_unnoticed)) == [two.job_id]


def test_a_job_goes_on_with_what_is_left_of_it_and_an_ended_one_keeps_its_record(database: Database) -> None:
    two = TwoZones(database)
    end(two.system, attempt(two.system, two.job_id, "default", 2))
    database.write_now(jobs.command, RULES, two.job_id, None, JobCommand.STOP, NOON, "test")
    other = two.system.start(two.campaign_id)
    assert database.write_now(loading.load_targets, RULES, other, NOON)
    two.delete_north()
    assert database.write_now(division_store.purge_retired) == 1
    ended, going = two.system.job(two.job_id), two.system.job(other)
    assert (ended.targets, ended.targets_done) == (12, 2)
    assert (going.targets, going.targets_done) == (5, 0)
    end(two.system, attempt(two.system, other, "default", 5))
    assert two.system.job(other).state is JobState.FINISHED


def test_contact_lists_outlive_their_zone(database: Database) -> None:
    two = TwoZones(database)
    two.delete_north()
    default = database.read_now(division_store.zones)["default"]
    moved = database.read_now(contacts.get_list, organization_id=None, list_id=two.north)
    assert moved.zone_id == default
    late = two.system.contact_list("late", 1)
    database.write_now(_put, late, two.zone_id)
    assert database.write_now(division_store.purge_retired) == 1
    for list_id, count in ((two.north, 7), (late, 1)):
        found = database.read_now(contacts.get_list, organization_id=None, list_id=list_id)
        assert found.zone_id == default
        assert _contacts(database, list_id) == count


def _put(tx: Tx, list_id: ListId, zone_id: ZoneId) -> None:
    lists = schema.contact_lists
    tx.execute(lists.update().where(lists.c.id == list_id).values(zone_id=zone_id))


def _contacts(database: Database, list_id: ListId) -> int:
    query = select(func.count()).where(schema.contacts.c.list_id == list_id)
    return database.read_now(lambda tx: int(tx.execute(query).scalar_one()))


def test_two_that_load_the_same_job_count_its_contacts_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = campaigning(database)
    system.license(outbound_ports=5)
    job_id = system.start(system.campaign("loaded", [system.contact_list("loaded", 10)]))
    in_between(
        monkeypatch, database, lambda: database.write_now(loading.load_targets, RULES, job_id, NOON, 10)
    )
    assert database.write_now(loading.load_targets, RULES, job_id, NOON, 10)
    job = system.job(job_id)
    assert (job.state, job.loaded, job.targets, left(system, job_id)) == (JobState.RUNNING, True, 10, 10)


def test_contacts_that_are_targets_already_are_not_counted_again(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=5)
    job_id = system.start(system.campaign("again", [system.contact_list("again", 10)]))
    assert not database.write_now(loading.load_targets, RULES, job_id, NOON, 6)
    database.write_now(_from_the_start, job_id)
    assert database.write_now(loading.load_targets, RULES, job_id, NOON, 100)
    assert (system.job(job_id).targets, left(system, job_id)) == (10, 10)


def _from_the_start(tx: Tx, job_id: JobId) -> None:
    job_store.set_job(tx, job_id, loaded_through=0)


def test_a_campaign_has_one_job_at_a_time_whoever_starts_it(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=5)
    campaign_id = system.campaign("once", [system.contact_list("once", 1)])
    job_id = system.start(campaign_id)
    again = {
        "organization_id": system.organization_id,
        "campaign_id": campaign_id,
        "strategy_id": system.job(job_id).strategy_id,
        "state": JobState.READY.value,
        "created_at": NOON,
    }
    for what in (JobCommand.PAUSE, JobCommand.RESUME):
        with pytest.raises(ConflictError, match="same moment"):
            database.write_now(job_store.add_job, again)
        database.write_now(jobs.command, RULES, job_id, None, what, NOON, "test")
    database.write_now(jobs.command, RULES, job_id, None, JobCommand.STOP, NOON, "test")
    second = database.write_now(job_store.add_job, again)
    database.write_now(jobs.command, RULES, second, None, JobCommand.STOP, NOON, "test")
    assert database.write_now(job_store.add_job, again) > second


def test_an_edit_is_made_from_the_entitlement_of_the_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    database.write_now(division.add_zone, "North", NOON, "test")
    in_between(monkeypatch, database, lambda: system.license(outbound_ports=6))
    numbers = {PORTS: 4}
    database.write_now(dividing.set_counts, RULES, "North", None, numbers, NOON, "test")
    assert in_force(system) == {"default": 2, "North": 4}


def test_a_poll_divides_by_the_numbers_of_the_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    database.write_now(division.add_zone, "North", NOON, "test")

    def edit() -> None:
        database.write_now(dividing.set_counts, RULES, "North", None, {PORTS: 15}, NOON, "test")

    in_between(monkeypatch, database, edit)
    database.write_now(supply.poll, RULES, "any", NOON)
    assert in_force(system) == {"default": 5, "North": 15}


def test_two_edits_at_once_both_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    for zone in ("North", "South"):
        database.write_now(division.add_zone, zone, NOON, "test")

    def edit(zone: str, units: int) -> None:
        database.write_now(dividing.set_counts, RULES, zone, None, {PORTS: units}, NOON, "test")

    in_between(monkeypatch, database, lambda: edit("South", 7))
    edit("North", 8)
    assert in_force(system) == {"default": 5, "North": 8, "South": 7}


def test_a_zone_that_is_added_meanwhile_does_not_upset_an_edit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    database.write_now(division.add_zone, "North", NOON, "test")
    in_between(monkeypatch, database, lambda: database.write_now(division.add_zone, "South", NOON, "test"))
    database.write_now(dividing.set_counts, RULES, "North", None, {PORTS: 8}, NOON, "test")
    assert in_force(system) == {"default": 12, "North": 8, "South": 0}


@pytest.mark.parametrize(
    "table", [schema.organizations, schema.zones, schema.contact_lists, schema.contacts, schema.campaigns]
)
def test_an_id_is_never_given_out_again(database: Database, table: Table) -> None:
    system = campaigning(database)

    def make(name: str) -> None:
        database.write_now(division.add_zone, name, NOON, "test")
        database.write_now(division.add_organization, name, (), NOON, "test")
        system.campaign(name, [system.contact_list(name, 1)])

    def newest(tx: Connection) -> int:
        return int(tx.execute(select(func.max(table.c.id))).scalar_one())

    make("first")
    first = database.read_now(newest)
    database.write_now(lambda tx: tx.execute(table.delete().where(table.c.id == first)))
    make("second")
    assert database.read_now(newest) > first


@pytest.mark.parametrize(
    "name",
    [
        "organizations",
        "zones",
        "contact_lists",
        "contacts",
        "campaigns",
        "strategies",
        "jobs",
        "tasks",
        "targets",
        "imports",
        "users",
    ],
)
def test_sqlite_remembers_the_highest_id(sqlite_database: Database, name: str) -> None:
    query = f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{name}'"
    made = sqlite_database.read_now(lambda tx: str(tx.exec_driver_sql(query).scalar_one()))
    assert "AUTOINCREMENT" in made
