"""Small crowded scenarios for fault simulations, drawn from a seed: few licences and ports, short calls.

`faults` plays them. Everything is there at once: jobs without agents, all four modes, several media servers.
"""

import datetime as dt
import random

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import (
    Action,
    AgentMode,
    AgentSettings,
    CallSettings,
    Channel,
    Prompt,
    RetryRule,
    Strategy,
    Then,
    Window,
)
from outrider.channels.simulated.behaviour import Span
from outrider.licences.model import Allocation, LicenceKind, Policy
from outrider.simulate.scenario import Duration, MediaServer, People, Scenario, Shape, SimulatedJob, Team

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
ABANDONED = "Nobody is free to talk to you now. Sorry."
ALWAYS = (Window(0, 24 * 60),)
MODES = tuple(AgentMode)
RETRIES = {
    outcome: RetryRule(count=2, delays=(3.0, 8.0), then=Then.DONE)
    for outcome in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.ABANDONED, Outcome.FAILED)
}


def draw_scenario(seed: int, length: float) -> Scenario:
    """Return the scenario of a seed, `length` seconds long."""
    drawn = random.Random(f"scenario|{seed}")  # noqa: S311 - not for secrets
    names = ("a", "b") if drawn.random() < 0.5 else ("a",)  # noqa: PLR2004 - half of them
    jobs = [_job(drawn, 1, None)]
    modes = drawn.sample(MODES, drawn.choice((1, 2, 2, 3)))
    jobs += [_job(drawn, number, mode) for number, mode in enumerate(modes, 2)]
    return Scenario(
        name=f"faults {seed}",
        start=START,
        length=length,
        seed=seed,
        licences={
            LicenceKind.OUTBOUND_PORTS: drawn.randint(1, 5),
            LicenceKind.PREDICTIVE_AGENTS: drawn.randint(1, 4),
            LicenceKind.PREVIEW_AGENTS: drawn.randint(0, 2),
            LicenceKind.MANUAL_AGENTS: drawn.randint(0, 2),
        },
        jobs=tuple(jobs),
        policy=drawn.choice(tuple(Policy)),
        idle_after=6.0,
        minimum_hold=drawn.choice((0.0, 0.0, 4.0)),
        decide_every=0.2,
        teams=tuple(_team(drawn, number) for number in range(1, drawn.randint(2, 3))),
        servers=tuple(MediaServer(name, ports=drawn.randint(5, 14)) for name in names),
    )


def _job(drawn: random.Random, number: int, mode: AgentMode | None) -> SimulatedJob:
    minimum = drawn.choice((0, 0, 1, 1, 2))
    reserved = mode is None and drawn.random() < 0.25  # noqa: PLR2004 - a quarter
    agents = None
    if mode is not None:
        agents = AgentSettings(
            mode,
            skills={"english": 3} if drawn.random() < 0.3 else {},  # noqa: PLR2004 - some
            preview_time=drawn.choice((None, 3.0)),
            auto_dial=drawn.random() < 0.5,  # noqa: PLR2004 - half of them
            wrap_up=drawn.choice((2.0, 6.0)),
            wrap_up_extension=2.0,
            default_code="done",
            abandoned=Prompt(text=ABANDONED),
        )
    action = Action(
        name="call",
        channel=Channel.CALL,
        addresses=("phone",),
        call=CallSettings(Prompt(text="Hello. Your parcel is there."), ring_timeout=6.0),
        minimum=minimum,
        maximum=drawn.randint(max(1, minimum), 5),
        priority=drawn.randint(1, 10),
        allocation=Allocation.RESERVED if reserved else Allocation.DYNAMIC,
        pacing=drawn.choice((None, None, 2.0)),
        retry=RETRIES,
        windows=ALWAYS,
        agents=agents,
    )
    return SimulatedJob(
        name=f"job {number}",
        strategy=Strategy(f"job {number}", (action,)),
        contacts=drawn.choice((6, 40, 200)),
        people=People(
            answers=drawn.choice((0.3, 0.6, 0.9)),
            machines=0.05,
            busy=0.05,
            setup=Span(0.1, 0.5),
            ring=Span(0.5, 4.0),
            machine_ring=Span(1.0, 4.0),
            talk=drawn.choice((2.0, 6.0)),
        ),
        starts_at=drawn.choice((0.0, 0.0, 5.0)),
    )


def _team(drawn: random.Random, number: int) -> Team:
    return Team(
        name=f"team {number}",
        count=drawn.randint(1, 3),
        skills={"english": drawn.randint(1, 10)} if drawn.random() < 0.8 else {},  # noqa: PLR2004 - most
        wrap_up=Duration(drawn.choice((0.0, 1.5, 4.0)), Shape.EXPONENTIAL),
        preview=Duration(1.5, Shape.EXPONENTIAL),
    )
