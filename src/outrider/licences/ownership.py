"""Whose a new record is: the caller's organization, or the one that a caller of the whole system names.

Services and APIs of campaigns and strategies call it in their transaction.
"""

from outrider.db.database import Tx
from outrider.errors import InvalidInputError, NotAllowedError
from outrider.licences import division_store
from outrider.licences.tree import DEFAULT_NAME


def owner_of_new(tx: Tx, caller_organization_id: int | None, organization_id: int | None) -> int:
    """Return the organization of a record that is about to be made.

    Callers of an organization own what they make (NotAllowedError when they name another). For the others it
    is the one they name (InvalidInputError when there is none), or else the default organization.
    """
    if caller_organization_id is not None:
        if organization_id not in (None, caller_organization_id):
            raise NotAllowedError(
                "you may make records only for your own organization; leave organization_id out"
            )
        return caller_organization_id
    known = division_store.organizations(tx)
    if organization_id is None:
        if DEFAULT_NAME not in known:
            raise InvalidInputError(
                "organization_id: there is no default organization yet; load a licence file first",
                where="organization_id",
            )
        return known[DEFAULT_NAME]
    if organization_id not in known.values():
        raise InvalidInputError(
            f"organization_id: there is no organization {organization_id}", where="organization_id"
        )
    return organization_id
