"""What must hold at every step of a fault simulation, whatever went wrong (licensing.md 2 and 6).

`faults` asks `Audit.check` after every step; `Audit` also watches results, prompts and the carriers' ledgers.
The first thing that is broken raises BrokenInvariantError.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import EndCause, Prompt
from outrider.channels.simulated.ledger import CallRecord
from outrider.dialing.attempt import Claim
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.simulate import sharing
from outrider.simulate.link import Link
from outrider.simulate.rows import AttemptRow
from outrider.simulate.watching import Watcher
from outrider.simulate.world import World

CAUSES = {
    Outcome.BUSY: EndCause.BUSY,
    Outcome.NO_ANSWER: EndCause.NO_ANSWER,
    Outcome.CONGESTION: EndCause.CONGESTION,
}
"""Outcomes of calls that nobody took, and how the carrier's books must say they ended."""


CUSTOMER = "+1"
"""How the numbers of contacts begin; agents and people who are consulted have SIP addresses."""

STRAY_FOR = 3_000_000
"""Microseconds for which a call that is being ended may be up without a row."""


class BrokenInvariantError(Exception):
    """Something that must always hold does not."""


class Page:
    """The books of one carrier (a Ledger)."""

    def __init__(self, books: "Books", server: str) -> None:
        self._books = books
        self._up = books.up.setdefault(server, {})

    def made(self, record: CallRecord) -> None:
        """Note that a call was accepted."""
        self._books.calls[record.call_id] = self._up[record.call_id] = record

    def refused(self, call_id: AttemptId, _address: str, _at: dt.datetime, reason: str) -> None:
        """Note that a call was refused; nobody may ask for one twice."""
        if reason == "duplicate id":
            self._books.wrong = f"attempt {call_id} was dialed twice"

    def over(self, record: CallRecord) -> None:
        """Note that a call is over; its record is in the books already."""
        self._up.pop(record.call_id, None)


class Books:
    """The carriers' own books: every call that was made, by its id."""

    def __init__(self) -> None:
        self.calls: dict[AttemptId, CallRecord] = {}
        self.up: dict[str, dict[AttemptId, CallRecord]] = {}
        """Calls that are up, by media server."""
        self.wrong: str = ""


