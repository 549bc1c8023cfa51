"""Systems with speech servers and calls under way, for tests of the licensed speech connections.

Contract, property and page tests use it; calls are claimed and recorded through the dialing services.
"""

import datetime as dt
from dataclasses import dataclass, field

from outrider.campaigns.outcome import Outcome
from outrider.db.database import Database
from outrider.dialing import claims, plans, results
from outrider.dialing.attempt import Claim, Result
from outrider.ids import AttemptId
from outrider.jobs.loading import load_targets
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import Engine, Plan, SpeechServerId
from support.campaigning import NOON, RULES, Campaigning, campaigning
from support.media import add_worker, connected

ASR, TTS = LicenceKind.ASR, LicenceKind.TTS
ENGINES = {ASR: Engine.POCKETSPHINX, TTS: Engine.ESPEAK}
WORKER = "worker-1"
PORTS = 60


@dataclass
class Speaking:
    """One system with calls; `claims` are those under way by attempt id."""

    system: Campaigning
    claims: dict[AttemptId, Claim] = field(default_factory=dict)
    now: dt.datetime = NOON
    started: int = 0

    @property
    def database(self) -> Database:
        """Return the system's database."""
        return self.system.database

    def license(self, asr: int, tts: int) -> None:
        """Put other counts of speech connections in force, and split them as the platform manager does."""
        self.system.license(self.now, outbound_ports=PORTS, asr=asr, tts=tts)
        self.database.write_now(service.rebalance)

    def server(self, name: str, kind: LicenceKind, maximum: int, weight: int = 1) -> SpeechServerId:
        """Configure a speech server."""
        return self.database.write_now(
            service.add, plan(name, kind, maximum=maximum, weight=weight), self.now, "test"
        ).id

    def calls(self, count: int) -> list[AttemptId]:
        """Start a job of its own with so many calls, and return them."""
        self.started += 1
        name = f"job {self.started}"
        contact_list = self.system.contact_list(name, count, self.now)
        job = self.system.start(self.system.campaign(name, [contact_list], self.now, minimum=count), self.now)
        self.database.write_now(load_targets, RULES, job, self.now, count + 1)
        found: list[AttemptId] = []
        _, dialed = self.database.read_now(plans.admitted_plans, frozenset())
        for each in dialed:
            batch = self.database.write_now(claims.take_batch, RULES, each, count, WORKER, self.now)
            found += [claim.attempt_id for claim in batch.claims]
            self.claims |= {claim.attempt_id: claim for claim in batch.claims}
        assert len(found) == count, "the system could not make that many calls"
        return found

    def end(self, *calls: AttemptId) -> None:
        """Let calls end, as the recorder writes it."""
        ended = [Result(self.claims.pop(each), Outcome.ANSWERED, self.now) for each in calls]
        self.database.write_now(results.record, RULES, ended, self.now)

    def take(self, call: AttemptId, kind: LicenceKind) -> bool:
        """Let a call ask for a connection."""
        return self.database.write_now(service.take, call, kind, self.now)

    def give(self, call: AttemptId, kind: LicenceKind) -> None:
        """Let a call give its connection back."""
        self.database.write_now(service.give, call, kind)

    def shares(self) -> dict[str, tuple[int, int, int]]:
        """Return quota, grant and use of every speech server by name."""
        found = self.database.read_now(service.servers)
        return {each.name: (each.quota, each.granted, each.in_use) for each in found}


def speaking(database: Database) -> Speaking:
    """Return a system with a media server and without speech servers or licences for them."""
    system = campaigning(database)
    system.license(outbound_ports=PORTS)
    database.write_now(add_worker, WORKER, NOON)
    connected(database, NOON, "media", maximum_ports=PORTS)
    return Speaking(system)


def plan(name: str, kind: LicenceKind, *, maximum: int = 10, weight: int = 1, enabled: bool = True) -> Plan:
    """Return a good plan of a speech server."""
    return Plan(
        name=name,
        kind=kind,
        engine=ENGINES[kind],
        maximum=maximum,
        weight=weight,
        enabled=enabled,
        options={},
    )
