"""Pacing over the field's published settings: ours beside other engines' rules (`make bench`).

`figures` returns one row for each setting and size: busy % / abandoned % / abandoned % of the worst day. The
model and the rules are those of outrider.simulate; figures of other engines are those of their documented
rules, not of their products.
"""

import os
import random
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from outrider.dialing.predictive.estimates import RENEW_EVERY
from outrider.dialing.predictive.model import (
    Counts,
    FloorView,
    LineEnd,
    PacingMode,
    TalkEnd,
    count_busy,
    count_lines,
)
from outrider.dialing.predictive.pacer import Pacer
from outrider.simulate.line_model import LineModel, Measured, Policy, Setting
from outrider.simulate.pacing_policies import (
    FixedLevel,
    Omnidialer,
    OpenLoop,
    Ours,
    Progressive,
    VicidialAdaptive,
)

COLUMNS = (
    "p, H, hold; agents",
    "ours, 30 days",
    "target",
    "one line per free agent",
    "open loop, tuned",
    "lines = level x agents, tuned",
    "VICIdial's rule",
    "OMniDialer's rule",
)
NOTE = (
    "Busy % / abandoned % of live answers / abandoned % of the worst day. A line is live with probability p,"
    " and answered after 5 to 15 s, else held; H is the mean of exponential handling times. Other rules are"
    " as their makers document them, run in the same model for 3 to 12 days, not their products."
)
SETTINGS = {"S1": (1 / 3, 90.0, 17.5), "S2": (0.2, 120.0, 22.0), "S3": (0.1, 150.0, 22.0)}
SIZES = (5, 10, 20, 50, 100)
TUNED = {
    "S1": (75.1, 80.5, 85.7, 91.7, 94.8),
    "S2": (73.2, 79.8, 85.5, 90.5, 93.1),
    "S3": (72.7, 80.5, 85.6, 90.7, 93.3),
}
"""What the best published policy reached with a risk that was tuned offline for 3 %."""
DAY = 8 * 3600.0
DAYS = 30
DAYS_OF_RULES = {5: 12, 10: 6, 20: 3, 50: 3, 100: 3}
"""Days for other rules and their tuning: small floors have few answers in a day."""
LIMIT = 0.03
SMALL = 5
"""Agents with whom 5 points below the tuned column are allowed; with more, 3."""

Row = tuple[str, ...]


def setting_of(name: str, agents: int) -> Setting:
    """Return a published setting with so many agents."""
    live, handling, unanswered = SETTINGS[name]
    return Setting(agents, live, handling, unanswered)


def run(setting: Setting, policy: Policy, days: int, seed: int = 1) -> Measured:
    """Run days of 8 h; of the first one 48 minutes are not measured."""
    return LineModel(setting, policy, seed).run(days * DAY, warm_up=DAY / 10)


def shown(measured: Measured) -> str:
    """Return busy % / abandoned % / abandoned % of the worst day."""
    return (
        f"{100 * measured.occupancy:.1f} / {100 * measured.abandonment:.2f} / {100 * measured.worst_day:.1f}"
    )


def tuned_rate(setting: Setting) -> float:
    """Return the lines per second of the open loop that abandon 3 %, by bisection."""
    low, high = 0.0, 1.2 * setting.agents / (setting.handling * setting.live)
    for _ in range(9):
        middle = (low + high) / 2
        kept = run(setting, OpenLoop(middle), DAYS_OF_RULES[setting.agents], 5).abandonment <= LIMIT
        low, high = (middle, high) if kept else (low, middle)
    return low


def tuned_level(setting: Setting) -> float:
    """Return the highest level that abandons at most 3 %: whole lines, by bisection."""
    low, high = setting.agents, 4 * setting.agents
    while high - low > 1:
        middle = (low + high) // 2
        rule = FixedLevel(middle / setting.agents)
        kept = run(setting, rule, DAYS_OF_RULES[setting.agents], 5).abandonment <= LIMIT
        low, high = (middle, high) if kept else (low, middle)
    return low / setting.agents


def cell(name: str, agents: int) -> Row:
    """Return the row of one setting and size."""
    setting = setting_of(name, agents)
    tuned = TUNED[name][SIZES.index(agents)]
    days = DAYS_OF_RULES[agents]
    live, handling, unanswered = SETTINGS[name]
    row = (
        f"{live:.2g}, {handling:g} s, {unanswered:g} s; {agents}",
        shown(run(setting, Ours(), DAYS)),
        f">= {tuned - (5 if agents <= SMALL else 3):.1f} / <= 3.00",
        shown(run(setting, Progressive(), days)),
        shown(run(setting, OpenLoop(tuned_rate(setting)), days)),
        shown(run(setting, FixedLevel(tuned_level(setting)), days)),
        shown(run(setting, VicidialAdaptive(), days)),
        shown(run(setting, Omnidialer(), days)),
    )
    sys.stderr.write(" | ".join(row) + "\n")
    return row


def busy_pacer() -> tuple[Pacer, list[float], list[float]]:
    """Return a pacer that knows a campaign, ages of 1,000 lines and elapsed times of 470 busy agents."""
    draw = random.Random(1)
    pacer = Pacer(PacingMode.PREDICTIVE)
    pacer.begin_day(1, {0: Counts(10_000, 280)})
    for number in range(5_000):
        live = draw.random() < SETTINGS["S2"][0]
        pacer.observe(LineEnd(live, draw.uniform(5, 15) if live else 22.0, number / 10))
        if live:
            pacer.observe(TalkEnd(draw.expovariate(1 / 120)))
    return pacer, [draw.uniform(0, 22) for _ in range(1_000)], [draw.expovariate(1 / 120) for _ in range(470)]


def decision_times() -> tuple[float, float]:
    """Return the median of a decision, its view included, and of one that makes its tables anew: ms."""
    pacer, ages, elapsed = busy_pacer()
    usual: list[float] = []
    renewing: list[float] = []
    for number in range(2_000):
        anew = number % 2 == 1
        for _ in range(RENEW_EVERY if anew else 0):
            pacer.observe(TalkEnd(elapsed[number % len(elapsed)]))
        begin = time.perf_counter()
        pacer.decide(FloorView(500.0, 30, count_busy(elapsed), count_lines(ages)))
        (renewing if anew else usual).append(time.perf_counter() - begin)
    return 1_000 * statistics.median(usual), 1_000 * statistics.median(renewing)


def figures() -> list[Row]:
    """Return the decision's time and the table: 15 cells."""
    usual, renewing = decision_times()
    blank = ("",) * (len(COLUMNS) - 3)
    decision = (
        "a decision, 500 agents and 1,000 lines",
        f"{usual:.2f} ms; {renewing:.2f} with tables",
        "<= 1 ms",
    )
    cells = [(name, agents) for agents in SIZES for name in SETTINGS]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as processes:
        rows = list(processes.map(cell, *zip(*cells, strict=True)))
    return [(*decision, *blank), *rows]
