"""The licence server's service over both databases: files, leases, clients, usage, the embedded source."""

import asyncio
import datetime as dt

import pytest

from outrider.clock import VirtualClock
from outrider.db.database import Database
from outrider.errors import ConflictError, InvalidInputError, LicenceFileError, NotFoundError
from outrider.licences.model import LicenceKind
from outrider.people.passwords import digest
from outrider.supply.file import issue
from outrider.supply.server import clients, files, service
from outrider.supply.server.embedded import EmbeddedSource
from outrider.supply.server.model import (
    ALL,
    Granted,
    LeaseAnswer,
    LeaseRequest,
    RefusalReason,
    Refused,
    Terms,
)
from outrider.supply.server.usage import Usage, usage
from support.licence_servers import HOST, PRIVATE, PUBLIC, add_clients, licence, load

PORTS = LicenceKind.OUTBOUND_PORTS
NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def text_of(name: str, **changes: object) -> str:
    return issue(licence(NOW, name, **changes), PRIVATE)


def put(database: Database, text: str, now: dt.datetime = NOW, host: str = HOST) -> None:
    database.write_now(files.load_file, text, PUBLIC, host, now, "test")


def total(database: Database, now: dt.datetime = NOW, host: str = HOST) -> int:
    return database.read_now(files.authorised, host, now).total(PORTS)


def shown(database: Database, now: dt.datetime = NOW) -> Usage:
    return database.read_now(usage, HOST, now)


class Asker:
    """One platform that asks the service directly."""

    def __init__(self, database: Database, name: str, token: str) -> None:
        self.database, self.name, self.token, self.seen = database, name, token, 0

    def answer(self, now: dt.datetime, wanted: int | None = ALL, installation: str = "") -> LeaseAnswer:
        request = LeaseRequest(
            self.name, "n", {PORTS: wanted}, self.seen, installation, token_hash=digest(self.token)
        )
        (answer,) = self.database.write_now(service.answer, [request], HOST, now)
        return answer

    def ask(self, now: dt.datetime, wanted: int | None = ALL) -> int:
        answer = self.answer(now, wanted)
        assert isinstance(answer, Granted), answer
        self.seen = answer.sequence
        return sum(feature.count for feature in answer.features)


def askers(database: Database, *names: str) -> list[Asker]:
    return [Asker(database, name, token) for name, token in add_clients(database, names, NOW).items()]


def test_files_add_up_and_count_on_for_their_grace(database: Database) -> None:
    put(database, text_of("L-1", counts={"outbound_ports": 60, "email": 1}))
    put(database, text_of("L-2", counts={"outbound_ports": 10}, expires_at=NOW + DAY))
    found = database.read_now(files.authorised, HOST, NOW)
    assert found.total(PORTS) == 70
    assert found.features[PORTS].expires_at == NOW + DAY
    assert found.features[LicenceKind.EMAIL].expires_at == NOW + 365 * DAY
    assert (found.customer, found.message) == ("The tests", "")
    late = database.read_now(files.authorised, HOST, NOW + 2 * DAY)
    assert late.total(PORTS) == 70
    assert "L-2: expired on 2026-03-05; it counts until 2026-04-04" in late.message
    assert total(database, NOW + 31 * DAY) == 60
    assert total(database, host="another") == 70


def test_a_file_by_the_same_id_supersedes_but_not_an_older_issue(database: Database) -> None:
    put(database, text_of("L-1", counts={"outbound_ports": 60}))
    put(database, text_of("L-1", counts={"outbound_ports": 20}, issued_at=NOW))
    assert total(database) == 20
    with pytest.raises(LicenceFileError, match="a later one by this id is loaded") as refused:
        put(database, text_of("L-1", counts={"outbound_ports": 60}))
    assert refused.value.facts["reason"] == "older_issue"
    assert total(database) == 20


def test_files_for_other_hosts_or_damaged_ones_count_nothing(database: Database) -> None:
    with pytest.raises(LicenceFileError, match="for the host elsewhere"):
        put(database, text_of("L-1", host_id="elsewhere"))
    put(database, text_of("L-1", host_id=HOST))
    assert total(database) == 60
    moved = database.read_now(files.authorised, "another", NOW)
    assert (moved.features, moved.message) == ({}, f"L-1: issued for host {HOST}, this is another")


def test_a_removed_file_is_gone_and_may_be_loaded_again(database: Database) -> None:
    put(database, text_of("L-1"))
    database.write_now(files.remove_file, "L-1", NOW, "test")
    assert total(database) == 0
    with pytest.raises(NotFoundError, match="L-1"):
        database.write_now(files.remove_file, "L-1", NOW, "test")
    put(database, text_of("L-1"))
    assert total(database) == 60


