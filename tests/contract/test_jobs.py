"""Jobs and licences together over each database: every transition, and every trigger of licensing.md 5.

The same random timelines go through the pure replay and through services, and must give the same quotas,
grants and units in use after each event.
"""

import datetime as dt
import random
from collections import defaultdict

import pytest
from sqlalchemy import func, select

from outrider.campaigns.outcome import Outcome
from outrider.db import log, schema
from outrider.db.database import Database, Tx
from outrider.dialing import plans
from outrider.dialing.attempt import Claim, Result, TaskPlan
from outrider.dialing.claims import take_batch
from outrider.dialing.results import record
from outrider.errors import IllegalTransitionError, InvalidInputError, LicenceShortageError
from outrider.ids import JobId, PoolId, TaskId, ZoneId
from outrider.jobs import loading
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import ENDED, TRANSITIONS, JobCommand, JobState, Task
from outrider.jobs.service import Limits
from outrider.licences import division, division_store, need
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.fields import Place
from outrider.licences.model import Allocation, LicenceKind, Standing
from outrider.licences.replay import ReplayedPool
from outrider.licences.timeline import (
    Calls,
    Elapsed,
    Event,
    Happening,
    LimitsSet,
    Moved,
    Options,
    PoolSet,
    Started,
)
from outrider.supply import service as supply
from support.campaigning import NOON, RULES, Campaigning, campaigning

PORTS = LicenceKind.OUTBOUND_PORTS
WAYS = {
    JobState.READY: (),
    JobState.RUNNING: (JobCommand.START,),
    JobState.PAUSED: (JobCommand.START, JobCommand.PAUSE),
    JobState.SNOOZED: (JobCommand.START, JobCommand.SNOOZE),
    JobState.STOPPED: (JobCommand.STOP,),
    JobState.FINISHED: (JobCommand.START, JobCommand.FINISH),
}
"""How a job gets into each state."""

MAIL = """
name = "{name}"
[[actions]]
name = "mail"
channel = "email"
maximum = 10
subject = "Your parcel"
text = "It arrives tomorrow."
from = "Team <team@example.org>"
"""


def command(system: Campaigning, job_id: int, what: JobCommand, now: dt.datetime = NOON) -> JobState:
    return system.database.write_now(jobs.command, RULES, job_id, None, what, now, "test").state


def ready(system: Campaigning, campaign_id: int, now: dt.datetime = NOON) -> JobId:
    return system.database.write_now(jobs.create, campaign_id, None, now, "test").id


def task_of(system: Campaigning, job_id: int) -> Task:
    [task] = system.database.read_now(job_store.tasks, None, job_ids=[job_id])
    return task


def plan_of(system: Campaigning, task_id: int) -> TaskPlan:
    _, found = system.database.read_now(plans.admitted_plans, frozenset())
    return next(plan for plan in found if plan.task_id == task_id)


def attempt(system: Campaigning, plan: TaskPlan, calls: int, now: dt.datetime = NOON) -> tuple[Claim, ...]:
    return system.database.write_now(take_batch, RULES, plan, calls, "test", now).claims


def end(system: Campaigning, claims: tuple[Claim, ...] | list[Claim], now: dt.datetime = NOON) -> None:
    results = [Result(claim, Outcome.ANSWERED, now, now) for claim in claims]
    system.database.write_now(record, RULES, results, now)


@pytest.mark.parametrize("state", list(JobState))
def test_every_command_in_every_state(database: Database, state: JobState) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    contacts = system.contact_list("all", 3)
    for what in JobCommand:
        job_id = ready(system, system.campaign(f"{state}-{what}", [contacts]))
        for each in WAYS[state]:
            command(system, job_id, each)
        assert system.job(job_id).state is state
        before = task_of(system, job_id)
        events = system.database.read_now(log.latest_id)
        following = TRANSITIONS.get((state, what))
        if following is None:
            with pytest.raises(IllegalTransitionError):
                command(system, job_id, what)
            assert (system.job(job_id).state, task_of(system, job_id)) == (state, before)
            assert system.database.read_now(log.latest_id) == events
            following = state
        else:
            assert command(system, job_id, what) is following
            told = system.database.read_now(log.since, events, None)
            changed = [row["data"] for row in told if row["kind"] == "job_changed"]
            assert [(each["before"], each["after"]) for each in changed] == [(state, following)]
        task, job = task_of(system, job_id), system.job(job_id)
        running = following is JobState.RUNNING
        assert (task.standing == Standing.ADMITTED) is running
        assert (task.quota > 0) is running
        assert (job.ended_at is not None) is (following in ENDED)
        if following not in ENDED:
            command(system, job_id, JobCommand.STOP)


