"""The world outside of the real demo: two Asterisk servers, SIPp behind them, prompts spoken beforehand.

`__main__` holds it open for the time of the run; at the end nothing of it is left running.
"""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from outrider.channels.asterisk.configuration import snippets
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.media.model import Plan
from outrider.speech.synthesis.sound import telephone_wav
from tools.real_demo.scenario import PROMPTS, SERVERS, Server
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.public_network import PublicNetwork, running_network

GENERATED = ("extensions.conf",)
"""What `outrider media config` writes and a bare test server has not: answering-machine detection."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What runs, and where the prompts are as Asterisk sees them."""

    network: PublicNetwork
    servers: tuple[tuple[Server, AsteriskServer], ...]
    sounds: Path
    espeak: str
    """The command line of the bed's espeak-ng, for texts that are spoken during calls."""

    def plans(self) -> list[Plan]:
        """Return the servers as they are to be registered."""
        return [
            Plan(
                name=each.name,
                url=running.ari_url,
                username=running.username,
                secret=running.password,
                trunk=running.endpoint("{number}"),
                maximum_ports=each.maximum_ports,
                weight=each.weight,
            )
            for each, running in self.servers
        ]


@contextmanager
def running_outside(bed: Bed, folder: Path) -> Iterator[Outside]:
    """Start everything below `folder`, and stop it after the block. NotSoError when a part fails."""
    sounds = folder / "sounds"
    _speak(bed, sounds)
    with ExitStack() as stack:
        network = stack.enter_context(running_network(bed, folder / "sipp"))
        servers = tuple(
            (
                each,
                stack.enter_context(
                    running_asterisk(bed, folder / each.name, network.port, additions=_generated())
                ),
            )
            for each in SERVERS
        )
        yield Outside(network, servers, sounds, shlex.join(bed.command("espeak-ng")))


def _generated() -> dict[str, str]:
    """Return the parts of the configuration that the product itself writes for a server."""
    described = AsteriskSettings(name="any", url="http://127.0.0.1:1", username="outrider", password="")
    parts = {part.file: part.text for part in snippets(described) if part.file in GENERATED}
    return {**parts, "modules.conf": "load=func_dialplan.so\n"}


def _speak(bed: Bed, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PROMPTS.items():
        command = bed.command("espeak-ng", "-v", "en-us", "--stdout", text)
        spoken = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
        (folder / f"{name}.wav").write_bytes(telephone_wav(spoken))
