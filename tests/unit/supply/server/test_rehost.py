"""Moving files to another host: the request is the server's, the new file is the issuer's."""

import datetime as dt
from dataclasses import replace

import pytest
from joserfc.jwk import OKPKey

from outrider.errors import InvalidInputError, LicenceFileError
from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile, from_claims, to_claims
from outrider.supply.server.rehost import RehostRequest, check_move, moved, read_request, write_request

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
KEY = OKPKey.generate_key("Ed25519")
OLD = LicenceFile(
    "L-1", "ACME", NOW, NOW, NOW + dt.timedelta(days=99), {LicenceKind.ASR: 3}, host_id="old-host"
)
REQUEST = RehostRequest("old-host", "new-host", NOW, NOW + dt.timedelta(days=7), (OLD,))


def test_a_request_survives_and_only_its_server_can_write_it() -> None:
    text = write_request(REQUEST, KEY)
    assert read_request(text, KEY) == REQUEST
    with pytest.raises(InvalidInputError, match="is not signed with this server's key"):
        read_request(text, OKPKey.generate_key("Ed25519"))
    for bad in ("", "a.b.c", text[:-10]):
        with pytest.raises(InvalidInputError, match="is not signed"):
            read_request(bad, KEY)


def test_the_new_file_has_the_issuers_counts_and_supersedes_the_old_one() -> None:
    later = NOW + dt.timedelta(days=1)
    (new,) = moved(REQUEST, [OLD], later)
    assert new == replace(OLD, id=new.id, host_id="new-host", issued_at=later, supersedes=("L-1",))
    assert from_claims(to_claims(new)) == new
    with pytest.raises(InvalidInputError, match="give your copy of it too"):
        moved(REQUEST, [], later)
    with pytest.raises(InvalidInputError, match="is not the one of the request"):
        moved(REQUEST, [replace(OLD, counts={LicenceKind.ASR: 9})], later)


@pytest.mark.parametrize("supersedes", ["L-0", [5], [""], ["L-1"], {}])
def test_supersedes_is_a_list_of_other_ids(supersedes: object) -> None:
    with pytest.raises(LicenceFileError, match="must be a list of ids of other files"):
        from_claims({**to_claims(OLD), "supersedes": supersedes})


def test_moves_that_make_no_sense() -> None:
    week = dt.timedelta(days=7)
    check_move("old", "new", week)
    for new, kept in (("old", week), ("", week), ("x" * 81, week), ("new", dt.timedelta(days=31))):
        with pytest.raises(InvalidInputError):
            check_move("old", new, kept)
