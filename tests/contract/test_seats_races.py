"""Seats while everybody does everything at once: no unit is taken twice, and none is lost."""

import random
import threading
from collections import Counter

from outrider.agents import seats, sessions
from outrider.agents import store as agents_store
from outrider.agents.model import SessionId
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, NotFoundError
from support.campaigning import RULES
from support.seating import Seating

THREADS, ROUNDS = 5, 12


def test_seats_and_api_licences_are_never_passed_when_all_act_at_once(database: Database) -> None:
    place = Seating(database, predictive_agents=3, preview_agents=2, agent_web_api=6)
    place.job("a")
    place.job("b", "preview")
    for number in range(10):
        place.hire(f"agent{number}")
    start = threading.Barrier(THREADS)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(ROUNDS):
                act(place, random.Random(f"{number} {turn}"))
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check(place)
    place.deal()
    check(place)


def act(place: Seating, chance: random.Random) -> None:
    """Do one thing that agents, supervisors or the floor may do."""
    rows = place.rows()
    name = f"agent{chance.randrange(10)}"
    what = chance.choice(["in", "in", "deal", "deal", "out", "move", "save", "detach"])
    try:
        if what == "in":
            place.database.write_now(log_in, place, name)
        elif what == "deal":
            place.database.write_now(seats.rebalance, RULES, place.pool, place.now)
        elif rows:
            session = SessionId(chance.choice(rows)["id"])
            if what == "out":
                place.database.write_now(sessions.close_session, RULES, session, place.now, "went home")
            elif what == "move":
                task = place.tasks[chance.choice("ab")]
                place.database.write_now(seats.move, RULES, session, task, place.now)
            elif what == "detach":
                place.database.write_now(seats.detach, RULES, session, place.now, "test")
            else:
                kept = place.database.read_now(sessions.open_sessions)
                place.database.write_now(sessions.save_sessions, [each.session for each in kept], [])
    except (ConflictError, NotFoundError):
        # Licences that are used up, sessions that are over: those are answers, too.
        return


def log_in(tx: Tx, place: Seating, name: str) -> None:
    """Log an agent in, ready at once."""
    (agent,) = agents_store.agents(tx, None, agent_id=place.agents[name])
    kept = sessions.open_session(tx, agent, place.now, api=True)
    place.write_state(tx, kept.session.id, "ready")


def check(place: Seating) -> None:
    """Compare the sums with the sessions."""
    rows = place.rows()
    assert sum(row["api"] for row in rows) <= 6
    assert max(Counter(row["agent_id"] for row in rows).values(), default=0) <= 1
    seated = Counter(row["task_id"] for row in rows if row["task_id"] is not None)
    one, two = place.task("a"), place.task("b")
    assert (one["in_use"], two["in_use"]) == (seated[one["id"]], seated[two["id"]])
    assert max(one["granted"], one["in_use"]) <= 3
    assert max(one["granted"], one["in_use"]) + max(two["granted"], two["in_use"]) <= 5
    assert place.drifts() == []
