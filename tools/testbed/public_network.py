"""SIPp as the public telephone network: every number of the plan, with SIPp's own counts of what happened.

`running_network` is the usual way in; tests have a fixture of it. Numbers come from `numbering.number`.
"""

import os
import re
import resource
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.testbed import ports, speech_files
from tools.testbed.bed import Bed
from tools.testbed.numbering import Outcome
from tools.testbed.scenario import CANCELLED, FAR_HANGUP, OFFERED, UNKNOWN, counter, scenario
from tools.testbed.waiting import NotSoError, eventually

_START = 15.0
_END = 10.0
_MOST_CALLS, _SPARE_DESCRIPTORS = 20_000, 1_000
_AUDIO = "6000"
"""First UDP port of its audio: below those of Asterisk."""
_NO_ERRORS = (
    r"receive timeout on message|events occurred|Invalid double conversion|open files \(|: Dead call|^\s*$"
)
"""Entries of the error log about waits that are part of the scenario, unknown and dead numbers."""
_TAIL = 8_192
"""Bytes: longer than two reports."""
_REPORT = "200ms"
"""How often SIPp writes its statistics."""


@dataclass(frozen=True, slots=True)
class Tally:
    """SIPp's own counts since it started.

    `outcomes` counts calls by what became of them; `cancelled` are calls to answering numbers that ended by
    CANCEL while they rang, `unknown` calls to numbers outside the plan, `current` calls that are not over,
    `failed` calls whose dialogue did not go as SIP prescribes.
    """

    outcomes: Mapping[Outcome, int]
    offered: int
    cancelled: int
    unknown: int
    far_hangups: int
    current: int
    succeeded: int
    failed: int

    @property
    def seen(self) -> dict[Outcome, int]:
        """Return the outcomes that happened at all."""
        return {outcome: count for outcome, count in self.outcomes.items() if count}


class PublicNetwork:
    """One SIPp process on a UDP port of its own."""

    def __init__(self, bed: Bed, folder: Path, port: int) -> None:
        self.port = port
        self.folder = folder
        self._bed = bed
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self._process is None:
            raise NotSoError("SIPp was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start SIPp; return once it answers its port. NotSoError with its words when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        script = self.folder / "public_network.xml"
        script.write_text(
            scenario(_audio(self._bed), self._bed.key_presses if raw_sockets() else None), encoding="latin-1"
        )
        with (self.folder / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(
                self._bed.command("sipp", *self._arguments(script)),
                cwd=self.folder,
                env={**os.environ, "TERM": "dumb"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually("SIPp has bound its port", self._bound, _START)

    def tally(self) -> Tally:
        """Return the counts as of SIPp's last report, at most a fifth of a second ago."""
        with (self.folder / "statistics.csv").open("rb") as file:
            head = file.readline()
            file.seek(max(len(head), file.seek(0, os.SEEK_END) - _TAIL))
            rows = [line for line in file.read().splitlines(keepends=True) if line.endswith(b"\n")]
        if not rows:
            return _tally({})
        names, values = (line.decode("ascii").split(";") for line in (head, rows[-1]))
        return _tally(dict(zip(names, values, strict=False)))

    def settled(self, offered: int, within: float = 30.0) -> Tally:
        """Return the counts once `offered` calls have come and all are over, or raise NotSoError."""

        def over() -> Tally | None:
            now = self.tally()
            return now if now.offered >= offered and now.current == 0 else None

        return eventually(f"{offered} calls have come and are over", over, within)

    def called(self) -> list[tuple[str, str]]:
        """Return called number and caller's number of every call, in the order in which they came."""
        path = self.folder / "calls.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(parts[0], parts[1] if len(parts) > 1 else "") for line in lines if (parts := line.split())]

    @property
    def errors(self) -> str:
        """Return what SIPp complained of so far, as unexpected messages; its own waits are no errors."""
        path = self.folder / "errors.log"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        entries = re.split(r"^(?=\d{4}-\d\d-\d\d\t)", text, flags=re.MULTILINE)
        return "".join(entry for entry in entries if not re.search(_NO_ERRORS, entry))

    def kill(self) -> None:
        """End it as a power cut would: the trunk is dead, nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END)

    def _arguments(self, script: Path) -> tuple[str | Path, ...]:
        return (
            *(
                "-sf",
                script,
                "-i",
                ports.LOOPBACK,
                "-mi",
                ports.LOOPBACK,
                "-p",
                str(self.port),
                "-mp",
                _AUDIO,
            ),
            *("-nostdin", "-l", str(_most_calls()), "-trace_err", "-error_file", "errors.log"),
            *("-trace_stat", "-stf", "statistics.csv", "-fd", _REPORT),
            *("-trace_logs", "-log_file", "calls.log"),
        )

    def _bound(self) -> bool:
        if not self.running:
            raise NotSoError(f"SIPp ended while it started: {self._said()[-2000:]}{self.errors[-2000:]}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((ports.LOOPBACK, self.port))
            except OSError:
                return (self.folder / "statistics.csv").exists()
        return False

    def _said(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")


def raw_sockets() -> bool:
    """Return whether this user may open raw sockets, as SIPp needs them to play recorded key presses."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP):
            return True
    except PermissionError:
        return False


@contextmanager
def running_network(bed: Bed, folder: Path, port: int | None = None) -> Iterator[PublicNetwork]:
    """Give a started public network on `port` (by default a free one); nothing of it runs afterwards."""
    network = PublicNetwork(bed, folder, port or ports.free_udp_ports(1)[0])
    try:
        network.launch()
        yield network
    finally:
        network.kill()


def _most_calls() -> int:
    """Return how many calls SIPp may hold at once: each may open two sockets for audio."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, min(_MOST_CALLS, (soft - _SPARE_DESCRIPTORS) // 2))


def _audio(bed: Bed) -> dict[Outcome, Path]:
    return {
        Outcome.MACHINE: speech_files.spoken(bed, speech_files.GREETING, before=0.3, after=20.0),
        Outcome.HUMAN: speech_files.spoken(bed, "Hello?", before=0.3, after=20.0),
        Outcome.SAYS_YES: speech_files.spoken(bed, "Yes.", before=0.2, after=20.0),
        Outcome.SAYS_NO: speech_files.spoken(bed, "No.", before=0.2, after=20.0),
        Outcome.FAX: speech_files.fax(bed),
        **dict.fromkeys((Outcome.PHONE, Outcome.TALKS), speech_files.spoken(bed, "Go on.", after=1.0)),
    }


def _tally(row: Mapping[str, str]) -> Tally:
    def counted(name: str) -> int:
        return int(row.get(f"{name}(C)", "0") or 0)

    return Tally(
        outcomes={outcome: counted(counter(outcome)) for outcome in Outcome},
        offered=counted(OFFERED),
        cancelled=counted(CANCELLED),
        unknown=counted(UNKNOWN),
        far_hangups=counted(FAR_HANGUP),
        current=int(row.get("CurrentCall", "0") or 0),
        succeeded=counted("SuccessfulCall"),
        failed=counted("FailedCall"),
    )
