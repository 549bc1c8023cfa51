"""Grants of one feature at its corners; the property tests cover the rest."""

from outrider.supply.server.sharing import Claim, FeaturePool


def claim(client: int, wanted: int, charge: int = 0, minimum: int = 0) -> Claim:
    return Claim(client, float(client), minimum, wanted, charge)


def test_equal_clients_get_equal_shares_the_older_one_the_odd_unit() -> None:
    pool = FeaturePool(7, [claim(1, 10), claim(2, 10)])
    assert pool.grant(1) == 4
    pool.put(claim(1, 10, charge=4))
    assert pool.grant(2) == 3


def test_nobody_grows_while_another_still_holds_too_much() -> None:
    pool = FeaturePool(60, [claim(1, 60, charge=60), claim(2, 60)])
    assert pool.grant(2) == 0
    assert pool.grant(1) == 30
    pool.put(claim(1, 60, charge=30))
    assert pool.grant(2) == 30


def test_what_is_free_goes_to_an_unmet_minimum_first() -> None:
    pool = FeaturePool(10, [claim(1, 10, charge=7), claim(2, 10), claim(3, 10, minimum=3)])
    assert pool.grant(2) == 0
    assert pool.grant(3) == 3


def test_a_minimum_is_kept_for_one_who_is_away() -> None:
    pool = FeaturePool(10, [claim(1, 10), claim(2, 0, minimum=4)])
    assert pool.grant(1) == 6


def test_minimums_beyond_what_there_is_are_served_by_age() -> None:
    pool = FeaturePool(10, [claim(2, 8, minimum=8), claim(1, 8, minimum=8)])
    assert (pool.grant(1), pool.grant(2)) == (8, 2)


def test_after_a_cut_each_keeps_what_its_quota_allows() -> None:
    pool = FeaturePool(20, [claim(1, 60, charge=30), claim(2, 60, charge=30), claim(3, 60)])
    assert pool.grant(1) == 7
    assert pool.grant(3) == 0


def test_no_units_at_all() -> None:
    assert FeaturePool(0, [claim(1, 5), claim(2, 0, minimum=3)]).grant(1) == 0
