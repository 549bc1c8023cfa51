"""Speed of the simulator: a working day of 100 predictive agents, and fault simulations.

`make bench` calls `figures`; run it alone with `python tests/bench/simulate_bench.py`. Times are of the
processor, on one core.
"""

import sys
import time

from outrider.simulate import packaged
from outrider.simulate.faults import run_seed
from outrider.simulate.running import run

SEEDS = 100

Figure = tuple[str, str, str]


def figures() -> list[Figure]:
    """Return (what, value, target)."""
    scenario = packaged.load("s2", {"N": 100})
    began = time.process_time()
    result = run(scenario)
    day = time.process_time() - began
    began = time.process_time()
    for seed in range(SEEDS):
        run_seed(seed)
    each = (time.process_time() - began) / SEEDS
    job = result.jobs[0]
    return [
        ("8 hours of 100 agents (S2), one core", f"{day:.1f} s", "30 s or less"),
        ("... attempts in it, per second of processor time", f"{job.attempts / day:,.0f}/s", ""),
        (
            "... busy share and abandonment",
            f"{job.busy:.1%}, {job.abandonment:.2%}",
            "90.1 %, 3.00 % or less",
        ),
        ("one fault simulation, all invariants at every step", f"{1000 * each:.0f} ms", "60 ms"),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>14}   {target}\n")
