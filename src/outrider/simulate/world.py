"""A scenario at work: memory database, media servers, agents, and the worker that lives now.

`running` plays a scenario with it, fault simulations disturb it. Everything is seeded: the same scenario
always runs the same way.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from functools import partial

from outrider.campaigns.hours import ContactHours
from outrider.campaigns.strategy import MINUTES_PER_DAY
from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.faults import Faults
from outrider.channels.simulated.ledger import Ledger
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.predictive.pacer import Pacer
from outrider.ids import CampaignId, JobId, OrganizationId, PoolId, TaskId, ZoneId
from outrider.licences.model import LicenceKind
from outrider.simulate import sharing
from outrider.simulate.agenda import SECOND, Agenda, WallClock
from outrider.simulate.desk import Desk
from outrider.simulate.dialer import Dialer
from outrider.simulate.link import Link
from outrider.simulate.memory import Memory
from outrider.simulate.pacers import Pacers
from outrider.simulate.read_people import behaviour_at
from outrider.simulate.recovery import Recovery
from outrider.simulate.rows import JobRow, ServerRow, TaskRow
from outrider.simulate.scenario import (
    Change,
    Fault,
    FaultKind,
    JobChange,
    LicenceChange,
    People,
    PeopleChange,
    Scenario,
    SimulatedJob,
    TeamChange,
    Verb,
)
from outrider.simulate.staff import Staff
from outrider.simulate.watching import Watcher
from outrider.simulate.worker import Worker

LICENCE_CLOCKWORK = 1.0
"""Seconds between two looks at what is due by time, as the monitor's."""
MEDIA_CLOCKWORK = 1.0
"""Seconds between two looks at media servers that did not answer."""


