"""The licence server inside the platform's own process and database: no HTTP, no key, the same service.

`app.py` gives one to the platform manager when no other licence server is configured.
"""

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import StoreError
from outrider.supply.authorisation import Authorisation, LicenceSourceError, SourceFault
from outrider.supply.server import service
from outrider.supply.server.model import Terms


class EmbeddedSource:
    """A LicenceSource over the same database, as the client `local`, which wants all there is."""

    def __init__(
        self, database: Database, clock: Clock, host_id: str, terms: Terms = service.DEFAULT_TERMS
    ) -> None:
        self._database = database
        self._clock = clock
        self._host_id = host_id
        self._terms = terms
        self._seen = 0

    async def poll(self) -> Authorisation:
        """Acquire or renew what the loaded files authorise. LicenceSourceError when the database is away."""
        try:
            granted = await self._database.write(
                service.lease_local, self._host_id, self._clock.now(), self._terms, self._seen
            )
        except StoreError as error:
            raise LicenceSourceError(
                SourceFault.UNREACHABLE, f"the embedded licence server cannot answer: {error.message}"
            ) from error
        self._seen = granted.sequence
        return service.authorisation(granted)

    async def close(self) -> None:
        """Keep the lease: it runs on, and the next start takes it up again."""
