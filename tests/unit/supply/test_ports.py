"""Telephony ports over SIP and H.323 connections: how many can be used, and how they are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.licences.tree import Tree, divide
from outrider.supply.connections.model import Connection, ConnectionKind, check
from outrider.supply.ports import (
    TelephonyPorts,
    in_force,
    missing_ports,
    per_connection,
    proportionally,
    telephony_ports,
)

SIP, H323 = ConnectionKind.SIP, ConnectionKind.H323
PORTS, LINES = LicenceKind.OUTBOUND_PORTS, LicenceKind.TELEPHONY_PORTS


def made(*capacities: tuple[ConnectionKind, int]) -> list[Connection]:
    return [
        Connection(number, f"c{number}", kind, capacity) for number, (kind, capacity) in enumerate(capacities)
    ]


@pytest.mark.parametrize(
    ("authorised", "connections", "expected"),
    [
        (100, [], (100, 100, 0)),  # the simulated carrier carries everything
        (100, made((SIP, 40)), (40, 40, 0)),
        (100, made((H323, 40)), (40, 0, 40)),
        (100, made((SIP, 300), (H323, 100)), (100, 75, 25)),
        (10, made((SIP, 1), (H323, 2)), (3, 1, 2)),
        (100, made((SIP, 1), (H323, 1), (SIP, 1)), (3, 2, 1)),
        (5, made((SIP, 50), (H323, 50)), (5, 3, 2)),  # equal remainders: SIP
        (25_000, made((SIP, 20_000), (H323, 10_000)), (25_000, 16_667, 8_333)),
        (0, made((SIP, 10)), (0, 0, 0)),
    ],
)
def test_ports_count_as_far_as_connections_carry_them(
    authorised: int, connections: list[Connection], expected: tuple[int, int, int]
) -> None:
    ports = telephony_ports(authorised, connections)
    assert (ports.usable, ports.sip, ports.h323) == expected
    assert ports.for_agents == ports.sip
    assert ports.idle == authorised - ports.usable


def test_a_connection_that_is_switched_off_carries_nothing() -> None:
    off = Connection(1, "off", SIP, 50, enabled=False)
    assert telephony_ports(30, [off]).usable == 0
    assert per_connection(telephony_ports(30, [off, *made((SIP, 20))]), [off, *made((SIP, 20))]) == {
        0: 20,
        1: 0,
    }


COUNTS = st.integers(0, 50_000)
CONNECTIONS = st.lists(st.tuples(st.sampled_from(ConnectionKind), st.integers(1, 20_000)), max_size=6).map(
    lambda pairs: made(*pairs)
)


@given(COUNTS, CONNECTIONS)
def test_the_split_is_whole_proportional_and_within_every_capacity(
    authorised: int, connections: list[Connection]
) -> None:
    ports = telephony_ports(authorised, connections)
    assert ports.sip + ports.h323 == ports.usable <= authorised
    parts = per_connection(ports, connections)
    if connections:
        assert sum(parts.values()) == ports.usable
        assert all(0 <= parts[each.id] <= each.capacity for each in connections)
        whole = sum(each.capacity for each in connections)
        sip = sum(each.capacity for each in connections if each.kind is SIP)
        assert abs(ports.sip * whole - ports.usable * sip) < whole


@given(COUNTS, st.lists(COUNTS, max_size=8))
def test_parts_add_up(total: int, weights: list[int]) -> None:
    parts = proportionally(total, weights)
    assert sum(parts) == (total if any(weights) else 0)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_outbound_ports_are_in_force_as_far_as_telephony_ports_are() -> None:
    def outbound(authorised: dict[LicenceKind, int], ports: TelephonyPorts) -> int:
        division = divide(Tree(), in_force(authorised, ports))
        return sum(counts[PORTS] for counts in division.pools.values())

    full, half = TelephonyPorts(60, 60, 60, 0), TelephonyPorts(60, 25, 25, 0)
    assert outbound({PORTS: 60, LINES: 60}, full) == 60
    assert outbound({PORTS: 60, LINES: 60}, half) == 25
    assert outbound({PORTS: 60}, TelephonyPorts(0, 0, 0, 0)) == 0
    assert in_force({}, full) == {}
    assert missing_ports({PORTS: 60, LINES: 60}, full) == ""
    assert "configured connections carry only 25" in missing_ports({PORTS: 60, LINES: 60}, half)
    assert "but only 0 telephony_ports" in missing_ports({PORTS: 60}, TelephonyPorts(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("name", "capacity", "field"),
    [(" ", 1, "name"), ("x" * 81, 1, "name"), ("a\nb\x07", 1, "name"), ("a", 0, "capacity")],
)
def test_a_bad_connection_names_the_field(name: str, capacity: int, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check(name, capacity)
    assert caught.value.facts["where"] == field
