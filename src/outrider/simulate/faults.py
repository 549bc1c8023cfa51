"""Fault simulations: a seed is a small system and all that goes wrong in it, the same whenever it runs.

`run_seed` plays one and checks every invariant at every step (`audit`); the suite runs thousands, and
`outrider simulate --fault-seed` one again. The process can die around every transaction and every command.
"""

import random
from dataclasses import dataclass

from outrider.agents.commands import LogOut
from outrider.errors import OutriderError, StoreError
from outrider.licences.recalculate import Recalculated
from outrider.simulate import disturbances, sharing
from outrider.simulate.agenda import SECOND
from outrider.simulate.audit import Audit, Books, BrokenInvariantError, Page, fail
from outrider.simulate.audit_sharing import check_recalculation
from outrider.simulate.fault_scenarios import draw_scenario
from outrider.simulate.world import World

DISTURBED = 30.0
"""Seconds in which things go wrong; then they are let come to their end."""
CALM = 240.0
"""Seconds in which all must be over after that."""


MOST_STEPS = 20_000
"""Steps of a seed that comes to no rest."""


class KilledError(BaseException):
    """The process died here (SIGKILL): nothing may catch it but the simulation."""


@dataclass(frozen=True, slots=True)
class Played:
    """One seed that was played: steps, invariants checked at each, attempts closed, crashes."""

    seed: int
    steps: int
    attempts: int
    crashes: int
    recalculations: int
    trace: tuple[str, ...]


class FaultRun:
    """One seed on its way."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.drawn = random.Random(f"faults|{seed}")  # noqa: S311 - not for secrets
        self.books = Books()
        self.audit = Audit(self.books)
        scenario = draw_scenario(seed, DISTURBED)
        self.world = World(scenario, self.audit, lambda name: Page(self.books, name))
        self.trace: list[str] = []
        """What went wrong when, in words: printed when an invariant breaks."""
        self.crashes = 0
        self.kill_at: int | None = None
        """So many gates more, and the process dies."""
        self.unanswered = 0
        """So many commits of results more are not answered."""
        self.is_calm = False
        memory = self.world.memory
        memory.gate = self._gate
        memory.on_closed = self.audit.attempt_closed
        memory.on_recalculated = self._recalculated
        for link in self.world.links.values():
            link.gate = self._gate

    def play(self) -> Played:
        """Run to the end. BrokenInvariantError names the seed, the step and what went wrong before."""
        steps = 0
        try:
            self._guarded(self.world.begin)
            for at, disturb in disturbances.draw_all(self.drawn, DISTURBED):
                self.world.agenda.after(at, lambda disturb=disturb: disturb(self))  # type: ignore[misc]
            steps = self._steps_until(DISTURBED)
            self._calm_down()
            steps += self._steps_until(DISTURBED + CALM)
            self.audit.check_end(self.world)
        except (BrokenInvariantError, AssertionError, OutriderError, LookupError, ValueError) as error:
            raise BrokenInvariantError(self._told(steps, error)) from error
        return Played(
            self.seed,
            steps,
            len(self.audit.closed),
            self.crashes,
            self.audit.recalculations,
            tuple(self.trace),
        )

    def note(self, what: str) -> None:
        """Keep what goes wrong now for the one who reads of a broken invariant."""
        self.trace.append(f"{self.world.agenda.us / SECOND:.3f} s: {what}")

    def taint(self) -> None:
        """Note that the truth of everything under way is weaker from now on."""
        self.audit.tainted.update(self.world.memory.attempts)

    def kill(self) -> None:
        """Let the process die now, and another one come after a while."""
        if self.world.worker is None:
            return
        self.crashes += 1
        self.kill_at = None
        self.taint()
        self.note("the process dies")
        self.world.kill_worker()
        self.world.agenda.after(self.drawn.choice((0.0, 0.2, 2.0)), self._come_up)

    def _come_up(self) -> None:
        if self.world.worker is None:
            self.note("another process comes up")
            self.world.start_worker()

    def _steps_until(self, seconds: float) -> int:
        agenda, steps, until = self.world.agenda, 0, round(seconds * SECOND)
        while not agenda.is_empty and agenda.next_us <= until:
            self._guarded(agenda.step)
            self.audit.check(self.world)
            steps += 1
            if steps > MOST_STEPS:
                fail(f"there is no rest: {steps} steps were made")
            if self.is_calm and self._is_over():
                break
        return steps

    def _guarded(self, do: "disturbances.Act") -> None:
        try:
            do()
        except KilledError:
            self.kill()

    def _gate(self, name: str, after: bool) -> None:  # noqa: FBT001 - the protocol's
        """Die here when it is time; or leave a commit of results unanswered."""
        if self.world.worker is None:
            return
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at <= 0:
                self.note(f"dies {'after' if after else 'before'} {name}")
                raise KilledError
        if after and name == "record" and self.unanswered:
            self.unanswered -= 1
            self.note("results were committed, but the answer is lost")
            raise StoreError("the answer of the database was lost")

    def _recalculated(self, done: Recalculated) -> None:
        self.audit.recalculations += 1
        check_recalculation(done, self.drawn)

    def _calm_down(self) -> None:
        """Let nothing go wrong any more, and everybody go home."""
        self.kill_at, self.unanswered = None, 0
        world = self.world
        disturbances.mend(self)
        if world.worker is None:
            self._come_up()
        self.is_calm = True
        for person in world.staff.people:
            person.works = False
        for row in world.jobs.values():
            if row.state == "waiting":
                row.state = "stopped"
            world.memory.write(sharing.stop_job, row)
        world.after_change()
        self._send_home()

    def _send_home(self) -> None:
        """Ask everybody to go, again and again: some are in the middle of something."""
        desk = self.world.desk
        if desk is not None:
            self.world.doubt_all()
            for session in desk.floor.sessions():
                force = self.world.agenda.us > (DISTURBED + CALM / 3) * SECOND
                desk.command(session.id, LogOut("the end", force=force))
        self.world.agenda.after(5.0, self._send_home)

    def _is_over(self) -> bool:
        memory = self.world.memory
        return not (memory.attempts or memory.legs or memory.sessions or any(self.books.up.values()))

    def _told(self, steps: int, error: BaseException) -> str:
        lines = "\n  ".join(self.trace[-30:])
        return (
            f"fault seed {self.seed}, step {steps}, {self.world.agenda.us / SECOND:.3f} s:"
            f" {type(error).__name__}: {error}\n  {lines}\n"
            f"play it again: outrider simulate --fault-seed {self.seed}"
        )


def run_seed(seed: int) -> Played:
    """Play one seed. BrokenInvariantError when something does not hold."""
    return FaultRun(seed).play()
