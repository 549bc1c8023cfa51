"""Who was with whom: audits of talks and of agents' own changes of state find what must never be."""

import datetime as dt

from outrider.demo.collecting_agents import doubled_agents, shared_contacts, staffing
from outrider.demo.store import Change, Talk

NOON = dt.datetime(2026, 7, 14, 12, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=seconds)


def talk(attempt: str, contact: int, agent: int, begin: float, end: float | None) -> Talk:
    return Talk(attempt, contact, agent, at(begin), None if end is None else at(end), "sale")


def test_a_contact_with_two_agents_is_found_in_talks_and_in_states() -> None:
    one = talk("a", 7, 1, 0, 10)
    assert shared_contacts([one, talk("b", 8, 2, 0, 10)], [Change(1, 1, at(0), "talking", "a")]) == 0
    assert shared_contacts([one, talk("b", 7, 2, 20, 30)], []) == 1
    assert shared_contacts([one], [Change(2, 2, at(5), "talking", "a")]) == 1


def test_an_agent_with_two_contacts_at_once_is_found() -> None:
    assert doubled_agents([talk("a", 7, 1, 0, 10), talk("b", 8, 2, 5, 9), talk("c", 9, 1, 10, 20)]) == 0
    assert doubled_agents([talk("a", 7, 1, 0, 10), talk("b", 8, 1, 9, 20)]) == 1
    assert doubled_agents([talk("a", 7, 1, 0, None), talk("b", 8, 1, 9, 20)]) == 1


def test_agents_are_busy_from_the_talk_to_the_end_of_the_wrap_up() -> None:
    states = [
        Change(1, 1, at(0), "not_ready", None),
        Change(1, 1, at(1), "ready", None),
        Change(1, 1, at(2), "talking", "a"),
        Change(1, 1, at(3), "wrap_up", "a"),
        Change(1, 1, at(4), "ready", None),
        Change(2, 2, at(2.5), "ready", None),
        Change(1, 1, at(5), "logged_out", None),
    ]
    found = [(each.granted, each.in_use) for each in staffing(states)]
    assert found == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 1), (2, 0), (1, 0)]