class Audit(Watcher):
    """Checks one world. `books` are those of all its carriers."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.tainted: set[AttemptId] = set()
        """Attempts of which news was lost, repeated or late, or whose process died: their truth is weaker."""
        self.closed: dict[AttemptId, Outcome] = {}
        self.checks = 0
        self._played: set[AttemptId] = set()
        self._excess: dict[tuple[LicenceKind, ...], int] = {}
        self._in_use: dict[tuple[LicenceKind, ...], int] = {}
        self._counts: dict[LicenceKind, int] = {}
        self._quotas: dict[int, int] = {}
        self._strays: dict[AttemptId, int] = {}
        self._recalculations = -1
        self.recalculations = 0

    def playing(self, claim: Claim, prompt: Prompt) -> None:  # noqa: ARG002 - which prompt does not matter
        """Note that something is said on a call."""
        self._played.add(claim.attempt_id)

    def attempt_closed(self, row: AttemptRow, outcome: Outcome, detail: str) -> None:
        """Check the outcome that an attempt has come to: one, and a true one."""
        attempt_id = row.claim.attempt_id
        if attempt_id in self.closed:
            fail(f"attempt {attempt_id} ended as {self.closed[attempt_id]}, and then as {outcome}")
        self.closed[attempt_id] = outcome
        record = self.books.calls.get(attempt_id)
        answered = record is not None and record.answered_at is not None
        strict = attempt_id not in self.tainted
        if outcome is Outcome.SKIPPED and record is not None:
            fail(f"attempt {attempt_id} was skipped, but dialed")
        if outcome in (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.MACHINE) and not answered:
            fail(f"attempt {attempt_id} ended as {outcome}, but nobody took the call")
        cause = CAUSES.get(outcome)
        if cause is not None and record is not None and record.cause is not cause:
            fail(f"attempt {attempt_id} ended as {outcome}, but the carrier says {record.cause}")
        if strict and outcome is Outcome.FAILED and answered:
            fail(f"attempt {attempt_id} failed, but somebody took the call")
        if strict and outcome is Outcome.INTERRUPTED:
            fail(f"attempt {attempt_id} was interrupted by nothing: {detail}")
        if strict and outcome is Outcome.ABANDONED and attempt_id not in self._played and not detail:
            fail(f"attempt {attempt_id} was abandoned without its message")

    def check(self, world: World) -> None:
        """Check everything that holds at every instant."""
        self.checks += 1
        if self.books.wrong:
            fail(self.books.wrong)
        self._check_sums(world)
        self._check_pool(world)
        self._check_quotas(world)
        self._check_calls(world)
        self._check_floor(world)

    def _check_sums(self, world: World) -> None:
        """Compare every cached sum with the rows behind it."""
        memory = world.memory
        calls = Counter(row.claim.plan.task_id for row in memory.attempts.values())
        seats = Counter(row.task_id for row in memory.sessions.values())
        for task_id, task in memory.tasks.items():
            rows = seats[task_id] if task.is_for_agents else calls[task_id]
            if task.in_use != rows:
                what = "attached sessions" if task.is_for_agents else "open attempts"
                fail(f"task {task_id} has {task.in_use} units in use, but {rows} {what}")
        ports = Counter(row.claim.server for row in memory.attempts.values())
        ports.update(leg.server for leg in memory.legs.values())
        for name, server in memory.servers.items():
            if server.in_use != ports[name]:
                fail(f"server {name} has {server.in_use} ports in use, but {ports[name]} attempts and legs")
            if server.ports is not None and server.in_use > server.ports:
                fail(f"server {name} has {server.in_use} of {server.ports} ports in use")
        targets = Counter(row.target.id for row in memory.attempts.values())
        twice = [number for number, count in targets.items() if count > 1]
        if twice:
            fail(f"contact {twice[0]} has {targets[twice[0]]} open attempts")

    def _check_pool(self, world: World) -> None:
        """Check invariant 1: the pool is never overdrawn, unless it was cut; then nothing new starts."""
        memory = world.memory
        groups = [
            ((LicenceKind.OUTBOUND_PORTS,), memory.counts.get(LicenceKind.OUTBOUND_PORTS, 0)),
            *sharing.nested_limits(memory),
        ]
        cut = memory.counts != self._counts
        for kinds, size in groups:
            tasks = [task for task in memory.tasks.values() if task.kind in kinds]
            in_use = sum(task.in_use for task in tasks)
            excess = sum(max(task.granted, task.in_use) for task in tasks) - size
            if excess > 0 and not cut and excess > max(0, self._excess.get(kinds, 0)):
                fail(f"{'+'.join(kinds)}: {excess} units more are charged than the {size} that there are")
            if excess > 0 and self._excess.get(kinds, 0) > 0 and in_use > self._in_use[kinds]:
                fail(f"{'+'.join(kinds)}: a unit was taken while {excess} too many had not drained")
            self._excess[kinds], self._in_use[kinds] = excess, in_use
        self._counts = dict(memory.counts)

    def _check_quotas(self, world: World) -> None:
        """Check invariants 2, 4 and 8."""
        for task_id, task in world.memory.tasks.items():
            numbers = (task.quota, task.granted, task.in_use)
            if any(type(number) is not int or number < 0 for number in numbers):
                fail(f"task {task_id}: {numbers} are not all whole numbers from 0 on")
            if task.quota > task.maximum:
                fail(f"task {task_id} has a quota of {task.quota}, above its maximum of {task.maximum}")
            if self._recalculations == self.recalculations and not task.is_for_agents:
                before = self._quotas.get(task_id, task.quota)
                if task.quota < before:
                    fail(f"task {task_id} lost units from {before} to {task.quota} without a recalculation")
            self._quotas[task_id] = task.quota
        self._recalculations = self.recalculations

    def _check_calls(self, world: World) -> None:
        """Look at the media servers themselves: who hears whom, and whose calls they are."""
        busy: set[str] = set()
        for name, link in world.links.items():
            wrong = link.carrier.rooms.wrong()
            if wrong:
                fail(f"server {name}: {wrong[0]}")
            for call_id, record in self.books.up.get(name, {}).items():
                if record.address.startswith(CUSTOMER):
                    if record.address in busy:
                        fail(f"{record.address} is being called twice at a time")
                    busy.add(record.address)
                if call_id in world.memory.attempts or call_id in world.memory.legs:
                    self._strays.pop(call_id, None)
                elif self._is_lost(world, call_id, link):
                    fail(f"server {name}: call {call_id} is up, and has neither attempt nor leg")

    def _is_lost(self, world: World, call_id: AttemptId, link: Link) -> bool:
        """Say whether a call has been up for a while though nobody knows of it, and the server answers."""
        settled = (
            world.recovery is not None and world.recovery.is_done and not link.carrier.faults.unreachable
        )
        if not settled:
            self._strays.pop(call_id, None)
            return False
        since = self._strays.setdefault(call_id, world.agenda.us)
        return world.agenda.us - since > STRAY_FOR

    def _check_floor(self, world: World) -> None:
        """Check that no two agents have one contact in hand, and that seats of the floor are the rows'."""
        if world.desk is None:
            return
        engaged = Counter(
            session.engagement.attempt_id
            for session in world.desk.floor.sessions()
            if session.engagement is not None
        )
        if any(count > 1 for count in engaged.values()):
            fail(f"contact of attempt {engaged.most_common(1)[0][0]} is in the hands of two agents")

    def check_end(self, world: World) -> None:
        """Check that nothing is left over when all is done."""
        memory = world.memory
        left: list[tuple[str, Iterable[object]]] = [
            ("attempts are open", memory.attempts),
            ("legs are charged", memory.legs),
            ("sessions are open", memory.sessions),
            ("calls are up", [call for calls in self.books.up.values() for call in calls]),
            ("units are in use", [task.plan.task_id for task in memory.tasks.values() if task.in_use]),
            ("ports are in use", [name for name, server in memory.servers.items() if server.in_use]),
        ]
        for what, things in left:
            found = list(things)
            if found:
                fail(f"at the end {len(found)} {what}: {found[:3]}")
        for attempt_id, record in self.books.calls.items():
            if record.address.startswith(CUSTOMER) and attempt_id not in self.closed:
                fail(f"attempt {attempt_id} was dialed, and has no outcome")


def fail(what: str) -> None:
    """Raise BrokenInvariantError."""
    raise BrokenInvariantError(what)