def test_a_file_moves_to_another_host_once(database: Database) -> None:
    put(database, text_of("old", host_id=HOST))
    ends = NOW + 7 * DAY
    _, first = database.write_now(files.give_up, "old", "new-host", ends, NOW, "test")
    _, again = database.write_now(files.give_up, "old", "new-host", ends + DAY, NOW, "test")
    assert first == again
    with pytest.raises(ConflictError, match="given up for the host new-host"):
        database.write_now(files.give_up, "old", "third", ends, NOW, "test")
    assert total(database, ends - MINUTE) == 60
    assert total(database, ends) == 0
    # The very file is refused from then on, even after it was removed; one issued since is not.
    database.write_now(files.remove_file, "old", ends, "test")
    with pytest.raises(LicenceFileError, match="counts here no more") as refused:
        put(database, text_of("old", host_id=HOST), ends)
    assert refused.value.facts["reason"] == "withdrawn"
    put(database, text_of("old", host_id=HOST, issued_at=NOW + DAY), ends)
    assert total(database, ends) == 60


def test_the_new_file_withdraws_the_old_one_wherever_it_is_loaded(database: Database) -> None:
    put(database, text_of("old", host_id=HOST))
    replacement = text_of("new", host_id="new-host", issued_at=NOW, supersedes=("old",))
    put(database, replacement)
    found = database.read_now(files.authorised, HOST, NOW)
    assert found.features == {}
    assert "old: replaced by new" in found.message
    with pytest.raises(LicenceFileError, match="replaced by new"):
        put(database, text_of("old", host_id=HOST))
    # On the new host it counts, and a copy of the old one does not.
    put(database, replacement, host="new-host")
    assert total(database, host="new-host") == 60


def test_a_clock_set_back_does_not_revive_a_file(database: Database) -> None:
    put(database, text_of("L-1", expires_at=NOW + DAY))
    later = NOW + 40 * DAY
    database.write_now(service.acquire_local, HOST, later)
    assert total(database, later) == 0
    assert total(database, NOW) == 0
    answer = database.write_now(service.acquire_local, HOST, NOW)
    assert answer.features == ()
    assert answer.server_time == later
    # If the clock once ran ahead, a file that was issued since proves what time it is.
    text = issue(licence(NOW + DAY, "L-2", issued_at=NOW + MINUTE), PRIVATE)
    put(database, text, NOW + 2 * DAY)
    assert database.write_now(service.acquire_local, HOST, NOW + 2 * DAY).server_time == NOW + 2 * DAY


def test_two_platforms_share_and_units_move_only_when_acknowledged(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60})
    first, second = askers(database, "first", "second")
    assert first.ask(NOW) == 60
    assert second.ask(NOW) == 0
    assert first.ask(NOW + MINUTE) == 30
    assert second.ask(NOW + MINUTE) == 0
    assert first.ask(NOW + 2 * MINUTE) == 30
    assert second.ask(NOW + 2 * MINUTE) == 30


def test_a_lost_client_gets_its_own_lease_back(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60})
    lost, other = askers(database, "lost", "other")
    assert lost.ask(NOW, 40) == 40
    later = NOW + dt.timedelta(hours=1)
    assert lost.ask(later, 40) == 40
    leases = [held for client in shown(database, later).clients for held in client.holds]
    assert [(held.client, held.count) for held in leases] == [("lost", 40)]
    # Lost again, but now the other asks first: the units are free, and shared when the first is back.
    much_later = later + dt.timedelta(hours=1)
    assert other.ask(much_later, ALL) == 60
    assert lost.ask(much_later, 40) == 0


def test_reserved_minimums_are_kept_and_denials_are_told_apart(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 10})
    greedy, modest = askers(database, "greedy", "modest")
    database.write_now(clients.set_limit, "modest", PORTS, 4, None, NOW, "test")
    assert greedy.ask(NOW, 10) == 6
    feature = shown(database).features[0]
    assert (feature.leased, feature.reserved, feature.free) == (6, 4, 0)
    assert (feature.denials, feature.true_denials) == (1, 0)
    assert modest.ask(NOW, 4) == 4
    assert greedy.ask(NOW + MINUTE, 10) == 6
    feature = shown(database, NOW + MINUTE).features[0]
    assert (feature.denials, feature.true_denials) == (2, 1)
    assert greedy.ask(NOW + 2 * MINUTE, 10) == 6
    assert greedy.ask(NOW + 3 * MINUTE, 5) == 5
    denials = shown(database, NOW + 3 * MINUTE).denials
    assert [(d.asked, d.got, d.is_true, d.requests, d.is_open) for d in denials] == [
        (10, 6, True, 2, False),
        (10, 6, False, 1, False),
    ]


