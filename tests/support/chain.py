"""The whole chain as real processes: a platform over real Asterisk servers, and SIPp as the public network.

Acceptance tests and the bench of calls build on it; `chain_audit.py` checks what such a run leaves behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.public_network import PublicNetwork

from outrider.clock import RealClock
from outrider.contacts import service as contacts
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.db.sealed import Sealer, load_sealer
from outrider.ids import JobId, ListId
from outrider.jobs.model import JobState
from outrider.media import service as media
from outrider.media.model import Health, MediaServer, MediaServerId, Plan
from support.campaigning import Campaigning, campaigning
from support.live_runs import LISTENING
from support.processes import Program, Programs, eventually

SHORT, LONG = "hello-world", "demo-instruct"
"""Prompts of the test bed: of one second, and of more than a minute."""

STRATEGY = """
name = "{name}"
[[actions]]
name = "call"
channel = "call"
maximum = {maximum}
pacing = {pacing}
ring_timeout = 15
window = {{ start = "00:00", end = "24:00" }}
{extra}
[actions.prompt]
file = "{prompt}"
"""

AGAIN = """
retry_interrupted = true
[actions.retry.busy]
count = 1
delays = ["1s"]
"""
"""Further lines of a strategy: some contacts are called twice, by two attempts."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One platform: its database, its processes, and its media servers by name over one public network."""

    system: Campaigning
    commands: Programs
    network: PublicNetwork
    servers: Mapping[str, AsteriskServer]
    sealer: Sealer

    @property
    def database(self) -> Database:
        """Return the test's own way into the platform's database."""
        return self.system.database

    def register(self, maximum_ports: int = 1_000, **fields: Any) -> None:
        """Put all media servers into the registry; `fields` are further ones of `Plan`, as `trunk`."""
        for name, server in self.servers.items():
            plan = Plan(
                name=name,
                url=server.ari_url,
                username=server.username,
                secret=server.password,
                maximum_ports=maximum_ports,
                **fields,
            )
            self.database.write_now(media.add, self.sealer, plan, RealClock().now(), "test")

    def start(self) -> Program:
        """Start `outrider serve`."""
        return self.commands.start("serve", "--port", "0")

    def serve(self) -> Program:
        """Start `outrider serve`, and wait until it listens."""
        program = self.start()
        program.wait_for(LISTENING)
        return program

    def seen(self) -> dict[str, MediaServer]:
        """Return the registered servers as they stand now, by name."""
        return {each.name: each for each in self.database.read_now(media.servers)}

    def wait_for_servers(self) -> dict[str, MediaServer]:
        """Wait until all media servers have ports of their own, and return them by name."""

        def ready() -> dict[str, MediaServer] | None:
            seen = self.seen()
            good = all(each.health is Health.CONNECTED and each.granted for each in seen.values())
            return seen if good else None

        return eventually("all media servers have ports", ready)

    def job(
        self,
        name: str,
        numbers: Sequence[str],
        *,
        pacing: float = 50,
        maximum: int = 100,
        prompt: str = SHORT,
        extra: str = "",
    ) -> JobId:
        """Start a job that calls these numbers in their order; it claims `pacing` attempts a second."""
        source = STRATEGY.format(name=name, maximum=maximum, pacing=pacing, prompt=prompt, extra=extra)
        return self.start_job(name, numbers, source)

    def start_job(self, name: str, numbers: Sequence[str], source: str) -> JobId:
        """Start a job that calls these numbers in their order by a strategy of the same name."""
        now = RealClock().now()
        campaign = self.system.campaign(name, [self._list(name, numbers)], now, source=source)
        return self.system.start(campaign, now)

    def finished(self, *jobs: JobId) -> bool:
        """Return whether jobs have ended by themselves."""
        return all(self.system.job(job).state is JobState.FINISHED for job in jobs)

    def open_attempts(self) -> dict[str, MediaServerId | None]:
        """Return the attempts that are under way, with the server of each."""
        A = schema.attempts.c  # noqa: N806 - a table's columns

        def read(tx: Tx) -> dict[str, MediaServerId | None]:
            return {
                row.id: row.server_id
                for row in tx.execute(select(A.id, A.server_id).where(A.ended_at.is_(None)))
            }

        return self.database.read_now(read)

    def _list(self, name: str, numbers: Sequence[str]) -> ListId:
        def create(tx: Tx) -> ListId:
            made = contacts.create_list(
                tx,
                RealClock().now(),
                organization_id=self.system.organization_id,
                actor="test",
                name=name,
                default_country="DE",
            )
            rows = [
                {
                    "list_id": made.id,
                    "duplicate_key": number,
                    "external_id": number,
                    "phone": number,
                    "time_zone": "UTC",
                    "attributes": {},
                }
                for number in numbers
            ]
            tx.execute(schema.contacts.insert(), rows)
            return ListId(made.id)

        return self.database.write_now(create)


def make_chain(
    database: Database,
    commands: Programs,
    data_folder: Path,
    network: PublicNetwork,
    servers: Mapping[str, AsteriskServer],
) -> Chain:
    """Return a platform over these servers, whose `commands` keep their files in `data_folder`."""
    commands.configure(database=database.url.render_as_string(hide_password=False))
    data_folder.mkdir(parents=True, exist_ok=True)
    system = campaigning(database, RealClock().now())
    return Chain(system, commands, network, servers, load_sealer(data_folder))
