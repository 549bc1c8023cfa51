"""The benchmark model against closed forms: Erlang's loss formula, and one line per free agent."""

import pytest

from outrider.simulate.line_model import LineModel, Setting
from outrider.simulate.pacing_policies import OpenLoop, Progressive

DAY = 8 * 3600.0
ANSWER_SECONDS = 10.0
SETTINGS = {"S1": (1 / 3, 90.0, 17.5), "S2": (0.2, 120.0, 22.0), "S3": (0.1, 150.0, 22.0)}


def erlang_blocking(servers: int, offered: float) -> float:
    """Return the share of calls that find all servers busy (Erlang B, by its recurrence)."""
    blocking = 1.0
    for number in range(1, servers + 1):
        blocking = offered * blocking / (number + offered * blocking)
    return blocking


@pytest.mark.parametrize(
    ("agents", "offered", "published", "days"),
    [(5, 1.875, 36.4, 60), (10, 5.529, 53.6, 30), (20, 13.997, 67.9, 15), (50, 41.933, 81.3, 10)],
)
def test_dialing_that_heeds_no_agent_is_erlangs_loss_system(
    agents: int, offered: float, published: float, days: int
) -> None:
    """Erlang B at 3 %: busy share and loss, within a point."""
    live, handling = 0.2, 120.0
    blocking = erlang_blocking(agents, offered)
    assert 100 * blocking == pytest.approx(3.0, abs=0.01)
    assert 100 * offered * (1 - blocking) / agents == pytest.approx(published, abs=0.05)

    rule = OpenLoop(offered / (handling * live))
    rule.every = 1.0
    model = LineModel(Setting(agents, live, handling, 22.0, patience=0.0), rule, seed=3)
    measured = model.run(days * DAY, warm_up=DAY / 10)

    assert 100 * measured.occupancy == pytest.approx(published, abs=1.0)
    assert 100 * measured.abandonment == pytest.approx(3.0, abs=1.0)


@pytest.mark.parametrize(("agents", "days"), [(10, 6), (50, 2)])
@pytest.mark.parametrize("name", SETTINGS)
def test_one_line_for_each_free_agent_keeps_them_busy_as_the_formula_says(
    name: str, agents: int, days: int
) -> None:
    """H / (H + Ta + (1/p - 1) Tn) within a point; nobody is abandoned."""
    live, handling, unanswered = SETTINGS[name]
    rule = Progressive()
    rule.every = 0.5  # All settings hold lines for multiples of it: no line waits for the next look.
    model = LineModel(Setting(agents, live, handling, unanswered), rule, seed=2)
    measured = model.run(days * DAY, warm_up=DAY / 10)

    between = ANSWER_SECONDS + (1 / live - 1) * unanswered
    assert 100 * measured.occupancy == pytest.approx(100 * handling / (handling + between), abs=1.0)
    assert measured.abandoned == 0


def test_a_run_is_repeated_by_its_seed() -> None:
    def run(seed: int) -> tuple[int, int, float]:
        measured = LineModel(Setting(10, 0.2, 120.0, 22.0), Progressive(), seed).run(DAY / 4)
        return measured.live, measured.lines, measured.busy

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_agents_who_leave_finish_their_contacts() -> None:
    model = LineModel(Setting(20, 0.3, 120.0, 22.0), Progressive(), seed=1)
    model.run(3_600.0)
    busy = len(model.busy_since)
    model.set_agents(4)
    assert model.free == 0
    assert len(model.busy_since) == busy
    model.run(3_600.0)
    assert model.free + len(model.busy_since) == 4