def test_limits_and_gates(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 10, "email": 1})
    (one,) = askers(database, "one")
    database.write_now(clients.set_limit, "one", PORTS, 0, 3, NOW, "test")
    assert one.ask(NOW, 10) == 3
    request = LeaseRequest("one", "n", token_hash=digest(one.token), seen=one.seen)
    (answer,) = database.write_now(service.answer, [request], HOST, NOW)
    assert isinstance(answer, Granted)
    assert {each.kind.value: each.count for each in answer.features} == {"outbound_ports": 3, "email": 1}
    local = database.write_now(service.acquire_local, HOST, NOW)
    assert {each.kind.value: each.count for each in local.features} == {"outbound_ports": 7, "email": 1}
    for minimum, maximum in ((-1, None), (5, 4), (2_000_000_000, None)):
        with pytest.raises(InvalidInputError):
            database.write_now(clients.set_limit, "one", PORTS, minimum, maximum, NOW, "test")


def test_peaks_of_7_and_30_days(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60})
    (one,) = askers(database, "one")
    for day, wanted in ((0, 50), (10, 40), (20, 30), (29, 5)):
        one.ask(NOW + day * DAY, wanted)
    feature = shown(database, NOW + 29 * DAY).features[0]
    assert (feature.leased, feature.peak_7_days, feature.peak_30_days) == (5, 5, 50)
    feature = shown(database, NOW + 35 * DAY).features[0]
    assert (feature.leased, feature.peak_7_days, feature.peak_30_days) == (0, 5, 40)


def test_who_may_ask(database: Database) -> None:
    load(database, NOW)
    (one,) = askers(database, "one")
    stranger = Asker(database, "one", "wrong")
    nobody = Asker(database, "nobody", one.token)
    local = Asker(database, "local", "")
    database.write_now(service.acquire_local, HOST, NOW)
    for asker in (stranger, nobody, local):
        refused = asker.answer(NOW)
        assert isinstance(refused, Refused)
        assert refused.reason is RefusalReason.UNKNOWN_CLIENT
    assert isinstance(one.answer(NOW, installation="a"), Granted)
    copy = one.answer(NOW + MINUTE, installation="b")
    assert isinstance(copy, Refused)
    assert copy.reason is RefusalReason.IN_USE
    assert isinstance(one.answer(NOW + 11 * MINUTE, installation="b"), Granted)
    renewed = database.write_now(clients.renew_token, "one", NOW, "test")
    assert isinstance(one.answer(NOW + 11 * MINUTE, installation="b"), Refused)
    one.token = renewed.token
    assert isinstance(one.answer(NOW + 11 * MINUTE, installation="b"), Granted)


def test_a_removed_client_keeps_its_units_until_its_lease_ends(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60})
    gone, other = askers(database, "gone", "other")
    assert gone.ask(NOW, 60) == 60
    database.write_now(clients.remove, "gone", NOW, "test")
    assert isinstance(gone.answer(NOW), Refused)
    assert other.ask(NOW, 60) == 0
    assert other.ask(NOW + 11 * MINUTE, 60) == 60
    again = database.write_now(clients.add, "gone", "", NOW, "test")
    assert again.token != gone.token
    with pytest.raises(ConflictError, match="already"):
        database.write_now(clients.add, "gone", "", NOW, "test")
    database.write_now(clients.release, "other", NOW + 11 * MINUTE, "test")
    back = Asker(database, "gone", again.token)
    assert back.ask(NOW + 11 * MINUTE, 60) == 60


def test_names_of_clients(database: Database) -> None:
    for name in ("", " x", "local", "a\nb", "x" * 81):
        with pytest.raises(InvalidInputError):
            database.write_now(clients.add, name, "", NOW, "test")
    for change in (clients.remove, clients.renew_token, clients.release):
        with pytest.raises(NotFoundError, match="there is no client"):
            database.write_now(change, "nobody", NOW, "test")


def test_the_embedded_source_leases_everything_and_takes_its_lease_up_again(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60, "asr": 3})
    clock = VirtualClock(NOW)

    async def polls() -> None:
        source = EmbeddedSource(database, clock, HOST, Terms(lease=10 * MINUTE))
        first = await source.poll()
        assert {each.kind.value: each.count for each in first.features} == {"outbound_ports": 60, "asr": 3}
        assert (first.server_id, first.lease_until - first.server_time) == ("embedded", 10 * MINUTE)
        await source.close()
        again = await EmbeddedSource(database, clock, HOST).poll()
        assert again.features == first.features
        database.write_now(files.remove_file, "L-1", NOW, "test")
        empty = await source.poll()
        assert (empty.features, empty.message) == ((), "no licence file is loaded")

    asyncio.run(polls())
    assert [client.name for client in shown(database).clients] == ["local"]


def test_a_clock_set_back_does_not_make_leases_longer(database: Database) -> None:
    load(database, NOW, counts={"outbound_ports": 60})
    gone, other = askers(database, "gone", "other")
    assert gone.ask(NOW + DAY, 60) == 60
    assert other.ask(NOW + 2 * MINUTE, 60) == 0
    assert other.ask(NOW + 13 * MINUTE, 60) == 60