class World:
    """Everything of one run. `worker` and `desk` are None while the process is dead.

    `books` gives every media server its ledger, by its name; for audits.
    """

    def __init__(
        self, scenario: Scenario, watcher: Watcher, books: Callable[[str], Ledger] | None = None
    ) -> None:
        self.scenario = scenario
        self._books = books
        self.watcher = watcher
        self.agenda = Agenda(scenario.start)
        self.wall = WallClock(self.agenda)
        self.memory = Memory(self.agenda, dict(scenario.licences), scenario.policy)
        self.memory.idle_after = scenario.idle_after
        self.memory.minimum_hold = scenario.minimum_hold
        self.memory.time_zone = scenario.time_zone
        self._zone = zoneinfo.ZoneInfo(scenario.time_zone)
        self._changed: dict[str, dict[str, object]] = {job.name: {} for job in scenario.jobs}
        self._profiles: dict[People, str] = {}
        self._note_profiles()
        self.jobs = {job.name: self._add_job(number, job) for number, job in enumerate(scenario.jobs, 1)}
        self.links = {server.name: self._link(index) for index, server in enumerate(scenario.servers)}
        campaigns = {name: int(row.id) for name, row in self.jobs.items()}
        self.staff = Staff(scenario, self.memory, self.agenda, campaigns)
        self.worker: Worker | None = None
        self.desk: Desk | None = None
        self.dialer: Dialer | None = None
        self.recovery: Recovery | None = None
        self._lives = 0
        self._pacers: dict[TaskId, Pacer] = {}
        """What was learned of tasks: kept through crashes."""
        self.agenda.on_rest = self._rest
        self._plan()

    def begin(self) -> None:
        """Start the first worker, and the jobs that are to start at once."""
        self.start_worker()

    def start_worker(self) -> None:
        """Let a process come up: it takes over what it finds."""
        self._lives += 1
        worker = Worker(
            self.memory, self.agenda, self.wall, self.links, f"worker {self._lives}", self.watcher
        )
        desk = Desk(worker, self.staff.changed)
        worker.hall = desk
        pacers = Pacers(self.memory, self._pacers)
        desk.pacers = pacers
        dialer = Dialer(desk, pacers, self.scenario.decide_every)
        desk.on_work, worker.on_written = dialer.mark, dialer.mark_all
        self.worker, self.desk, self.dialer = worker, desk, dialer
        self.recovery = Recovery(worker, desk, partial(self.staff.resume, desk))
        for link in self.links.values():
            link.connect(worker.on_event)
        worker.away = desk.phones.away = self._away()
        self.recovery.begin()
        dialer.mark_all()
        if desk.floor.sessions():
            desk.deal_soon()

    def kill_worker(self) -> None:
        """SIGKILL: everything that was not committed is gone; calls go on."""
        if self.worker is not None:
            self.worker.is_dead = True
        for link in self.links.values():
            link.disconnect()
        self.worker = self.desk = self.dialer = self.recovery = None
        self.staff.desk = None

    def run(self, until: float) -> None:
        """Let time pass until `until` (seconds since the start)."""
        self.agenda.run(round(until * SECOND))

    # What happens by plan.

    def _plan(self) -> None:
        scenario, agenda = self.scenario, self.agenda
        for job in scenario.jobs:
            if job.starts_at is not None:
                agenda.after(job.starts_at, partial(self._job_changes, JobChange(job.name, Verb.START)))
        for change in scenario.changes:
            agenda.after(change.at, partial(self._change, change))
        for fault in scenario.faults:
            agenda.after(fault.at, partial(self._fail, fault))
        if any(job.hours for job in scenario.jobs):
            for minutes in sorted(
                {edge for job in scenario.jobs for rule in job.hours for edge in _edges(rule)}
            ):
                self._daily(minutes)
        if any(task.kind is LicenceKind.OUTBOUND_PORTS for task in self.memory.tasks.values()):
            agenda.after(LICENCE_CLOCKWORK, self._licence_clockwork)

    def _rest(self) -> None:
        if self.dialer is not None:
            self.dialer.run()

    def _licence_clockwork(self) -> None:
        if self.worker is not None and self.memory.write(sharing.let_time_pass) and self.dialer is not None:
            self.dialer.mark_all()
        self.agenda.after(LICENCE_CLOCKWORK, self._licence_clockwork)

    def _change(self, change: Change) -> None:
        match change.what:
            case PeopleChange(job, values):
                self._changed[job].update(values)
                self._show_people(job)
            case TeamChange(team, present):
                self.staff.set_present(team, present)
            case LicenceChange(counts):
                self.memory.write(sharing.set_counts, counts)
            case JobChange():
                self._job_changes(change.what)
        self.after_change()

    def _job_changes(self, change: JobChange) -> None:
        row = self.jobs[change.job]
        match change.verb:
            case Verb.START if row.state == "waiting":
                self._show_people(change.job)
                self.memory.write(sharing.start_job, row)
            case Verb.PAUSE:
                self.memory.write(sharing.pause_job, row)
            case Verb.RESUME:
                self.memory.write(sharing.resume_job, row)
            case Verb.STOP:
                self.memory.write(sharing.stop_job, row)
            case Verb.LIMITS:
                self.memory.write(sharing.set_limits, row, change.minimum, change.maximum, change.priority)
            case _:
                pass
        self.after_change()

    def after_change(self) -> None:
        """Deal seats anew and look at all tasks."""
        if self.desk is not None:
            self.desk.deal_soon()
        if self.dialer is not None:
            self.dialer.mark_all()

    def _fail(self, fault: Fault) -> None:
        link = self.links[fault.server]
        match fault.kind:
            case FaultKind.SERVER_AWAY:
                self.server_away(fault.server, fault.length)
            case FaultKind.SERVER_SLOW:
                link.latency = fault.seconds
                self.agenda.after(fault.length, partial(setattr, link, "latency", 0.0))
            case FaultKind.CALLS_DROPPED:
                link.carrier.drop_all()
            case FaultKind.EVENTS_LOST:
                link.carrier.inject(Faults(lose_events=fault.count))
                self.agenda.after(5.0, partial(self.doubt, fault.server))
            case FaultKind.WORKER_CRASH:
                self.kill_worker()
                self.agenda.after(fault.length, self.start_worker)

    def server_away(self, name: str, length: float) -> None:
        """Let a media server not answer for a while."""
        self.links[name].carrier.inject(Faults(unreachable=True))
        self._tell_away()
        self.agenda.after(length, partial(self._server_back, name))

    def _server_back(self, name: str) -> None:
        self.links[name].carrier.inject(Faults())
        self._tell_away()
        self.doubt(name)
        self.after_change()

    def doubt_all(self) -> None:
        """Compare attempts and legs with what is up on every media server."""
        for name in self.links:
            self.doubt(name)

    def servers_answer(self) -> None:
        """Note that all media servers answer again."""
        self._tell_away()

    def set_clock(self, seconds: float) -> None:
        """Set the clock on the worker's wall, forwards or backwards."""
        self.wall.jump(seconds)
        self.memory.skew += seconds
        self.after_change()

    def doubt(self, name: str) -> None:
        """Compare attempts with what is up: news may have been lost."""
        if self.worker is not None and self.desk is not None:
            self.worker.clear_up(name)
            self.desk.clear_up(name)

    def _away(self) -> frozenset[str]:
        return frozenset(name for name, link in self.links.items() if link.carrier.faults.unreachable)

    def _tell_away(self) -> None:
        if self.worker is not None and self.desk is not None:
            self.worker.away = self.desk.phones.away = self._away()

    # Jobs and people.

    def _add_job(self, number: int, job: SimulatedJob) -> JobRow:
        job_id = JobId(number)
        task_of = {
            action.name: TaskId(number * 100 + index) for index, action in enumerate(job.strategy.actions)
        }
        rows = []
        for action in job.strategy.actions:
            plan = TaskPlan(
                task_of[action.name],
                job_id,
                PoolId(1),
                ZoneId(1),
                OrganizationId(1),
                CampaignId(number),
                job.strategy,
                action,
                task_of,
                needs_attributes=False,
            )
            rows.append(
                TaskRow(
                    plan,
                    action.licence or LicenceKind.OUTBOUND_PORTS,
                    ContactHours(job.strategy.hours(action)),
                    action.minimum,
                    action.maximum,
                    action.priority,
                )
            )
            self.memory.tasks[plan.task_id] = rows[-1]
        row = JobRow(job_id, job.name, job.contacts, tuple(rows))
        self.memory.jobs[job_id] = row
        return row

    def _link(self, index: int) -> Link:
        server = self.scenario.servers[index]
        profiles = {name: _profile(people) for people, name in self._profiles.items()}
        carrier = SimulatedCarrier(
            self.agenda,
            profiles,
            seed=self.scenario.seed * 1_000 + index,
            originations_per_second=server.originations_per_second,
            ledger=None if self._books is None else self._books(server.name),
        )
        self.memory.servers[server.name] = ServerRow(server.name, server.ports)
        return Link(server.name, carrier, self.agenda)

    def _note_profiles(self) -> None:
        """Name every way in which people will ever behave: carriers know them from the beginning."""
        for job in self.scenario.jobs:
            changed: dict[str, object] = {}
            steps: list[dict[str, object]] = [{}]
            for change in self.scenario.changes:
                if isinstance(change.what, PeopleChange) and change.what.job == job.name:
                    changed = {**changed, **change.what.values}
                    steps.append(changed)
            minutes = {0, *(rule.begin for rule in job.hours), *(rule.end for rule in job.hours)}
            for step in steps:
                for minute in minutes:
                    people = behaviour_at(job.people, job.hours, step, minute)
                    self._profiles.setdefault(people, f"people {len(self._profiles) + 1}")

    def _show_people(self, name: str) -> None:
        """Let the calls to come meet people as they are now."""
        job = next(each for each in self.scenario.jobs if each.name == name)
        local = self.agenda.now().astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        people = behaviour_at(job.people, job.hours, self._changed[name], minute)
        for task in self.jobs[name].tasks:
            task.profile = self._profiles[people]

    def _daily(self, minute: int) -> None:
        """Look at how people behave at a minute of every local day."""
        local = self.agenda.now().astimezone(self._zone)
        midnight = dt.datetime.combine(local.date(), dt.time(), tzinfo=self._zone)
        at = midnight + dt.timedelta(minutes=minute)
        while self.agenda.us_of(at) <= self.agenda.us:
            at += dt.timedelta(days=1)
        self.agenda.at(self.agenda.us_of(at), partial(self._daily_look, minute))

    def _daily_look(self, minute: int) -> None:
        for name in self.jobs:
            self._show_people(name)
        self._daily(minute)


def _edges(rule: object) -> tuple[int, ...]:
    begin, end = getattr(rule, "begin", 0), getattr(rule, "end", MINUTES_PER_DAY)
    return (begin % MINUTES_PER_DAY, end % MINUTES_PER_DAY)


def _profile(people: People) -> CarrierProfile:
    """Return how a carrier plays these people."""
    known = {
        FarEnd.HUMAN: people.answers,
        FarEnd.MACHINE: people.machines,
        FarEnd.BUSY: people.busy,
        FarEnd.FAILED: people.failed,
        FarEnd.CONGESTION: people.congestion,
    }
    return CarrierProfile(
        outcomes={**known, FarEnd.NO_ANSWER: max(0.0, 1.0 - sum(known.values()))},
        setup=people.setup,
        human_ring=people.ring,
        machine_ring=people.machine_ring,
        talk_mean=people.talk,
        unrecognised=people.unrecognised,
    )
