"""Media servers over each database: registry, split, placement, failure, and workers that place at once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.db.sealed import Sealer
from outrider.errors import ConflictError, InvalidInputError, NotFoundError, StoreError
from outrider.ids import ZoneId
from outrider.licences import division
from outrider.licences.model import LicenceKind
from outrider.media import placing, service, sharing, store
from outrider.media.model import Health, MediaServerId, Placed, Report, SeenAs, Standing
from outrider.supply import service as supply
from support.composed import RULES, composed
from support.media import (
    SEALER,
    SECRET,
    WORKER,
    add,
    add_worker,
    connected,
    load_ports,
    make_system,
    plan,
    shares,
    tell,
)

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
CONNECTED, CONNECTING, GONE = SeenAs.CONNECTED, SeenAs.CONNECTING, SeenAs.GONE


@pytest.fixture
def zone(database: Database) -> ZoneId:
    """Give the default zone of a system with 30 telephony ports."""
    return make_system(database, NOW, 30)


def place(database: Database, zone: ZoneId, wanted: int, now: dt.datetime = NOW) -> Placed:
    placed = database.write_now(placing.place, zone, wanted, now)
    assert placed is not None
    return placed


def count(placed: Placed) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in placed.placements:
        found[each.server] = found.get(each.server, 0) + 1
    return found


def test_without_any_media_server_nothing_is_placed(database: Database, zone: ZoneId) -> None:
    assert database.write_now(placing.place, zone, 5, NOW) is None
    assert not database.read_now(sharing.is_stale)


def test_a_new_server_has_ports_once_it_is_connected(database: Database, zone: ZoneId) -> None:
    first = add(database, NOW, "north")
    assert shares(database) == {"north": (0, 0, 0)}
    assert place(database, zone, 5).bound == "server"
    assert not tell(database, NOW, first, CONNECTING)
    assert shares(database) == {"north": (0, 0, 0)}
    assert tell(database, NOW, first, CONNECTED)
    assert shares(database) == {"north": (30, 30, 0)}
    placed = place(database, zone, 40)
    assert (len(placed.placements), placed.bound) == (30, "ports")
    assert placed.placements[0].server_id == first
    assert shares(database) == {"north": (30, 30, 30)}


def test_ports_are_split_by_weight_and_maximum(database: Database, zone: ZoneId) -> None:
    for name, weight, maximum in (("a", 1, 100), ("b", 2, 100), ("c", 3, 6)):
        connected(database, NOW, name, weight=weight, maximum_ports=maximum)
    assert {name: quota for name, (quota, _, _) in shares(database).items()} == {"a": 8, "b": 16, "c": 6}
    assert count(place(database, zone, 15)) == {"a": 4, "b": 8, "c": 3}


def test_a_failed_servers_ports_are_free_only_when_its_calls_are_over(
    database: Database, zone: ZoneId
) -> None:
    first, second = connected(database, NOW, "a"), connected(database, NOW, "b")
    assert count(place(database, zone, 20)) == {"a": 10, "b": 10}
    assert tell(database, NOW, first, GONE)
    assert shares(database) == {"a": (0, 0, 10), "b": (30, 20, 10)}
    assert count(place(database, zone, 30)) == {"b": 10}
    assert database.write_now(placing.release, {first: 4})
    assert shares(database) == {"a": (0, 0, 6), "b": (30, 24, 20)}
    tell(database, NOW, first, CONNECTED)
    assert shares(database) == {"a": (15, 10, 6), "b": (15, 15, 20)}
    assert count(place(database, zone, 30)) == {"a": 4}
    database.write_now(placing.release, {first: 1, second: 7})
    assert shares(database) == {"a": (15, 15, 9), "b": (15, 15, 13)}


def test_draining_starts_nothing_and_cuts_nothing(database: Database, zone: ZoneId) -> None:
    first, _ = connected(database, NOW, "a"), connected(database, NOW, "b")
    place(database, zone, 10)
    drained = database.write_now(service.drain, first, NOW, "test", draining=True)
    assert drained.standing is Standing.DRAINING
    assert shares(database) == {"a": (0, 0, 5), "b": (30, 25, 5)}
    back = database.write_now(service.drain, first, NOW, "test", draining=False)
    assert back.standing is Standing.IN_SERVICE
    assert shares(database) == {"a": (15, 15, 5), "b": (15, 15, 5)}


def test_ports_follow_the_licence(database: Database, zone: ZoneId) -> None:
    connected(database, NOW, "a")
    place(database, zone, 25)
    database.write_now(load_ports, NOW, 20)
    assert database.read_now(sharing.is_stale)
    assert database.write_now(sharing.watch, NOW)
    assert not database.read_now(sharing.is_stale)
    assert shares(database) == {"a": (20, 20, 25)}
    database.write_now(load_ports, NOW, 40)
    database.write_now(sharing.watch, NOW)
    assert shares(database) == {"a": (40, 40, 25)}


def test_zones_have_ports_of_their_own(database: Database, zone: ZoneId) -> None:
    other = ZoneId(database.write_now(division.add_zone, "South", NOW, "test"))

    def divide(tx: Tx) -> None:
        division.lock(tx)
        counts = supply.current(tx).counts
        division.set_counts(
            tx, RULES, counts, NOW, "South", None, {LicenceKind.TELEPHONY_PORTS: 12}, actor="test"
        )

    database.write_now(divide)
    north, south = connected(database, NOW, "a"), connected(database, NOW, "b", zone="South")
    assert {name: quota for name, (quota, _, _) in shares(database).items()} == {"a": 18, "b": 12}
    assert count(place(database, other, 50)) == {"b": 12}
    with pytest.raises(ConflictError, match="drain it"):
        database.write_now(service.change, SEALER, south, {"zone": "default"}, NOW, "test")
    database.write_now(service.change, SEALER, north, {"zone": "South"}, NOW, "test")
    assert shares(database) == {"a": (6, 0, 0), "b": (6, 6, 12)}
    assert place(database, zone, 1).bound == "server"


def test_servers_of_a_deleted_zone_move_to_the_default_zone(database: Database, zone: ZoneId) -> None:
    other = ZoneId(database.write_now(division.add_zone, "South", NOW, "test"))
    server = connected(database, NOW, "b", zone="South")
    connected(database, NOW, "a")

    def delete_zone(tx: Tx) -> None:
        division.lock(tx)
        division.remove_zone(tx, RULES, supply.current(tx).counts, "South", NOW, "test")

    database.write_now(delete_zone)
    assert database.read_now(sharing.is_stale)
    database.write_now(sharing.watch, NOW)
    assert database.read_now(service.server, server).zone_id == zone
    assert {name: quota for name, (quota, _, _) in shares(database).items()} == {"a": 15, "b": 15}
    database.write_now(lambda tx: tx.execute(delete(schema.zones).where(schema.zones.c.id == other)).close())
    assert len(shares(database)) == 2


def test_the_rate_of_originations_is_kept_by_all_together(database: Database, zone: ZoneId) -> None:
    connected(database, NOW, "a", originations_per_second=40.0)
    first = place(database, zone, 10)
    assert (len(first.placements), first.bound) == (4, "rate")
    assert first.again_at is not None
    assert place(database, zone, 10).placements == ()
    assert len(place(database, zone, 10, first.again_at).placements) == 2


def test_a_worker_places_nothing_where_it_is_not_connected(database: Database, zone: ZoneId) -> None:
    first, second = connected(database, NOW, "a"), connected(database, NOW, "b")
    placed = database.write_now(placing.place, zone, 6, NOW, without={first})
    assert placed is not None
    assert count(placed) == {"b": 6}
    assert database.write_now(placing.place, zone, 6, NOW, without={first, second}) == Placed((), "server")


def test_unplaced_ports_are_free_again(database: Database, zone: ZoneId) -> None:
    connected(database, NOW, "a")

    def both(tx: Tx) -> None:
        placed = placing.place(tx, zone, 10, NOW)
        assert placed is not None
        placing.unplace(tx, placed.placements[3:])

    database.write_now(both)
    assert shares(database) == {"a": (30, 30, 3)}


@pytest.mark.usefixtures("zone")
def test_reports_of_the_dead_do_not_count(database: Database) -> None:
    server = connected(database, NOW, "a")
    database.write_now(add_worker, "worker-2", NOW)
    tell(database, NOW, server, CONNECTED, "worker-2")
    assert not tell(database, NOW, server, GONE)
    assert shares(database) == {"a": (30, 30, 0)}
    assert not tell(database, NOW, server, GONE, "nobody")
    late = NOW + dt.timedelta(minutes=2)

    def renew(tx: Tx) -> None:
        column = schema.workers.c
        tx.execute(update(schema.workers).where(column.id == WORKER).values(lease_until=late))

    database.write_now(renew)
    assert not database.read_now(sharing.is_stale, NOW)
    assert database.read_now(sharing.is_stale, late)
    database.write_now(sharing.watch, late, late)
    assert shares(database) == {"a": (0, 0, 0)}
    found = database.read_now(service.server, server)
    assert (found.health, found.message, found.health_at) == (Health.FAILED, "port closed", late)
    database.write_now(
        lambda tx: tx.execute(delete(schema.workers).where(schema.workers.c.id == "worker-2")).close()
    )
    assert not database.read_now(sharing.is_stale, late)


@pytest.mark.usefixtures("zone")
def test_secrets_are_sealed_and_open_for_workers_only(database: Database) -> None:
    server = add(database, NOW, "a")
    stored = database.read_now(lambda tx: tx.execute(select(schema.media_servers.c.secret)).scalar_one())
    assert SECRET not in stored
    (found,) = database.read_now(service.connections, SEALER)
    assert (found.secret, found.name, found.revision, found.wanted) == (SECRET, "a", 1, True)
    with pytest.raises(StoreError, match="a: the secret of the media server cannot be opened"):
        database.read_now(service.connections, Sealer(b"x" * 32))
    database.write_now(service.change, SEALER, server, {"secret": "", "weight": 2}, NOW, "test")
    assert database.read_now(service.connection, SEALER, server).revision == 1
    database.write_now(service.change, SEALER, server, {"secret": "another"}, NOW, "test")
    assert database.read_now(service.connection, SEALER, server).secret == "another"
    logged = database.read_now(lambda tx: str(tx.execute(select(schema.events.c.data)).scalars().all()))
    assert "another" not in logged


def test_another_address_is_another_server(database: Database, zone: ZoneId) -> None:
    server = connected(database, NOW, "a")
    place(database, zone, 3)
    changed = database.write_now(service.change, SEALER, server, {"url": "http://else:8088"}, NOW, "test")
    assert (changed.health, changed.quota, changed.revision) == (Health.NEW, 0, 2)
    with pytest.raises(ConflictError, match="before you rename it"):
        database.write_now(service.change, SEALER, server, {"name": "b"}, NOW, "test")
    tell(database, NOW, server, CONNECTED)
    assert shares(database) == {"a": (30, 30, 3)}


def test_a_server_that_was_switched_off_must_connect_anew(database: Database, zone: ZoneId) -> None:
    server = connected(database, NOW, "a")
    place(database, zone, 3)
    off = database.write_now(service.change, SEALER, server, {"enabled": False}, NOW, "test")
    assert (off.standing, off.quota, off.in_use) == (Standing.DISABLED, 0, 3)
    assert [each.wanted for each in database.read_now(service.connections, SEALER)] == [False]
    on = database.write_now(service.change, SEALER, server, {"enabled": True}, NOW, "test")
    assert (on.standing, on.quota, on.revision) == (Standing.NEW, 0, 3)
    tell(database, NOW, server, CONNECTED)
    assert shares(database) == {"a": (30, 30, 3)}


def test_a_removed_server_is_listed_until_its_calls_are_over(database: Database, zone: ZoneId) -> None:
    server, _ = connected(database, NOW, "a"), connected(database, NOW, "b")
    place(database, zone, 4)
    database.write_now(service.remove, server, NOW, "test")
    assert shares(database) == {"a": (0, 0, 2), "b": (30, 28, 2)}
    assert [each.wanted for each in database.read_now(service.connections, SEALER)] == [False, True]
    with pytest.raises(ConflictError, match="removed already"):
        database.write_now(service.drain, server, NOW, "test", draining=True)
    with pytest.raises(ConflictError, match="still up on the removed"):
        add(database, NOW, "a")
    assert database.write_now(placing.release, {server: 2})
    connected(database, NOW, "a", maximum_ports=1)
    assert shares(database) == {"a": (1, 1, 0), "b": (29, 29, 2)}
    with pytest.raises(NotFoundError):
        database.read_now(service.server, server)


@pytest.mark.usefixtures("zone")
def test_mistakes_are_told(database: Database) -> None:
    server = add(database, NOW, "a")
    with pytest.raises(ConflictError, match="named 'a' already"):
        database.write_now(service.add, SEALER, plan("a"), NOW, "test")
    with pytest.raises(InvalidInputError, match="no zone 'West'; there are: default"):
        database.write_now(service.add, SEALER, plan("b", zone="West"), NOW, "test")
    with pytest.raises(InvalidInputError, match="weight"):
        database.write_now(service.change, SEALER, server, {"weight": 0}, NOW, "test")
    with pytest.raises(NotFoundError, match="there are: a"):
        database.read_now(service.server_named, "c")
    with pytest.raises(NotFoundError, match="no media server 99"):
        database.write_now(service.remove, 99, NOW, "test")


def test_drifts_are_found(database: Database, zone: ZoneId) -> None:
    server = connected(database, NOW, "a")
    assert database.read_now(sharing.drifts) == []
    place(database, zone, 2)
    assert database.read_now(sharing.drifts) == [f"media server {server} (a): ports in use is 2, should be 0"]

    def overdraw(tx: Tx) -> None:
        tx.execute(update(schema.media_servers).values(granted=99, in_use=0))

    database.write_now(overdraw)
    assert database.read_now(sharing.drifts) == [
        f"zone {zone}: 99 ports are granted to its media servers, it has 30"
    ]


def test_workers_that_place_and_release_at_once_never_pass_a_grant(database: Database, zone: ZoneId) -> None:
    """Eight threads place and give back while servers fail and return: at every look all is inside."""
    ids = [connected(database, NOW, name, maximum_ports=12) for name in ("a", "b", "c")]

    def work(number: int) -> int:
        up: list[int] = []
        most = 0
        for turn in range(12):
            placed = place(database, zone, 1 + (number + turn) % 7)
            up += [int(each.server_id) for each in placed.placements]
            held = database.read_now(_held, zone)
            assert held <= 30
            most = max(most, held)
            if turn % 4 == number % 4:
                tell(database, NOW, ids[number % 3], GONE if turn % 8 < 4 else CONNECTED)
            over, up = up[: len(up) // 2], up[len(up) // 2 :]
            database.write_now(placing.release, {server: over.count(server) for server in set(over)})
        database.write_now(placing.release, {server: up.count(server) for server in set(up)})
        return most

    with ThreadPoolExecutor(8) as threads:
        assert max(threads.map(work, range(8))) > 15
    for server in ids:
        tell(database, NOW, server, CONNECTED)
    assert shares(database) == {"a": (10, 10, 0), "b": (10, 10, 0), "c": (10, 10, 0)}
    assert database.read_now(sharing.drifts) == []


def _held(tx: Tx, zone: ZoneId) -> int:
    rows: list[Any] = [row for row in store.all_shares(tx) if row["zone_id"] == zone]
    return sum(max(row["granted"], row["in_use"]) for row in rows)


@pytest.mark.usefixtures("zone")
def test_reports_of_unknown_servers_are_ignored(database: Database) -> None:
    report = Report(MediaServerId(77), CONNECTED)
    assert not database.write_now(sharing.report, WORKER, [report], NOW)
    assert database.read_now(lambda tx: tx.execute(select(schema.media_reports)).all()) == []


def test_open_attempts_are_the_truth_of_ports_in_use(database: Database, tmp_path: Path) -> None:
    with composed(database, tmp_path) as system:
        server = add(database, NOW, "a")
        row = {
            "task_id": system.acme.task_id,
            "target_id": 1,
            "contact_id": 1,
            "number": 1,
            "address": "+4930123456",
            "claimed_at": NOW,
        }
        rows = [{**row, "id": f"{number}", "server_id": server} for number in range(3)]

        def call(tx: Tx) -> None:
            tx.execute(insert(schema.attempts), [*rows, {**row, "id": "x", "server_id": 99}])
            attempts = schema.attempts.c
            tx.execute(update(schema.attempts).where(attempts.id == "0").values(ended_at=NOW))
            tx.execute(update(schema.media_servers).values(in_use=3))

        database.write_now(call)
        assert database.read_now(sharing.drifts) == [
            f"media server {server} (a): ports in use is 3, should be 2",
            "1 open calls name the media server 99, which there is not",
        ]
