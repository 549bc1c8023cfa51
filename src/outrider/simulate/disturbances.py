"""What goes wrong in fault simulations, and what agents and supervisors do meanwhile: drawn from a seed.

`faults.FaultRun` lets them happen. Every one is a function of the run, and draws what it needs from its seed.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from outrider.agents import commands
from outrider.agents.leg import LegPurpose
from outrider.channels.model import CallEvent
from outrider.channels.simulated.faults import Faults
from outrider.errors import OutriderError
from outrider.licences.model import LicenceKind
from outrider.simulate import sharing

if TYPE_CHECKING:
    from outrider.simulate.faults import FaultRun
    from outrider.simulate.link import Link

Act = Callable[[], object]
Disturb = Callable[["FaultRun"], None]

FEWEST, MOST = 10, 24
COMMANDS: tuple[Callable[[], commands.Command], ...] = (
    commands.Hold,
    commands.Unhold,
    commands.EndCall,
    commands.CancelConsult,
    commands.CompleteTransfer,
    commands.StartConference,
    commands.EndConference,
    commands.ExtendWrapUp,
    commands.Redial,
    commands.NotReady,
    commands.Ready,
    commands.DropNailUp,
    commands.NailUpPhone,
    commands.SkipPreview,
    commands.Detach,
    lambda: commands.SendDigits("12#"),
    lambda: commands.ConsultCall("sip:helper@simulated"),
    lambda: commands.ConsultCall("sip:helper@simulated"),
    lambda: commands.WrapUp("done", then_not_ready="pause"),
    lambda: commands.LogOut("leaves"),
    lambda: commands.LogOut("leaves at once", force=True),
)


def draw_all(drawn: random.Random, length: float) -> list[tuple[float, Disturb]]:
    """Return what happens when, in seconds since the start."""
    found = [
        (drawn.uniform(0.5, length), drawn.choice(DISTURBANCES)) for _ in range(drawn.randint(FEWEST, MOST))
    ]
    found += [(drawn.uniform(1.0, length), an_agent_asks) for _ in range(drawn.randint(5, 25))]
    return sorted(found, key=lambda each: each[0])


def mend(run: "FaultRun") -> None:
    """Let all media servers be well again."""
    for link in run.world.links.values():
        link.latency, link.spoil = 0.0, None
        link.carrier.inject(Faults())
    run.world.servers_answer()


def dies(run: "FaultRun") -> None:
    """The process dies between two events."""
    run.kill()


def dies_soon(run: "FaultRun") -> None:
    """The process dies around one of the next transactions or commands."""
    run.kill_at = run.drawn.randint(1, 30)


def answers_are_lost(run: "FaultRun") -> None:
    """Results are committed, but the process does not hear of it and repeats them."""
    run.unanswered = run.drawn.randint(1, 3)


def news_goes_wrong(run: "FaultRun") -> None:
    """For a while news of calls is lost, repeated, or late and so out of order."""
    link = _a_link(run)
    lose, repeat, late = (run.drawn.choice((0.0, 0.1, 0.3)) for _ in range(3))
    run.note(f"server {link.name} loses {lose:g}, repeats {repeat:g}, delays {late:g} of its news")

    def spoil(event: CallEvent) -> list[float]:
        chance = run.drawn.random()
        if chance >= lose + repeat + late:
            return [0.0]
        run.audit.tainted.add(event.call_id)
        if chance < lose:
            return []
        wait = run.drawn.uniform(0.0, 1.5)
        return [0.0, wait] if chance < lose + repeat else [wait]

    link.spoil = spoil
    run.world.agenda.after(run.drawn.uniform(1.0, 6.0), partial(_news_is_right, run, link))


def _news_is_right(run: "FaultRun", link: "Link") -> None:
    link.spoil = None
    run.world.agenda.after(2.0, partial(run.world.doubt, link.name))


def server_is_slow(run: "FaultRun") -> None:
    """Commands and news take their time."""
    link = _a_link(run)
    link.latency = run.drawn.uniform(0.05, 1.5)
    run.note(f"server {link.name} takes {link.latency:.2f} s")
    run.world.agenda.after(run.drawn.uniform(1.0, 6.0), partial(setattr, link, "latency", 0.0))


def server_is_silent(run: "FaultRun") -> None:
    """A media server does not answer for a while."""
    link, length = _a_link(run), run.drawn.uniform(0.5, 6.0)
    run.note(f"server {link.name} is silent for {length:.2f} s")
    run.world.server_away(link.name, length)


def server_drops_calls(run: "FaultRun") -> None:
    """A media server loses all of its calls."""
    link = _a_link(run)
    run.note(f"server {link.name} drops its calls")
    link.carrier.drop_all()


def a_phone_is_lost(run: "FaultRun") -> None:
    """The call to one agent's phone, or to a person consulted, breaks off."""
    legs = [leg for leg in run.world.memory.legs.values() if leg.purpose is not LegPurpose.BRIDGE]
    if legs:
        leg = run.drawn.choice(legs)
        run.note(f"leg {leg.id[-4:]} of session {leg.session_id} breaks off")
        with suppress(OutriderError):
            run.world.links[leg.server].carrier.hang_up(leg.id)


