"""How many of the authorised telephony ports can be used, and over which kind of connection. Pure.

`supply/connections/service.py` applies it to the configured connections; the media-server registry splits
the result over its servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outrider.licences.model import LicenceKind
from outrider.licences.tree import Counts
from outrider.supply.connections.model import Connection, ConnectionKind


@dataclass(frozen=True, slots=True)
class TelephonyPorts:
    """Telephony ports in units of one simultaneous voice connection; `usable` is `sip` plus `h323`.

    `authorised` is what the licence server allows (0 once it has expired).
    """

    authorised: int
    usable: int
    sip: int
    h323: int

    @property
    def for_agents(self) -> int:
        """Return how many ports agent campaigns may use: those over SIP (licensing.md 6)."""
        return self.sip

    @property
    def idle(self) -> int:
        """Return how many authorised ports no connection carries."""
        return self.authorised - self.usable


def telephony_ports(authorised: int, connections: Sequence[Connection]) -> TelephonyPorts:
    """Return what `authorised` ports come to over these connections.

    They count only as far as the enabled connections carry them: SIP connections their simultaneous calls,
    H.323 connections their stations. The split is ports x SIP / (SIP + H323) in whole numbers by largest
    remainder, ties to SIP. With no connection configured at all, the built-in simulated carrier (which
    stands for SIP) carries everything.
    """
    if not connections:
        return TelephonyPorts(authorised, authorised, authorised, 0)
    lines = {
        kind: sum(each.capacity for each in connections if each.enabled and each.kind is kind)
        for kind in ConnectionKind
    }
    usable = min(authorised, sum(lines.values()))
    sip, h323 = proportionally(usable, (lines[ConnectionKind.SIP], lines[ConnectionKind.H323]))
    return TelephonyPorts(authorised, usable, sip, h323)


def per_connection(ports: TelephonyPorts, connections: Sequence[Connection]) -> dict[int, int]:
    """Return each connection's part of the ports of its kind, by id; none for one that is switched off."""
    parts = dict.fromkeys((each.id for each in connections), 0)
    for kind, total in ((ConnectionKind.SIP, ports.sip), (ConnectionKind.H323, ports.h323)):
        mine = [each for each in connections if each.enabled and each.kind is kind]
        shares = proportionally(total, [each.capacity for each in mine])
        parts |= {each.id: share for each, share in zip(mine, shares, strict=True)}
    return parts


def proportionally(total: int, weights: Sequence[int]) -> list[int]:
    """Return `total` split in proportion to `weights` by largest remainder, ties to the first.

    When `total` is not above the sum of the weights, no part is above its weight.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts


def in_force(authorised: Counts, ports: TelephonyPorts) -> dict[LicenceKind, int]:
    """Return the counts that may be divided: telephony ports only as far as they can be used.

    The type is always there, because outbound ports count only as far as telephony ports do
    (`licences.tree.divide`); a licence without telephony ports carries no call.
    """
    if not any(authorised.values()):
        return {}
    return {**authorised, LicenceKind.TELEPHONY_PORTS: ports.usable}


def missing_ports(authorised: Counts, ports: TelephonyPorts) -> str:
    """Return the sentence that tells why fewer outbound ports than authorised are in force, or ""."""
    outbound = authorised.get(LicenceKind.OUTBOUND_PORTS, 0)
    if outbound <= ports.usable:
        return ""
    if ports.authorised < outbound:
        why = f"but only {ports.authorised} telephony_ports, and each outbound call needs one"
    else:
        why = f"but the configured connections carry only {ports.usable} telephony_ports"
    return f"{outbound} outbound_ports are authorised, {why}: {ports.usable} outbound_ports are in force"
