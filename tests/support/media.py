"""Media servers for tests: a licence with telephony ports, servers with ports, a worker that reports them.

Contract, API and page tests use it.
"""

import datetime as dt
from typing import Any

from sqlalchemy import insert

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.db.sealed import Sealer
from outrider.ids import ZoneId
from outrider.licences import division_store
from outrider.media import service, sharing, store
from outrider.media.model import MediaServer, MediaServerId, Plan, Report, SeenAs
from outrider.supply import service as supply
from support.composed import RULES, licence_text

SEALER = Sealer(b"k" * 32)
WORKER = "worker-1"
SECRET = "s3cret-words"


def make_system(database: Database, now: dt.datetime, ports: int = 30) -> ZoneId:
    """Create the default zone, load a licence for `ports` telephony ports, register a worker."""

    def make(tx: Tx) -> ZoneId:
        division_store.ensure_defaults(tx, now)
        load_ports(tx, now, ports)
        add_worker(tx, WORKER, now)
        return store.default_zone(tx)

    return database.write_now(make)


def load_ports(tx: Tx, now: dt.datetime, ports: int) -> None:
    """Put a licence for `ports` telephony (and outbound) ports in force, in place of the one before."""
    text, public = licence_text(now, "L-media", telephony_ports=ports, outbound_ports=ports)
    supply.load_file(tx, RULES, text, public, "any", now, "test")


def add_worker(tx: Tx, worker_id: str, now: dt.datetime) -> None:
    """Register a worker whose lease lasts a minute."""
    until = now + dt.timedelta(minutes=1)
    row = insert(schema.workers).values(id=worker_id, slot=worker_id, started_at=now, lease_until=until)
    tx.execute(row)


def plan(name: str, **fields: Any) -> Plan:
    """Return a good plan."""
    return Plan(**{"name": name, "url": f"http://{name}:8088", "username": "ari", "secret": SECRET, **fields})


def add(database: Database, now: dt.datetime, name: str, **fields: Any) -> MediaServerId:
    """Register a media server."""
    return database.write_now(service.add, SEALER, plan(name, **fields), now, "test").id


def tell(database: Database, now: dt.datetime, server_id: int, seen_as: SeenAs, worker: str = WORKER) -> bool:
    """Let a worker report one server."""
    report = Report(MediaServerId(server_id), seen_as, "" if seen_as is SeenAs.CONNECTED else "port closed")
    return database.write_now(sharing.report, worker, [report], now)


def connected(database: Database, now: dt.datetime, name: str, **fields: Any) -> MediaServerId:
    """Register a media server and let the worker be connected to it."""
    server_id = add(database, now, name, **fields)
    tell(database, now, server_id, SeenAs.CONNECTED)
    return server_id


def shares(database: Database) -> dict[str, tuple[int, int, int]]:
    """Return quota, grant and ports in use of all servers by name."""
    found: list[MediaServer] = database.read_now(service.servers)
    return {each.name: (each.quota, each.granted, each.in_use) for each in found}