def licences_change(run: "FaultRun") -> None:
    """Licences are cut, or come back."""
    kind = run.drawn.choice(
        (LicenceKind.OUTBOUND_PORTS, LicenceKind.PREDICTIVE_AGENTS, LicenceKind.PREVIEW_AGENTS)
    )
    count = run.drawn.randint(0, 5)
    run.note(f"{kind} are {count} from now on")
    run.world.memory.write(sharing.set_counts, {kind: count})
    run.world.after_change()


def a_job_changes(run: "FaultRun") -> None:
    """A supervisor pauses or resumes a job, or changes its limits."""
    name = run.drawn.choice(sorted(run.world.jobs))
    row, memory = run.world.jobs[name], run.world.memory
    what = run.drawn.choice(("pause", "resume", "limits"))
    run.note(f"{name}: {what}")
    if what == "pause":
        memory.write(sharing.pause_job, row)
    elif what == "resume":
        memory.write(sharing.resume_job, row)
    else:
        low = run.drawn.randint(0, 2)
        memory.write(
            sharing.set_limits, row, low, run.drawn.randint(max(1, low), 5), run.drawn.randint(1, 10)
        )
    run.world.after_change()


def the_clock_jumps(run: "FaultRun") -> None:
    """Somebody sets the clock, forwards or backwards."""
    seconds = run.drawn.choice((-3600.0, -30.0, -2.0, 2.0, 30.0, 3600.0))
    run.note(f"the clock is set by {seconds:g} s")
    run.world.set_clock(seconds)


def a_desktop_vanishes(run: "FaultRun") -> None:
    """An agent's desktop is gone for a while: it answers nothing; what is due happens by itself."""
    people = [person for person in run.world.staff.people if person.session_id is not None]
    if people:
        person = run.drawn.choice(people)
        run.note(f"the desktop of session {person.session_id} vanishes")
        run.world.staff.vanish(person, run.drawn.uniform(1.0, 10.0))


def an_agent_asks(run: "FaultRun") -> None:
    """An agent, or a supervisor for it, does something that is possible or not."""
    desk = run.world.desk
    sessions = () if desk is None else desk.floor.sessions()
    if desk is None or not sessions:
        return
    session = run.drawn.choice(sessions)
    command: commands.Command = run.drawn.choice(COMMANDS)()
    if run.drawn.random() < 0.15:  # noqa: PLR2004 - now and then
        tasks = [task for task in run.world.memory.tasks.values() if task.is_for_agents]
        command = commands.MoveTo(run.drawn.choice(tasks).plan.task_id)
    with suppress(OutriderError):
        desk.command(session.id, command)
        run.note(f"session {session.id}: {command}")


def _a_link(run: "FaultRun") -> "Link":
    return run.drawn.choice(tuple(run.world.links.values()))


DISTURBANCES: tuple[Disturb, ...] = (
    dies,
    dies_soon,
    dies_soon,
    answers_are_lost,
    news_goes_wrong,
    news_goes_wrong,
    server_is_slow,
    server_is_silent,
    server_drops_calls,
    a_phone_is_lost,
    a_phone_is_lost,
    licences_change,
    licences_change,
    a_job_changes,
    the_clock_jumps,
    a_desktop_vanishes,
)
