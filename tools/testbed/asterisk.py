"""A real Asterisk of the test bed: started, asked, killed and restarted by tests and by the real demo.

`running_asterisk` is the usual way in; tests have fixtures of it. Any number run side by side.
"""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx

from tools.testbed import ports
from tools.testbed.bed import Bed
from tools.testbed.configuration import CARRIER, Instance, Places, files
from tools.testbed.contents import MODULES
from tools.testbed.waiting import NotSoError, eventually

_STARTS = 3
"""Ports that were free may be taken a moment later by somebody else: then others are tried."""
_BOOT = 30.0
_END = 15.0
_MOST_DESCRIPTORS = 65_536


class AsteriskServer:
    """One Asterisk with ARI, all its files below one folder. Ports stay the same over restarts."""

    def __init__(self, bed: Bed, folder: Path, instance: Instance) -> None:
        self.instance = instance
        self.folder = folder
        self._bed = bed
        self._run = Path(tempfile.mkdtemp(prefix="outrider-asterisk-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(auth=(instance.username, instance.password), timeout=10.0)

    @classmethod
    def start(cls, bed: Bed, folder: Path, carrier_port: int, **options: Any) -> Self:
        """Start a server with free ports that dials the carrier at `carrier_port`; it answers on return.

        `options` are further fields of `configuration.Instance`, as `password`, `without` or fixed ports.
        NotSoError with its log when it does not come up.
        """
        for attempt in range(_STARTS):
            (sip,) = ports.free_udp_ports(1)
            chosen = {"sip_port": sip, "http_port": ports.free_tcp_port(), "media": ports.media_ports()}
            server = cls(bed, folder, Instance(**{**chosen, "carrier_port": carrier_port, **options}))
            try:
                server.launch()
            except BaseException as error:
                server.clean_up()
                if not isinstance(error, NotSoError) or attempt == _STARTS - 1:
                    raise
            else:
                break
        return server

    @property
    def ari_url(self) -> str:
        """Return the base of ARI, as http://127.0.0.1:8088/ari."""
        return f"http://{ports.LOOPBACK}:{self.instance.http_port}/ari"

    @property
    def username(self) -> str:
        """Return the ARI user."""
        return self.instance.username

    @property
    def password(self) -> str:
        """Return the ARI user's password."""
        return self.instance.password

    @property
    def http_port(self) -> int:
        """Return the port of HTTP, ARI and its websockets."""
        return self.instance.http_port

    @property
    def sip_port(self) -> int:
        """Return the UDP port of SIP."""
        return self.instance.sip_port

    @property
    def pid(self) -> int:
        """Return the process id; NotSoError when it was not started."""
        if self._process is None:
            raise NotSoError("this Asterisk was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Return its notices, warnings and errors so far."""
        path = self.folder / "log" / "messages"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def endpoint(self, number: str) -> str:
        """Return the ARI endpoint that calls a number through the carrier."""
        return f"PJSIP/{number}@{CARRIER}"

    def launch(self) -> None:
        """Write the configuration and start the process; return once it is fully booted and ARI answers."""
        if self.running:
            raise NotSoError("this Asterisk runs already")
        self._write()
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                self._command("-f", "-n"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually("Asterisk is fully booted", self._booted, _BOOT)
        if "res_ari_asterisk" not in self.instance.without and "ari.conf" not in self.instance.files:
            eventually("ARI answers", self._answers, 5.0)

    def command(self, line: str, within: float = 10.0) -> str:
        """Return what a command of its console (as `core show version`) prints."""
        done = subprocess.run(
            self._command("-rx", line), capture_output=True, text=True, timeout=within, check=False
        )
        return done.stdout

    def ari(self, method: str, path: str, **query: str) -> httpx.Response:
        """Return the answer to one ARI request; `path` begins with a slash, as /channels."""
        return self._client.request(method, self.ari_url + path, params=query)

    def channels(self) -> list[dict[str, Any]]:
        """Return its channels as ARI lists them: `id`, `state`, `caller`, `connected`, ..."""
        listed: list[dict[str, Any]] = self.ari("GET", "/channels").raise_for_status().json()
        return listed

    def channel_ids(self) -> set[str]:
        """Return the ids of the calls it has now."""
        return {str(channel["id"]) for channel in self.channels()}

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL. Nobody at the far ends is told."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order; calls that are up are hung up."""
        self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """Start it again on the same ports; if it runs, it is stopped first."""
        if self.running:
            self.stop()
        self.launch()

    def suspend(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing is answered, until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `suspend`."""
        os.kill(self.pid, signal.SIGCONT)

    def clean_up(self) -> None:
        """Kill it if it runs, and remove its socket; the rest of its folder stays for who wants to look."""
        with suppress(ProcessLookupError):
            self.kill()
        self._client.close()
        shutil.rmtree(self._run, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self.running:
            os.kill(self.pid, signal.SIGCONT)
            self._process.send_signal(number)
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END)

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return self._bed.command("asterisk", "-C", self.folder / "etc" / "asterisk.conf", *arguments)

    def _booted(self) -> bool:
        if not self.running:
            raise NotSoError(f"Asterisk ended while it started: {self.log[-2000:]}{self._said()[-2000:]}")
        return "fully booted" in self.command("core waitfullybooted", _BOOT)

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return self.ari("GET", "/asterisk/ping").status_code == httpx.codes.OK
        return False

    def _said(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")

    def _write(self) -> None:
        for below in ("etc", "log", "lib/keys", "spool/recording"):
            (self.folder / below).mkdir(parents=True, exist_ok=True)
        (self._run / "asterisk.ctl").unlink(missing_ok=True)
        places = Places(self.folder, self._run, self._bed.modules, self._bed.asterisk_data)
        present = [name for name in MODULES if (self._bed.modules / f"{name}.so").exists()]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        written: Mapping[str, str] = files(self.instance, places, present, min(hard, _MOST_DESCRIPTORS))
        for name, text in written.items():
            (self.folder / "etc" / name).write_text(text, encoding="utf-8")


@contextmanager
def running_asterisk(bed: Bed, folder: Path, carrier_port: int, **options: Any) -> Iterator[AsteriskServer]:
    """Give a started server (arguments as `AsteriskServer.start`); nothing of it runs afterwards."""
    server = AsteriskServer.start(bed, folder, carrier_port, **options)
    try:
        yield server
    finally:
        server.clean_up()