def test_a_job_alone_gets_all_it_can_use_before_its_contacts_are_loaded(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    job_id = system.start(system.campaign("alone", [system.contact_list("alone", 7)], maximum=15))
    assert task_of(system, job_id).granted == 15
    assert database.write_now(loading.load_targets, RULES, job_id, NOON)
    other = system.start(system.campaign("other", [system.contact_list("other", 90)]))
    assert [task_of(system, each).quota for each in (job_id, other)] == [7, 13]


def test_later_actions_are_not_starved_when_contacts_come_to_them(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    source = "name = 'two'\n" + "".join(
        f"[[actions]]\nname = '{name}'\nchannel = 'call'\nmaximum = 10\nprompt = {{ text = 'Hello.' }}\n"
        for name in ("first", "second")
    )
    job_id = system.start(system.campaign("two", [system.contact_list("two", 30)], source=source))
    database.write_now(loading.load_targets, RULES, job_id, NOON)
    tasks = database.read_now(job_store.tasks, None, job_ids=[job_id])
    assert [task.quota for task in tasks] == [10, 10]


def test_live_changes_move_the_shares_and_are_recorded(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    first, second = (
        task_of(system, system.start(system.campaign(name, [system.contact_list(name, 50)])))
        for name in ("first", "second")
    )
    assert (task_of(system, first.job_id).quota, second.quota) == (10, 10)
    database.write_now(jobs.change_limits, RULES, first.id, None, Limits(priority=8), NOON, "sue")
    database.write_now(jobs.change_limits, RULES, second.id, None, Limits(priority=2), NOON, "sue")
    assert [task_of(system, each.job_id).quota for each in (first, second)] == [16, 4]
    newest = database.read_now(licence_store.recalculations, [first.pool_id], None, 1)[0]
    assert (newest["trigger"], newest["task_id"], newest["cause"]) == ("change", second.id, "priority 5 to 2")
    for limits in (Limits(priority=11), Limits(minimum=31), Limits(maximum=0), Limits(minimum=-1)):
        with pytest.raises(InvalidInputError):
            database.write_now(jobs.change_limits, RULES, first.id, None, limits, NOON, "sue")
    assert task_of(system, first.job_id).priority == 8


def test_a_cut_of_the_supply_drains_and_starts_nothing(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=10)
    job_id = system.start(system.campaign("cut", [system.contact_list("cut", 60)]))
    database.write_now(loading.load_targets, RULES, job_id, NOON, 60)
    plan = plan_of(system, task_of(system, job_id).id)
    claims = attempt(system, plan, 30)
    assert len(claims) == 10
    system.license(outbound_ports=4)
    task = task_of(system, job_id)
    assert (task.quota, task.granted, task.in_use, task.draining) == (4, 4, 10, 6)
    assert attempt(system, plan, 5) == ()
    end(system, claims[:6])
    assert attempt(system, plan, 5) == ()
    end(system, claims[6:7])
    assert len(attempt(system, plan, 5)) == 1
    system.license(outbound_ports=12)
    assert task_of(system, job_id).granted == 12
    assert len(attempt(system, plan, 20)) == 8


def test_a_deleted_zone_drains_and_is_gone_when_its_calls_are(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    zone_id = database.write_now(division.add_zone, "North", NOON, "test")
    entitlement = database.read_now(supply.current).counts
    numbers = {PORTS: 8}
    database.write_now(division.set_counts, RULES, entitlement, NOON, "North", None, numbers, actor="test")
    list_id = system.contact_list("north", 30)
    campaign_id = system.campaign("north", [list_id])
    database.write_now(_move, campaign_id, int(list_id), ZoneId(zone_id))
    job_id = system.start(campaign_id)
    database.write_now(loading.load_targets, RULES, job_id, NOON)
    plan = plan_of(system, task_of(system, job_id).id)
    claims = attempt(system, plan, 30)
    assert len(claims) == 8
    database.write_now(division.remove_zone, RULES, entitlement, "North", NOON, "test")
    task = task_of(system, job_id)
    assert (task.quota, task.granted, task.in_use, task.draining) == (0, 0, 8, 8)
    assert attempt(system, plan, 5) == ()
    assert database.write_now(division_store.purge_retired) == 0
    default = next(row for row in database.read_now(division_store.pools) if row.zone == "default")
    assert database.read_now(licence_store.pool_counts, default.id)[PORTS] == 20
    end(system, claims)
    assert task_of(system, job_id).in_use == 0
    assert database.write_now(division_store.purge_retired) == 1


def _move(tx: Tx, campaign_id: int, list_id: int, zone_id: ZoneId) -> None:
    """Put a campaign and its list into another zone."""
    lists, zones = schema.contact_lists, schema.campaign_zones
    tx.execute(lists.update().where(lists.c.id == list_id).values(zone_id=zone_id))
    tx.execute(zones.update().where(zones.c.campaign_id == campaign_id).values(zone_id=zone_id))


def test_the_email_gate_opens_and_closes(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    campaign_id = system.campaign("mail", [system.contact_list("mail", 30)], source=MAIL.format(name="mail"))
    job_id = ready(system, campaign_id)
    with pytest.raises(LicenceShortageError, match="no licence is authorised for email"):
        command(system, job_id, JobCommand.START)
    assert system.job(job_id).state is JobState.READY
    system.license(outbound_ports=20, email=1)
    command(system, job_id, JobCommand.START)
    task = task_of(system, job_id)
    assert (task.standing, task.quota, task.granted) == (Standing.ADMITTED, 10, 10)
    system.license(outbound_ports=20)
    task = task_of(system, job_id)
    assert (task.standing, task.quota, task.granted) == (Standing.WAITING, 0, 0)
    system.license(outbound_ports=20, email=5)
    assert task_of(system, job_id).granted == 10
    command(system, job_id, JobCommand.PAUSE)
    assert task_of(system, job_id).granted == 0


def test_a_job_finishes_with_its_last_contact_and_frees_everything(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=5)
    job_id = system.start(system.campaign("few", [system.contact_list("few", 4)]))
    assert database.write_now(loading.load_targets, RULES, job_id, NOON)
    claims = attempt(system, plan_of(system, task_of(system, job_id).id), 10)
    end(system, claims[:3])
    assert system.job(job_id).state is JobState.RUNNING
    end(system, claims[3:])
    job, task = system.job(job_id), task_of(system, job_id)
    assert (job.state, job.end_reason, job.targets_done) == (JobState.FINISHED, "no contact left to try", 4)
    assert (task.quota, task.granted, task.in_use) == (0, 0, 0)


class Both:
    """One pool twice: in the pure replay, and on the database through services."""

    def __init__(self, system: Campaigning, chance: random.Random) -> None:
        self.system = system
        self.pure = ReplayedPool(Options())
        self.chance = chance
        self.seconds = 0
        self.claims: dict[str, list[Claim]] = defaultdict(list)
        self.plans: dict[str, TaskPlan] = {}
        self.states: dict[str, JobState] = {}
        self.made = 0
        self._checked = float("-inf")

    @property
    def now(self) -> dt.datetime:
        return NOON + dt.timedelta(seconds=self.seconds)

    def step(self) -> None:
        """Let some time pass, let something happen, and compare."""
        running = [task for task, state in self.states.items() if state is JobState.RUNNING]
        paused = [task for task, state in self.states.items() if state is JobState.PAUSED]
        choices = ["until", "supply"] + ["start"] * (self.made < 5)
        choices += ["attempt", "attempt", "attempt", "set", "pause", "stop"] * bool(running)
        choices += ["resume", "resume"] * bool(paused) + ["end", "end"] * any(self.claims.values())
        self.advance(self.chance.choice((0, 1, 7, 30, 45, 61)))
        match self.chance.choice(choices):
            case "until":
                self.replayed(Elapsed())
            case "supply":
                present = self.pure.counts[PORTS]
                count = self.chance.choice([each for each in range(1, 26) if each != present])
                self.system.license(self.now, outbound_ports=count)
                self.replayed(PoolSet({PORTS: count}))
            case "start":
                self.start()
            case "attempt":
                self.attempt(self.chance.choice(running))
            case "set":
                self.set(self.chance.choice(running))
            case "end":
                self.end(self.chance.choice([task for task, claims in self.claims.items() if claims]))
            case "resume":
                self.move(self.chance.choice(paused), JobCommand.RESUME)
            case "pause" | "stop" as verb:
                self.move(self.chance.choice(running), JobCommand(verb))
        self.settle()
        self.compare()

    def advance(self, seconds: int) -> None:
        """Let time pass in both; on the database as the monitor does, at each moment a task falls quiet."""
        until = self.seconds + seconds
        list(self.pure.advance(until))
        while True:
            states = self.system.database.read_now(licence_store.snapshot_states, self.pool_id)
            due = need.next_quiet_at(states, self._checked, RULES.idle_after)
            if due is None or due > (NOON + dt.timedelta(seconds=until)).timestamp():
                break
            self._checked = due
            self.seconds = round(due - NOON.timestamp())
            self.settle()
        self.seconds = until

    def settle(self) -> None:
        """Recalculate on the database for as long as an idle task should donate."""
        while self.system.database.write_now(licences.recalculate_if_due, RULES, self.pool_id, self.now):
            pass

    @property
    def pool_id(self) -> PoolId:
        return self.system.database.read_now(division_store.pools)[0].id

    def start(self) -> None:
        self.made += 1
        name = f"job{self.made}"
        maximum = self.chance.randint(1, 20)
        minimum, priority = self.chance.randint(0, min(5, maximum)), self.chance.randint(1, 10)
        allocation = self.chance.choice(("dynamic", "dynamic", "reserved"))
        campaign_id = self.system.campaign(
            name,
            [self.system.contact_list(name, 300)],
            minimum=minimum,
            maximum=maximum,
            priority=priority,
            allocation=allocation,
        )
        job_id = ready(self.system, campaign_id, self.now)
        command(self.system, job_id, JobCommand.START, self.now)
        # Exactly one page: the job does not know yet that there is nothing more, as replay never does.
        self.system.database.write_now(loading.load_targets, RULES, job_id, self.now, 300)
        task = task_of(self.system, job_id)
        key = str(task.id)
        self.states[key] = JobState.RUNNING
        self.plans[key] = self.system.database.read_now(_plan, task.id)
        self.replayed(Started(key, Allocation(allocation), minimum, maximum, priority))

    def attempt(self, task: str) -> None:
        calls = self.chance.randint(1, 12)
        self.claims[task] += attempt(self.system, self.plans[task], calls, self.now)
        self.replayed(Calls(task, "attempt", calls))

    def end(self, task: str) -> None:
        calls = self.chance.randint(1, len(self.claims[task]))
        ended, self.claims[task] = self.claims[task][:calls], self.claims[task][calls:]
        end(self.system, ended, self.now)
        self.replayed(Calls(task, "end", calls))

    def set(self, task: str) -> None:
        maximum = self.chance.randint(1, 20)
        limits = Limits(self.chance.randint(1, 10), self.chance.randint(0, min(5, maximum)), maximum)
        self.system.database.write_now(jobs.change_limits, RULES, int(task), None, limits, self.now, "test")
        self.replayed(LimitsSet(task, limits.priority, limits.minimum, limits.maximum))

    def move(self, task: str, what: JobCommand) -> None:
        self.states[task] = command(self.system, self.plans[task].job_id, what, self.now)
        self.replayed(Moved(task, what.value))

    def replayed(self, what: Happening) -> None:
        list(self.pure.apply(Event(self.seconds, what, Place("test", ""))))

    def compare(self) -> None:
        """Compare quota, grant and use of every task, and the cached use with the open attempts."""
        found = self.system.database.read_now(job_store.tasks, None, pool_id=self.pool_id)
        stored = {str(task.id): (task.quota, task.granted, task.in_use) for task in found}
        pure = {task: (state.quota, state.granted, state.in_use) for task, state in self.pure.states.items()}
        assert stored == pure
        open_attempts = self.system.database.read_now(licence_store.units_in_use)
        assert {TaskId(int(task)): units for task, (_, _, units) in pure.items() if units} == open_attempts


def _plan(tx: Tx, task_id: int) -> TaskPlan:
    """Return the plan of a task whatever its standing, by admitting it for the length of this transaction."""
    tasks = schema.tasks
    tx.execute(tasks.update().where(tasks.c.id == task_id).values(standing=Standing.ADMITTED.value))
    _, found = plans.admitted_plans(tx, frozenset())
    return next(plan for plan in found if plan.task_id == task_id)


@pytest.mark.parametrize("number", [*range(8), 42])
def test_services_do_exactly_what_the_replay_does(database: Database, number: int) -> None:
    system = campaigning(database)
    system.license(outbound_ports=15)
    both = Both(system, random.Random(number))
    both.replayed(PoolSet({PORTS: 15}))
    for _ in range(45):
        both.step()
    records = database.read_now(
        lambda tx: tx.execute(select(func.count(schema.recalculations.c.id))).scalar()
    )
    assert records is not None
    assert records > 10
