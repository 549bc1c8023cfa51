"""Speech connections as a state machine: whatever is licensed, configured, taken or ended, sums stay true.

The service runs on a real SQLite database; hypothesis looks for the sequence after which a rule of
licensing.md 2 and 4.5, or a count, does not hold for the speech servers.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from outrider.db.database import Database
from outrider.errors import ConflictError, LicenceShortageError
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import SpeechServer
from support.campaigning import NOON
from support.databases import sqlite_url
from support.speech import ASR, TTS, plan, speaking

KINDS = (ASR, TTS)
CALLS = 10
MOST_LICENSED = 8


class Accounting(RuleBasedStateMachine):
    """Ten calls of one job over up to six servers. `held` is what each call that is up should have."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        folder = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        database = Database(self.resources.enter_context(sqlite_url(folder)), connections=1)
        self.resources.callback(database.close)
        self.system = speaking(database)
        self.licensed = {ASR: 0, TTS: 0}
        self.held: dict[AttemptId, set[LicenceKind]] = {}
        self.ended: list[AttemptId] = []
        self.refused = 0

    @initialize(asr=st.integers(1, MOST_LICENSED), tts=st.integers(1, MOST_LICENSED))
    def begin(self, asr: int, tts: int) -> None:
        """License something, configure a server of each kind, and make the calls."""
        self.license(asr, tts)
        for kind in KINDS:
            self.system.server(f"first {kind}", kind, MOST_LICENSED)
        self.held = {call: set() for call in self.system.calls(CALLS)}

    @rule(asr=st.integers(0, MOST_LICENSED), tts=st.integers(0, MOST_LICENSED))
    def license(self, asr: int, tts: int) -> None:
        """Put other counts in force, more or fewer, also none."""
        self.system.license(asr=asr, tts=tts)
        self.licensed = {ASR: asr, TTS: tts}

    @rule(
        number=st.integers(1, 2),
        kind=st.sampled_from(KINDS),
        maximum=st.integers(1, 6),
        weight=st.integers(1, 3),
        enabled=st.booleans(),
    )
    def configure(self, number: int, kind: LicenceKind, maximum: int, weight: int, *, enabled: bool) -> None:
        """Add a server, or change it when it is there; a new one is refused without licences for it."""
        wanted = plan(f"{kind} {number}", kind, maximum=maximum, weight=weight, enabled=enabled)
        known = {each.name: each.id for each in self.servers()}
        write = self.system.database.write_now
        if wanted.name in known:
            write(service.change, known[wanted.name], wanted, NOON, "somebody")
            return
        try:
            write(service.add, wanted, NOON, "somebody")
        except LicenceShortageError:
            assert self.licensed[kind] == 0
        else:
            assert self.licensed[kind] > 0

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """Remove a server; refused exactly while calls use it."""
        servers = self.servers()
        if not servers:
            return
        server = data.draw(st.sampled_from(servers))
        try:
            self.system.database.write_now(service.remove, server.id, NOON, "somebody")
        except ConflictError:
            assert server.in_use > 0
        else:
            assert server.in_use == 0

    @precondition(lambda self: self.held)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def take(self, data: st.DataObject, kind: LicenceKind) -> None:
        """Take: granted exactly when a unit is free, or the call has one; the last one is never shared."""
        call = data.draw(st.sampled_from(list(self.held)))
        free = sum(max(0, each.granted - each.in_use) for each in self.servers(kind))
        taken = self.system.take(call, kind)
        assert taken == (kind in self.held[call] or free > 0)
        if taken:
            self.held[call].add(kind)
        else:
            self.system.database.write_now(service.refuse, kind)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def take_too_late(self, data: st.DataObject, kind: LicenceKind) -> None:
        """Ask for a call that is over: it gets nothing."""
        assert not self.system.take(data.draw(st.sampled_from(self.ended)), kind)

    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def give(self, data: st.DataObject, kind: LicenceKind) -> None:
        """Give back, whether the call has one or not, is up or over."""
        call = data.draw(st.sampled_from([*self.held, *self.ended]))
        self.system.give(call, kind)
        if call in self.held:
            self.held[call].discard(kind)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """Let some calls end in one batch: whatever they had is free."""
        calls = data.draw(st.lists(st.sampled_from(list(self.held)), min_size=1, unique=True))
        self.system.end(*calls)
        for call in calls:
            del self.held[call]
        self.ended += calls

    def servers(self, kind: LicenceKind | None = None) -> list[SpeechServer]:
        """Return all servers, or those of a kind."""
        return self.system.database.read_now(service.servers, kind)

    @invariant()
    def units_stay_inside_what_is_licensed(self) -> None:
        for kind in KINDS:
            servers = self.servers(kind)
            in_use = sum(each.in_use for each in servers)
            charged = sum(max(each.granted, each.in_use) for each in servers)
            assert charged <= max(self.licensed[kind], in_use), "licensing.md 2.1"
            room = sum(each.maximum for each in servers if each.enabled)
            assert sum(each.quota for each in servers) == min(self.licensed[kind], room)
            for each in servers:
                assert each.granted <= each.quota <= each.maximum
                assert each.enabled or each.quota == 0

    @invariant()
    def no_unit_is_free_while_a_server_is_owed_one(self) -> None:
        for kind in KINDS:
            servers = self.servers(kind)
            charged = sum(max(each.granted, each.in_use) for each in servers)
            if charged < self.licensed[kind]:
                assert all(each.granted == each.quota for each in servers), "licensing.md 4.5"

    @invariant()
    def calls_have_what_they_took(self) -> None:
        database = self.system.database
        held = database.read_now(service.held, [*self.held, *self.ended])
        assert held == {call: kinds for call, kinds in self.held.items() if kinds}
        for kind in KINDS:
            in_use = sum(each.in_use for each in self.servers(kind))
            assert in_use == sum(kind in kinds for kinds in self.held.values())
        assert database.read_now(service.drifts) == []
        by_job = {row["kind"]: row["units"] for row in database.read_now(service.use_by_job)}
        assert by_job == {
            kind: units for kind in KINDS if (units := sum(kind in each for each in self.held.values()))
        }

    def teardown(self) -> None:
        """End all calls: then nothing is in use."""
        try:
            if self.held:
                self.system.end(*self.held)
            assert all(each.in_use == 0 and each.granted == each.quota for each in self.servers())
        finally:
            self.resources.close()


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
