"""Speech servers over each database: configuration, split, units of calls, workers that take at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from outrider.db.database import Database
from outrider.errors import ConflictError, InvalidInputError, LicenceShortageError, NotFoundError
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import Engine, Plan
from support.campaigning import NOON
from support.speech import ASR, TTS, Speaking, plan, speaking


@pytest.fixture
def system(database: Database) -> Speaking:
    """Give a system with 3 recognition and 2 output connections licensed, and no speech server."""
    made = speaking(database)
    made.license(asr=3, tts=2)
    return made


def test_a_server_cannot_be_configured_without_licences_for_it(system: Speaking) -> None:
    system.license(asr=0, tts=2)
    with pytest.raises(LicenceShortageError, match="no ASR connection is licensed"):
        system.server("ears", ASR, 5)
    system.server("mouth", TTS, 5)
    assert system.shares() == {"mouth": (2, 2, 0)}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (plan("", ASR), "name: must have"),
        (Plan(name="x", kind=LicenceKind.SMS, engine=Engine.HTTP, maximum=1), "kind: must be asr or tts"),
        (Plan(name="x", kind=ASR, engine=Engine.ESPEAK, maximum=1), "engine: espeak does no asr"),
        (plan("x", ASR, maximum=0), "maximum: must be from 1"),
        (plan("x", ASR, weight=0), "weight: must be from 1"),
    ],
)
def test_what_cannot_be_configured_is_named(system: Speaking, wrong: Plan, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        system.database.write_now(service.add, wrong, NOON, "test")


def test_names_are_used_once_and_kinds_stay(system: Speaking) -> None:
    first = system.server("one", ASR, 5)
    with pytest.raises(ConflictError, match="already"):
        system.server("one", TTS, 5)
    with pytest.raises(InvalidInputError, match="keeps its kind"):
        system.database.write_now(service.change, first, plan("one", TTS), NOON, "test")
    with pytest.raises(NotFoundError):
        system.database.read_now(service.server, first + 1)


def test_connections_are_split_by_weight_and_maximum(system: Speaking) -> None:
    system.license(asr=12, tts=2)
    system.server("small", ASR, 2, weight=5)
    system.server("light", ASR, 100)
    system.server("heavy", ASR, 100, weight=4)
    assert system.shares() == {"small": (2, 2, 0), "light": (2, 2, 0), "heavy": (8, 8, 0)}


def test_a_call_takes_one_unit_of_a_kind_and_the_next_is_refused_when_none_is_free(system: Speaking) -> None:
    system.server("ears", ASR, 10)
    system.server("mouth", TTS, 10)
    calls = system.calls(4)
    assert [system.take(call, ASR) for call in calls] == [True, True, True, False]
    assert system.take(calls[0], ASR), "it has one already"
    assert [system.take(call, TTS) for call in calls[:3]] == [True, True, False]
    assert system.shares() == {"ears": (3, 3, 3), "mouth": (2, 2, 2)}
    held = system.database.read_now(service.held, calls)
    assert held == {calls[0]: {ASR, TTS}, calls[1]: {ASR, TTS}, calls[2]: {ASR}}
    system.give(calls[0], TTS)
    system.give(calls[0], TTS)
    assert system.take(calls[3], TTS)
    assert system.shares()["mouth"] == (2, 2, 2)


def test_the_end_of_a_call_frees_what_it_has_and_it_takes_nothing_any_more(system: Speaking) -> None:
    system.server("ears", ASR, 10)
    system.server("mouth", TTS, 10)
    first, second = system.calls(2)
    assert system.take(first, ASR)
    assert system.take(first, TTS)
    system.end(first)
    assert system.shares() == {"ears": (3, 3, 0), "mouth": (2, 2, 0)}
    assert not system.take(first, ASR)
    assert not system.take(AttemptId("nobody"), ASR)
    assert system.take(second, ASR)
    assert system.database.read_now(service.drifts) == []


def test_a_licence_cut_while_calls_use_it_cuts_no_call_and_starts_none(system: Speaking) -> None:
    system.server("a", ASR, 10)
    system.server("b", ASR, 10)
    calls = system.calls(5)
    assert [system.take(call, ASR) for call in calls[:3]] == [True] * 3
    system.license(asr=1, tts=2)
    assert sum(in_use for _, _, in_use in system.shares().values()) == 3
    for call in calls[:2]:
        assert not system.take(calls[3], ASR)
        system.give(call, ASR)
    assert not system.take(calls[3], ASR), "one is in use still, and only one is licensed"
    system.end(calls[2])
    assert system.take(calls[3], ASR)
    assert not system.take(calls[4], ASR)
    system.license(asr=4, tts=2)
    assert system.take(calls[4], ASR)


def test_a_server_in_use_is_switched_off_before_it_is_removed(system: Speaking) -> None:
    first = system.server("a", ASR, 10)
    (call,) = system.calls(1)
    assert system.take(call, ASR)
    with pytest.raises(ConflictError, match="1 calls use"):
        system.database.write_now(service.remove, first, NOON, "test")
    system.database.write_now(service.change, first, plan("a", ASR, enabled=False), NOON, "test")
    system.server("b", ASR, 10)
    assert system.shares() == {"a": (0, 0, 1), "b": (3, 2, 0)}
    system.end(call)
    assert system.shares() == {"a": (0, 0, 0), "b": (3, 3, 0)}
    system.database.write_now(service.remove, first, NOON, "test")
    assert system.shares() == {"b": (3, 3, 0)}


def test_use_is_counted_by_job_and_refusals_by_server(system: Speaking) -> None:
    system.server("ears", ASR, 10)
    system.server("mouth", TTS, 10)
    one, two = system.calls(2), system.calls(1)
    for call in (*one, *two):
        assert system.take(call, ASR)
    assert system.take(two[0], TTS)
    system.database.write_now(service.refuse, TTS)
    used = system.database.read_now(service.use_by_job)
    assert [(row["kind"], row["units"]) for row in used] == [("asr", 2), ("asr", 1), ("tts", 1)]
    assert len({row["job_id"] for row in used}) == 2
    servers = {each.name: each.refused for each in system.database.read_now(service.servers)}
    assert servers == {"ears": 0, "mouth": 1}


def test_workers_that_take_at_once_never_have_more_than_is_granted(
    database_url: str, system: Speaking
) -> None:
    system.license(asr=8, tts=2)
    for name, weight in (("a", 1), ("b", 2), ("c", 5)):
        system.server(name, ASR, 10, weight)
    calls = system.calls(30)
    together = Barrier(3)

    def worker(mine: list[AttemptId]) -> int:
        """Take for each call, and give every second one back; return how often more than 8 were up."""
        database = Database(database_url, connections=2)
        try:
            together.wait()
            return sum(use(database, call, give=number % 2 == 0) for number, call in enumerate(mine))
        finally:
            database.close()

    def use(database: Database, call: AttemptId, *, give: bool) -> int:
        taken = database.write_now(service.take, call, ASR, NOON)
        up = sum(each.in_use for each in database.read_now(service.servers))
        if taken and give:
            database.write_now(service.give, call, ASR)
        return int(up > 8)

    with ThreadPoolExecutor(3) as threads:
        over = list(threads.map(worker, [calls[start::3] for start in range(3)]))
    assert over == [0, 0, 0]
    assert system.database.read_now(service.drifts) == []
    shares = system.shares().values()
    assert all(in_use <= granted <= quota for quota, granted, in_use in shares)
    assert sum(in_use for _, _, in_use in shares) == 8, "all units are used while calls want them"


def test_one_call_that_asks_twice_at_once_has_one_unit(database_url: str, system: Speaking) -> None:
    system.server("ears", ASR, 10)
    (call,) = system.calls(1)
    together = Barrier(2)

    def ask(_: int) -> bool:
        database = Database(database_url, connections=2)
        try:
            together.wait()
            return database.write_now(service.take, call, ASR, NOON)
        finally:
            database.close()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, range(2))) == [True, True]
    assert system.shares() == {"ears": (3, 3, 1)}


def test_the_last_unit_goes_to_one_worker_while_the_licence_is_cut(
    database_url: str, system: Speaking
) -> None:
    system.license(asr=6, tts=2)
    system.server("a", ASR, 10)
    system.server("b", ASR, 10)
    calls = system.calls(8)
    together = Barrier(3)

    def ask(mine: list[AttemptId]) -> list[bool]:
        database = Database(database_url, connections=2)
        try:
            together.wait()
            return [database.write_now(service.take, call, ASR, NOON) for call in mine]
        finally:
            database.close()

    def cut(_: list[AttemptId]) -> list[bool]:
        together.wait()
        system.license(asr=2, tts=2)
        return []

    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(ask, calls[:4]), threads.submit(ask, calls[4:]), threads.submit(cut, [])]
        taken = sum(sum(job.result()) for job in jobs)
    shares = system.shares().values()
    assert taken == sum(in_use for _, _, in_use in shares) <= 6
    assert sum(max(granted, in_use) for _, granted, in_use in shares) <= max(2, taken)
    assert system.database.read_now(service.drifts) == []
    system.end(*calls)
    assert sum(granted for _, granted, _ in system.shares().values()) == 2
