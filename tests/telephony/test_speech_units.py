"""Issue 3 "must hold" 5 for real: 3 ASR and 2 TTS connections, and 10 calls at once that want both.

A whole worker over a real Asterisk, with espeak-ng and pocketsphinx; far ends that say "yes".
"""

import asyncio
import shlex
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.testbed.asterisk import AsteriskServer
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome, number

from outrider.channels.asterisk.listening import MEDIA
from outrider.channels.media_servers import Engines, MediaServers
from outrider.clock import RealClock
from outrider.db.database import Database, Row
from outrider.fleet import AsteriskFleet
from outrider.licences.model import LicenceKind
from outrider.media import service as media
from outrider.media.model import Plan as MediaPlan
from outrider.runtime import store
from outrider.runtime.composing import Composer
from outrider.runtime.mailing import MailComposer
from outrider.runtime.media_keeper import MediaKeeper
from outrider.runtime.monitor import Monitor
from outrider.runtime.performer import Channels
from outrider.runtime.slots import Slot
from outrider.runtime.webhooks import WebhookChannel
from outrider.runtime.worker import Worker
from outrider.settings import WorkerSettings
from outrider.speaking import Speech
from outrider.speech import service
from outrider.speech.settings import SpeechSettings
from support.campaigning import RULES, Campaigning, campaigning
from support.media import SEALER
from support.outreach import LeapingClock, attempts, people
from support.processes import eventually
from support.speech import ASR, TTS, plan

CALLS, RECOGNITIONS, VOICES = 10, 3, 2
PATIENCE = 60.0
"""Real seconds after which a run has failed."""
YES_AFTER = 3
"""Seconds after the answer at which people say yes: three of them are listened to by then."""

QUESTION = """
name = "{name}"
[[actions]]
name = "ask"
channel = "call"
minimum = 10
maximum = 10
no_resource = "{no_resource}"
resource_wait = 60
prompt = {{ text = "Yes or no?" }}
[actions.menu]
speech = true
timeout = 3
repeats = 0
no_input = "silent"
[[actions.menu.choices]]
digit = "1"
word = "yes"
disposition = "agreed"
say = {{ text = "Thank you." }}
[[actions.menu.choices]]
digit = "2"
word = "no"
disposition = "declined"
"""


@dataclass
class Seen:
    """What was seen of the connections while calls were up: the most of each, and every breach."""

    most: Counter[LicenceKind] = field(default_factory=Counter)
    most_listening: int = 0
    most_calls: int = 0
    breaches: list[str] = field(default_factory=list)


@dataclass
class Running:
    """A worker over one Asterisk, with a speech server of each kind."""

    system: Campaigning
    clock: LeapingClock
    monitor: Monitor
    asterisk: AsteriskServer

    @property
    def database(self) -> Database:
        """Return the system's database."""
        return self.system.database

    async def call_all(self, name: str, no_resource: str) -> tuple[list[Row], Seen]:
        """Call ten people in a job of its own; return their attempts, and what was seen meanwhile."""
        contact_list = await asyncio.to_thread(
            people,
            self.system,
            name,
            [{"phone": number(Outcome.SAYS_YES, serial, YES_AFTER)} for serial in range(CALLS)],
        )
        campaign = await asyncio.to_thread(
            lambda: self.system.campaign(
                name, [contact_list], source=QUESTION.format(name=name, no_resource=no_resource)
            )
        )
        job = await asyncio.to_thread(self.system.start, campaign, self.clock.now())
        seen = Seen()
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.monitor.tick()
                await self._look(seen)
                rows = [row for row in await self.database.read(attempts) if row["job_id"] == job]
                if len(rows) == CALLS and all(row["ended_at"] is not None for row in rows):
                    return rows, seen
                await asyncio.sleep(0.02)

    async def _look(self, seen: Seen) -> None:
        for server in await self.database.read(service.servers):
            seen.most[server.kind] = max(seen.most[server.kind], server.in_use)
            if server.in_use > server.granted:
                seen.breaches.append(f"{server.name}: {server.in_use} in use of {server.granted}")
        up = await asyncio.to_thread(self.asterisk.channel_ids)
        seen.most_listening = max(seen.most_listening, sum(each.endswith(MEDIA) for each in up))
        seen.most_calls = max(seen.most_calls, sum("." not in each for each in up))


