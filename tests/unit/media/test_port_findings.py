"""Whether calls can come to a media server: what the registry alone can say."""

from dataclasses import replace

import pytest

from outrider.clock import RealClock
from outrider.ids import ZoneId
from outrider.media.checking import Finding, Level
from outrider.media.model import Driver, Health, MediaServer, MediaServerId
from outrider.media.port_findings import joined, port_findings, shared_findings

SERVER = MediaServer(
    id=MediaServerId(1),
    name="north",
    zone_id=ZoneId(1),
    zone="default",
    driver=Driver.ASTERISK,
    url="http://10.0.0.5:8088",
    username="ari",
    app="outrider",
    trunk="PJSIP/{number}@trunk",
    caller_id="",
    maximum_ports=10,
    weight=1,
    originations_per_second=None,
    enabled=True,
    draining=False,
    health=Health.CONNECTED,
    health_at=None,
    message="",
    version="22",
    revision=1,
    quota=5,
    granted=5,
    in_use=0,
    created_at=RealClock().now(),
    retired_at=None,
)


@pytest.mark.parametrize(
    ("ports", "total", "changes", "words"),
    [
        (5, 5, {}, None),
        (0, 0, {}, "there are no telephony ports for 'north'"),
        (0, 9, {}, "zone 'default' has no telephony ports"),
        (3, 9, {"quota": 0}, "none of the 3 telephony ports"),
        (3, 9, {"quota": 0, "health": Health.NEW}, None),
    ],
)
def test_ports(ports: int, total: int, changes: dict[str, object], words: str | None) -> None:
    found = port_findings(replace(SERVER, **changes), ports, total)  # type: ignore[arg-type] # fields by name
    assert [words in each.message for each in found] == ([True] if words else [])  # type: ignore[operator] # as above


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"url": "http://10.0.0.5:8088/ari"}, True),
        ({"url": "HTTP://10.0.0.5:8088/"}, True),
        ({"app": "other"}, False),
        ({"url": "http://10.0.0.6:8088"}, False),
    ],
)
def test_the_same_asterisk_twice(changes: dict[str, object], same: bool) -> None:  # noqa: FBT001 - a case
    twin = replace(SERVER, id=MediaServerId(2), name="twin", **changes)  # type: ignore[arg-type] # fields by name
    assert bool(shared_findings(SERVER, [SERVER, twin])) is same
    assert shared_findings(SERVER, [SERVER]) == ()


def test_first_things_first() -> None:
    usable, broken = Finding(Level.OK, "usable", "go"), Finding(Level.ERROR, "connection", "gone")
    ports, few = Finding(Level.ERROR, "ports", "none"), Finding(Level.WARNING, "ports", "few")
    assert joined([broken], [ports]) == (broken,)
    assert joined([usable], [ports]) == (ports,)
    assert joined([usable], [few]) == (usable, few)
