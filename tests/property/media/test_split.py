"""The split of ports over media servers: compared unit by unit, and its promises as properties."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from outrider.media.split import Holding, Vessel, fill, grant, split

PORTS = st.integers(0, 60)


@st.composite
def fleets(draw: st.DrawFn, *, largest: int = 40) -> list[Holding]:
    """Draw up to six media servers in any state."""
    count = draw(st.integers(0, 6))
    return [
        Holding(
            id=number + 1,
            weight=draw(st.integers(1, 6)),
            maximum=draw(st.integers(1, largest)),
            in_service=draw(st.booleans()) or draw(st.booleans()),
            quota=draw(st.integers(0, largest)),
            granted=draw(st.integers(0, largest)),
            in_use=draw(st.integers(0, largest)),
        )
        for number in range(count)
    ]


@st.composite
def vessels(draw: st.DrawFn) -> list[Vessel]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        low = draw(st.integers(0, 20))
        weight, span, held = draw(st.integers(1, 9)), draw(st.integers(0, 20)), draw(st.integers(0, 30))
        found.append(Vessel(number + 1, weight, low, low + span, held))
    return found


def one_by_one(members: Sequence[Vessel], total: int) -> dict[int, int]:
    """Deal unit by unit, each to the vessel whose next unit has the smallest key: the definition itself."""
    filled = {each.id: each.low for each in members}
    for _ in range(total - sum(filled.values())):
        open_ones = [each for each in members if filled[each.id] < each.high]
        if not open_ones:
            break
        best = min(
            open_ones,
            key=lambda each: (
                Fraction(filled[each.id] + 1, each.weight),
                filled[each.id] + 1 > each.held,
                -each.weight,
                each.id,
            ),
        )
        filled[best.id] += 1
    return filled


@given(vessels(), st.integers(0, 200))
def test_the_closed_form_is_the_dealing_one_by_one(members: list[Vessel], total: int) -> None:
    assert fill(members, total) == one_by_one(members, total)


@given(st.data(), vessels(), st.integers(0, 200))
def test_the_order_of_the_input_does_not_matter(
    data: st.DataObject, members: list[Vessel], total: int
) -> None:
    turned = data.draw(st.permutations(members))
    assert fill(turned, total) == fill(members, total)


def test_large_numbers_are_exact() -> None:
    many = [Vessel(number, number % 7 + 1, 0, 10**9 + number) for number in range(1, 200)]
    filled = fill(many, 10**9 + 1)
    assert sum(filled.values()) == 10**9 + 1


@given(fleets(), PORTS)
def test_all_ports_are_split_as_far_as_maxima_allow(fleet: list[Holding], ports: int) -> None:
    quotas = split(ports, fleet)
    serving = [each for each in fleet if each.in_service]
    assert sum(quotas.values()) == min(ports, sum(each.maximum for each in serving))
    assert all(0 <= quotas[each.id] <= (each.maximum if each.in_service else 0) for each in fleet)


@given(fleets(), PORTS)
def test_no_port_could_go_to_a_server_that_has_relatively_less(fleet: list[Holding], ports: int) -> None:
    quotas = split(ports, fleet)
    serving = [each for each in fleet if each.in_service]
    for poor in serving:
        if quotas[poor.id] < poor.maximum:
            for rich in serving:
                if rich is not poor and quotas[rich.id]:
                    after = Fraction(quotas[poor.id] + 1, poor.weight)
                    assert after >= Fraction(quotas[rich.id], rich.weight)


@given(fleets(largest=8), st.integers(0, 16))
def test_no_equally_good_split_moves_fewer_ports(fleet: list[Holding], ports: int) -> None:
    """Try every split whose relative shares are the same: none takes fewer ports from those who had them."""
    quotas = split(ports, fleet)
    serving = [each for each in fleet if each.in_service]
    weights = {each.id: each.weight for each in serving}

    def moved(candidate: dict[int, int]) -> int:
        return sum(max(0, each.quota - candidate[each.id]) for each in serving)

    for giver in serving:
        for taker in serving:
            if giver is taker or not quotas[giver.id] or quotas[taker.id] >= taker.maximum:
                continue
            tied = Fraction(quotas[giver.id], weights[giver.id]) == Fraction(
                quotas[taker.id] + 1, weights[taker.id]
            )
            if tied:
                other = quotas | {giver.id: quotas[giver.id] - 1, taker.id: quotas[taker.id] + 1}
                assert moved(quotas) <= moved(other)


@given(fleets(), PORTS)
def test_a_split_of_a_split_changes_nothing(fleet: list[Holding], ports: int) -> None:
    quotas = split(ports, fleet)
    again = [replace(each, quota=quotas[each.id]) for each in fleet]
    assert split(ports, again) == quotas


@given(fleets(), PORTS)
def test_one_more_port_lowers_nobody(fleet: list[Holding], ports: int) -> None:
    fewer, more = split(ports, fleet), split(ports + 1, fleet)
    assert all(more[server] >= quota for server, quota in fewer.items())


def charged(fleet: Sequence[Holding], granted: dict[int, int]) -> int:
    return sum(max(granted[each.id], each.in_use) for each in fleet)


@given(fleets(), PORTS)
def test_granted_or_used_stays_inside_the_ports(fleet: list[Holding], ports: int) -> None:
    granted = grant(ports, fleet)
    used = sum(each.in_use for each in fleet)
    assert charged(fleet, granted) <= max(ports, used)
    assert all(0 <= granted[each.id] <= each.quota for each in fleet)


@given(fleets(), PORTS)
def test_nothing_starts_while_more_is_used_than_there_is(fleet: list[Holding], ports: int) -> None:
    if sum(each.in_use for each in fleet) >= ports:
        granted = grant(ports, fleet)
        assert all(granted[each.id] <= each.in_use for each in fleet)


@given(fleets(), PORTS)
def test_no_free_port_is_kept_from_who_is_owed_one(fleet: list[Holding], ports: int) -> None:
    granted = grant(ports, fleet)
    if any(granted[each.id] < each.quota for each in fleet):
        assert charged(fleet, granted) >= ports


@given(fleets(), PORTS)
def test_a_grant_shrinks_at_once_and_only_to_the_quota(fleet: list[Holding], ports: int) -> None:
    kept = {each.id: min(each.granted, each.quota) for each in fleet}
    if charged(fleet, kept) <= ports:
        granted = grant(ports, fleet)
        assert all(granted[server] >= units for server, units in kept.items())


@given(fleets(), PORTS)
def test_granting_again_changes_nothing(fleet: list[Holding], ports: int) -> None:
    granted = grant(ports, fleet)
    assert grant(ports, [replace(each, granted=granted[each.id]) for each in fleet]) == granted