@asynccontextmanager
async def running(
    database: Database, folder: Path, bed: Bed, asterisk: AsteriskServer
) -> AsyncIterator[Running]:
    """Run a worker over an Asterisk, on a clock that tells noon."""
    clock = LeapingClock(speed=1.0)
    system = campaigning(database)
    system.license(clock.now(), outbound_ports=20, asr=RECOGNITIONS, tts=VOICES)
    server = MediaPlan(
        name="bed",
        url=asterisk.ari_url.removesuffix("/ari"),
        username=asterisk.username,
        secret=asterisk.password,
        maximum_ports=20,
    )
    database.write_now(media.add, SEALER, server, clock.now(), "test")
    for name, kind in (("ears", ASR), ("mouth", TTS)):
        database.write_now(service.add, plan(name, kind, maximum=10), clock.now(), "test")
    settings = SpeechSettings(prompts_folder=folder / "prompts", espeak=shlex.join(bed.command("espeak-ng")))
    speech, slot = Speech(database, settings), Slot(folder)
    voice = MediaServers(clock, None, Engines(speech.speaker, speech.recognizer))
    fleet = AsteriskFleet(voice, "tests", "sound:")
    worker = Worker(
        database,
        RULES,
        clock,
        RealClock(),
        Channels(voice, None, None, WebhookChannel(clock)),
        Composer(MailComposer(b"0123456789abcdef", "http://localhost")),
        slot,
        WorkerSettings(poll=0.05, result_delay=0.01),
        MediaKeeper(database, clock, RealClock(), SEALER, fleet, 0.2),
    )
    voice.on_doubt = worker.driver.doubt
    task = asyncio.ensure_future(worker.run())
    try:
        yield Running(system, clock, Monitor(database, RULES, clock, RealClock()), asterisk)
    finally:
        await worker.stop(patience=1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await worker.close()
        await speech.close()
        slot.release()


def test_ten_calls_share_three_recognitions_and_two_voices(
    database: Database,
    testbed: Bed,
    asterisk: AsteriskServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    async def scenario() -> tuple[list[Row], Seen]:
        async with running(database, tmp_path, testbed, asterisk) as system:
            return await system.call_all("patient", "wait")

    rows, seen = asyncio.run(scenario())
    said = Counter(row["disposition"] for row in rows)
    record_property(
        "measured",
        f"{seen.most_calls} calls up, ASR {seen.most[ASR]}, TTS {seen.most[TTS]} at most, said {dict(said)}",
    )
    assert {row["outcome"] for row in rows} == {"answered"}
    assert set(said) <= {"agreed", "silent"}
    assert said["agreed"] >= 1, "those who were listened to in time were understood"
    assert seen.most == {ASR: RECOGNITIONS, TTS: VOICES}, "all are used, and never more"
    assert seen.most_calls == CALLS
    assert 1 <= seen.most_listening <= RECOGNITIONS
    check_nothing_is_left(database, asterisk, seen)
    assert {each.name: each.refused for each in database.read_now(service.servers)} == {"ears": 0, "mouth": 0}


def test_calls_that_may_not_wait_end_as_no_resource(
    sqlite_database: Database, testbed: Bed, asterisk: AsteriskServer, tmp_path: Path
) -> None:
    async def scenario() -> tuple[list[Row], Seen]:
        async with running(sqlite_database, tmp_path, testbed, asterisk) as system:
            return await system.call_all("hasty", "hangup")

    rows, seen = asyncio.run(scenario())
    outcomes = Counter(row["outcome"] for row in rows)
    assert set(outcomes) == {"answered", "no_resource"}
    assert outcomes["no_resource"] >= CALLS - RECOGNITIONS - VOICES
    assert seen.most[TTS] <= VOICES
    assert seen.most[ASR] <= RECOGNITIONS
    check_nothing_is_left(sqlite_database, asterisk, seen)
    refused = sum(each.refused for each in sqlite_database.read_now(service.servers))
    assert refused >= outcomes["no_resource"]


def check_nothing_is_left(database: Database, asterisk: AsteriskServer, seen: Seen) -> None:
    """Every connection is back, every sum is true, and nothing of the calls is left on the server."""
    assert seen.breaches == []
    servers = database.read_now(service.servers)
    assert [(each.in_use, each.granted) for each in servers] == [(0, each.quota) for each in servers]
    assert database.read_now(service.use_by_job) == []
    assert database.read_now(store.drifts) == []
    eventually("nothing is left on the server", lambda: not asterisk.channel_ids())
