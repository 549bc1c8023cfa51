"""What can be said of a media server's ports without asking the server: whether calls can come to it. Pure.

`media check`, the page's check and the workers' look at their media servers add it to what the driver finds.
"""

from collections.abc import Iterable

from outrider.media.checking import Finding, Level
from outrider.media.model import MediaServer, Standing

PORTS, USABLE = "ports", "usable"
"""Short names of findings: ours, and the driver's own that calls can be made."""


def port_findings(server: MediaServer, ports: int, total: int) -> tuple[Finding, ...]:
    """Return what is wrong with a server's ports, none when all is well.

    `ports` are the SIP ports of its zone, `total` those of all zones.
    """
    if not total:
        message = (
            f"there are no telephony ports for {server.name!r} to use: load a licence that has some, and SIP"
            " connections that carry them (see the Platform page)"
        )
        return (Finding(Level.ERROR, PORTS, message),)
    if not ports:
        message = (
            f"zone {server.zone!r} has no telephony ports, so no call goes over {server.name!r}: give the"
            " zone some on the Licences page, or put the server into a zone that has"
        )
        return (Finding(Level.ERROR, PORTS, message),)
    if not server.quota and server.standing is Standing.IN_SERVICE:
        message = (
            f"none of the {ports} telephony ports of zone {server.zone!r} falls to {server.name!r}: its"
            " other servers take them all"
        )
        return (Finding(Level.WARNING, PORTS, message),)
    return ()


def shared_findings(server: MediaServer, others: Iterable[MediaServer]) -> tuple[Finding, ...]:
    """Return what is wrong when another server of the registry is the same Asterisk with the same app."""
    twin = next((each.name for each in others if each.id != server.id and _place(each) == _place(server)), "")
    if not twin:
        return ()
    message = (
        f"{server.name!r} and {twin!r} are the same Asterisk with the same app {server.app!r}, so they take"
        " each other's events: remove one of them, or give one another app"
    )
    return (Finding(Level.ERROR, "twice", message),)


def _place(server: MediaServer) -> tuple[str, str]:
    return server.url.rstrip("/").removesuffix("/ari").lower(), server.app


def without_server(zone: str) -> str:
    """Return the sentence about a zone whose jobs find no media server in service."""
    return (
        f"calls wait in zone {zone!r}, and it has no media server in service: register one there, bring one"
        " back, or run the campaign in another zone"
    )


def joined(found: Iterable[Finding], ports: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what the driver and we found: first things first, ports matter once the server can be used.

    That calls can be made is not said where none will come.
    """
    theirs, ours = tuple(found), tuple(ports)
    if any(each.level is Level.ERROR for each in theirs):
        return theirs
    useless = any(each.level is Level.ERROR for each in ours)
    return (*(each for each in theirs if not (useless and each.what == USABLE)), *ours)
