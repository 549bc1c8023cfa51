"""Ports of agents' legs over each database: charged once, never more than there are, given back once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from outrider.agents import legs
from outrider.agents.leg import Leg, LegPurpose, LegRefused
from outrider.agents.model import LegId, SessionId
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.ids import PoolId, new_attempt_ids
from outrider.licences import division_store
from outrider.media import service, sharing, unplaced
from support import media
from support.agent_sessions import log_in

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
AGENT, CONSULT, BRIDGE = LegPurpose.AGENT, LegPurpose.CONSULT, LegPurpose.BRIDGE


class Floor:
    """A zone with ports, and a session whose legs a test takes and releases."""

    def __init__(self, database: Database, ports: int, **servers: int) -> None:
        self.database = database
        self.zone = media.make_system(database, NOW, ports)
        self.servers = {
            name: media.connected(database, NOW, name, maximum_ports=maximum)
            for name, maximum in servers.items()
        }
        self.pool = PoolId(database.read_now(division_store.pools)[0].id)
        self.session = self.log_in("ada")

    def log_in(self, name: str) -> SessionId:
        return log_in(self.database, self.pool, name, NOW)[1]

    def take(
        self,
        purpose: LegPurpose = AGENT,
        *,
        session: SessionId | None = None,
        leg: LegId | None = None,
        prefer: str | None = None,
        only: str | None = None,
    ) -> Leg | LegRefused:
        return self.database.write_now(
            legs.take,
            leg or new_attempt_ids(NOW, 1)[0],
            session or self.session,
            purpose,
            self.zone,
            "worker-1",
            NOW,
            address="" if purpose is BRIDGE else "sip:ada@example.org",
            prefer_server=None if prefer is None else self.servers[prefer],
            only_server=None if only is None else self.servers[only],
        )

    def taken(
        self, purpose: LegPurpose = AGENT, *, prefer: str | None = None, only: str | None = None
    ) -> Leg:
        leg = self.take(purpose, prefer=prefer, only=only)
        assert isinstance(leg, Leg), leg
        return leg

    def release(self, *given: Leg) -> int:
        return self.database.write_now(legs.release, [leg.id for leg in given])

    def in_use(self) -> dict[str, int]:
        return {name: used for name, (_, _, used) in media.shares(self.database).items()}

    def is_sound(self) -> bool:
        return self.database.read_now(sharing.drifts) == []


def count_legs(tx: Tx) -> int:
    return tx.execute(select(func.count()).select_from(schema.agent_legs)).scalar_one()


def test_a_leg_has_a_port_from_its_call_to_its_end(database: Database) -> None:
    floor = Floor(database, 10, one=10)
    leg = floor.taken()
    assert (leg.server, leg.server_id, leg.purpose) == ("one", floor.servers["one"], AGENT)
    assert floor.in_use() == {"one": 1}
    assert floor.is_sound()
    assert database.read_now(legs.of_owners, ["worker-1"]) == [leg]
    assert database.read_now(legs.of_sessions, [floor.session]) == [leg]
    assert [floor.release(leg), floor.release(leg)] == [1, 0]
    assert floor.in_use() == {"one": 0}
    assert floor.is_sound()


def test_a_leg_that_is_taken_twice_is_charged_once(database: Database) -> None:
    floor = Floor(database, 10, one=10)
    leg = floor.taken()
    assert floor.take(leg=leg.id) == leg
    assert floor.in_use() == {"one": 1}


def test_phones_of_a_pool_gather_on_one_server(database: Database) -> None:
    floor = Floor(database, 20, one=10, two=10)
    assert floor.taken(prefer="two").server == "two"
    assert [floor.taken().server for _ in range(9)] == ["two"] * 9
    # It is full: the next goes where there is room rather than nowhere.
    assert floor.taken().server == "one"
    assert floor.in_use() == {"one": 1, "two": 10}
    assert floor.is_sound()


def test_what_is_joined_to_a_leg_is_on_its_server_or_nowhere(database: Database) -> None:
    floor = Floor(database, 4, one=2, two=2)
    assert floor.taken(BRIDGE, only="one").server == "one"
    assert floor.taken(CONSULT, only="one").server == "one"
    for purpose in (BRIDGE, CONSULT, AGENT):
        refused = floor.take(purpose, only="one")
        assert refused == LegRefused("no port is free on its media server")
    assert floor.in_use() == {"one": 2, "two": 0}
    assert floor.is_sound()


@pytest.mark.parametrize("servers", [{"one": 4}, {"one": 4, "two": 4}])
def test_calls_on_a_server_that_drains_are_joined_while_the_zone_has_a_port(
    database: Database, servers: dict[str, int]
) -> None:
    floor = Floor(database, 4, **servers)
    for _ in range(3):
        floor.taken(prefer="one")
    up = floor.in_use()["one"]
    database.write_now(service.drain, floor.servers["one"], NOW, "test", draining=True)
    assert isinstance(floor.take(AGENT, only="one"), LegRefused)
    bridge = floor.taken(BRIDGE, only="one")
    assert sum(floor.in_use().values()) == 4
    assert isinstance(floor.take(BRIDGE, only="one"), LegRefused)
    assert floor.is_sound()
    floor.release(bridge)
    assert floor.in_use()["one"] == up
    assert floor.is_sound()


def test_legs_are_not_held_back_by_the_rate_but_calls_wait_for_them(database: Database) -> None:
    floor = Floor(database, 10)
    media.connected(database, NOW, "one", maximum_ports=10, originations_per_second=1.0)
    assert [floor.taken().server for _ in range(3)] == ["one"] * 3

    def mark(tx: Tx) -> dt.datetime | None:
        until: dt.datetime | None = tx.execute(select(schema.media_servers.c.paced_until)).scalar_one()
        return until

    assert database.read_now(mark) == NOW + dt.timedelta(seconds=2)


def test_without_media_servers_legs_share_the_telephony_ports_of_the_zone(database: Database) -> None:
    floor = Floor(database, 3)
    taken = [floor.taken() for _ in range(3)]
    assert {leg.server_id for leg in taken} == {None}
    assert floor.take() == LegRefused(legs.NO_PORT)
    assert floor.release(*taken[:1]) == 1
    assert floor.taken(BRIDGE).server == ""
    assert floor.take(BRIDGE) == LegRefused(legs.NO_PORT)
    assert floor.is_sound()


def test_ports_of_a_zone_without_servers_follow_the_licence(database: Database) -> None:
    floor = Floor(database, 3)
    assert database.write_now(unplaced.free_ports, floor.zone) == 3
    database.write_now(media.load_ports, NOW, 1)
    assert database.read_now(sharing.is_stale)
    database.write_now(sharing.watch, NOW)
    assert not database.read_now(sharing.is_stale)
    assert isinstance(floor.take(), Leg)
    assert isinstance(floor.take(), LegRefused)


@pytest.mark.parametrize("servers", [{}, {"one": 5}])
def test_legs_taken_at_once_never_pass_the_ports(database: Database, servers: dict[str, int]) -> None:
    floor = Floor(database, 5, **servers)
    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(lambda _: floor.take(), range(20)))
    assert sum(isinstance(leg, Leg) for leg in got) == 5
    assert database.read_now(count_legs) == 5
    assert floor.is_sound()


def test_legs_of_a_dead_worker_are_taken_over(database: Database) -> None:
    floor = Floor(database, 10, one=10)
    mine, gone = floor.taken(), floor.taken()
    floor.release(gone)
    assert database.write_now(legs.adopt, [mine.id, gone.id], "worker-2") == {mine.id}
    assert database.read_now(legs.of_owners, ["worker-1"]) == []
    assert [leg.id for leg in database.read_now(legs.of_owners, ["worker-2"])] == [mine.id]


def test_a_leg_that_was_forgotten_is_a_drift(database: Database) -> None:
    floor = Floor(database, 10, one=10)
    floor.taken()
    database.write_now(lambda tx: tx.execute(schema.agent_legs.delete()))
    assert database.read_now(sharing.drifts) == [
        f"media server {floor.servers['one']} (one): ports in use is 1, should be 0"
    ]
    assert database.write_now(legs.release, []) == 0
