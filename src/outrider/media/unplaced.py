"""Ports for calls that no media server makes: agents' calls over the simulated carrier share their zone's.

`agents/legs.py` and `dialing/agent_claims.py` ask it, in a demo or a test: with a media server registered,
`placing.py` is asked instead.
"""

from outrider.db.database import Tx
from outrider.ids import ZoneId
from outrider.media import store, telephony


def free_ports(tx: Tx, zone_id: ZoneId) -> int:
    """Return how many telephony ports of a zone are free; the zone is locked until commit.

    So what is taken of them in this transaction is nobody else's. The zone's ports are noted at first, and
    kept up to date by the monitor, as those of zones with media servers are.
    """
    ports = store.zone_ports(tx, zone_id)
    if ports is None:
        store.lock_zones(tx, [zone_id])
        ports = telephony.zone_ports(tx).get(zone_id, 0)
        store.set_zone_ports(tx, zone_id, ports)
    return max(0, ports - store.calls_in_zone(tx, zone_id))
