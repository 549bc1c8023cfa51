"""Moving licence files to another host: a signed request from the old server, a new file from the issuer.

`outrider licences rehost-request` gives files up here and writes the request, signed with the server's key;
`outrider licences rehost` is the issuer's side. The new file supersedes the old one wherever both are loaded.
"""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from outrider.errors import InvalidInputError
from outrider.supply.claims import LicenceFile, from_claims, to_claims
from outrider.supply.file import ALGORITHM
from outrider.supply.keys import key_id

REQUEST_TYPE = "outrider-rehost"
LARGEST_REQUEST = 1024 * 1024
LONGEST_KEPT = dt.timedelta(days=30)
"""How long the old host may go on counting a file that it gives up."""


@dataclass(frozen=True, slots=True)
class RehostRequest:
    """What a server asks of the issuer: `files` (their claims) for `new_host_id` instead of `old_host_id`.

    The old host counts them until `counts_until`, and then no more.
    """

    old_host_id: str
    new_host_id: str
    requested_at: dt.datetime
    counts_until: dt.datetime
    files: tuple[LicenceFile, ...]


def check_move(old_host_id: str, new_host_id: str, kept: dt.timedelta) -> None:
    """InvalidInputError when a move makes no sense."""
    if not new_host_id.strip() or not new_host_id.isprintable() or len(new_host_id) > 80:  # noqa: PLR2004 - column
        raise InvalidInputError(
            "the new host's id must be a text of 1 to 80 characters: outrider licences host-id there prints"
            " it",
            where="new_host_id",
        )
    if new_host_id == old_host_id:
        raise InvalidInputError(
            f"{new_host_id} is this very host: give the id of the new one (outrider licences host-id there)",
            where="new_host_id",
        )
    if not dt.timedelta(0) <= kept <= LONGEST_KEPT:
        raise InvalidInputError(
            f"the files may count here for 0 to {LONGEST_KEPT.days} days more", where="keep_days"
        )


def write_request(request: RehostRequest, key: OKPKey) -> str:
    """Return the request as one line of compact JWS, signed with the server's private key."""
    payload = {
        "old_host_id": request.old_host_id,
        "new_host_id": request.new_host_id,
        "requested_at": request.requested_at.isoformat(),
        "counts_until": request.counts_until.isoformat(),
        "files": [to_claims(file) for file in request.files],
    }
    header = {"alg": ALGORITHM, "typ": REQUEST_TYPE, "kid": key_id(key)}
    return jws.serialize_compact(header, json.dumps(payload).encode(), key, algorithms=[ALGORITHM]) + "\n"


def read_request(text: str, key: OKPKey) -> RehostRequest:
    """Return a request that the server with this public key signed. InvalidInputError for any other text."""
    try:
        found = jws.deserialize_compact(text.strip(), key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError):
        raise InvalidInputError(
            "the rehost request is not signed with this server's key: give the server's public key"
            " (outrider licences server-key), and the request as it was written",
            where="request",
        ) from None
    try:
        data = json.loads(found.payload)
        return RehostRequest(
            old_host_id=str(data["old_host_id"]),
            new_host_id=str(data["new_host_id"]),
            requested_at=dt.datetime.fromisoformat(data["requested_at"]),
            counts_until=dt.datetime.fromisoformat(data["counts_until"]),
            files=tuple(from_claims(each) for each in data["files"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"the rehost request is incomplete ({error}): write it again on the old host", where="request"
        ) from None


def moved(request: RehostRequest, files: Sequence[LicenceFile], now: dt.datetime) -> list[LicenceFile]:
    """Return the new files for a request, from the issuer's own copies `files` of the old ones.

    Counts and validity are the issuer's, whatever the request says; each new file supersedes its old one.
    InvalidInputError when a file of the request is missing among `files`, or is another issue of it.
    """
    own = {file.id: file for file in files}
    made = []
    for asked in request.files:
        file = own.get(asked.id)
        if file is None:
            raise InvalidInputError(
                f"the request names the licence file {asked.id}: give your copy of it too", where="file"
            )
        if file != asked:
            raise InvalidInputError(
                f"your copy of the licence file {asked.id} is not the one of the request (issued"
                f" {file.issued_at:%Y-%m-%d %H:%M}, the request's {asked.issued_at:%Y-%m-%d %H:%M})",
                where="file",
            )
        made.append(
            replace(
                file,
                id=str(uuid.uuid4()),
                host_id=request.new_host_id,
                issued_at=now,
                supersedes=(*file.supersedes, file.id),
            )
        )
    return made
