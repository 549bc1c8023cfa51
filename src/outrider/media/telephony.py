"""How many ports each zone has for its media servers: the only place that knows where they come from.

Calls go out over SIP, so media servers share the SIP part of the telephony ports (licensing.md 7, issue 3).
"""

from outrider.db.database import Tx
from outrider.ids import ZoneId
from outrider.licences import division, division_store
from outrider.licences.model import LicenceKind
from outrider.licences.tree import scale_down
from outrider.supply import service as supply
from outrider.supply.connections import service as connections


def zone_ports(tx: Tx) -> dict[ZoneId, int]:
    """Return the SIP ports of every zone, by id.

    A zone has its effective telephony ports; when SIP carries fewer than all zones have, they are scaled
    down in proportion (largest remainder, as licences are). The default zone holds what nobody else has.
    """
    _, divided = division.view(tx, supply.current(tx).counts)
    by_name = {name: zone[LicenceKind.TELEPHONY_PORTS] for name, zone in divided.zones.items()}
    numbers = division_store.zones(tx)
    scaled = scale_down(by_name, connections.telephony(tx).sip)
    return {numbers[name]: units for name, units in scaled.items() if name in numbers}
