"""A test bed on disk: where its parts are, and how its programs are started.

Programs run through the bed's own dynamic loader with the bed's libraries, so that they work for any user on
a machine whose libraries are older.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Program = Literal["asterisk", "sipp", "espeak-ng"]


@dataclass(frozen=True, slots=True)
class Bed:
    """An unpacked, verified test bed below `folder`, and its packages' versions."""

    folder: Path
    versions: dict[str, str]

    @property
    def modules(self) -> Path:
        """Return the folder of Asterisk's modules."""
        return self.folder / "modules"

    @property
    def asterisk_data(self) -> Path:
        """Return Asterisk's data folder: sounds and documentation."""
        return self.folder / "share" / "asterisk"

    @property
    def key_presses(self) -> Path:
        """Return SIPp's folder of recorded RFC 4733 events, dtmf_2833_*.pcap."""
        return self.folder / "share" / "sip-tester"

    def command(self, program: Program, *arguments: str | Path) -> tuple[str, ...]:
        """Return the command line that runs a program of the bed."""
        start = (str(self.folder / "ld.so"), "--library-path", str(self.folder / "lib"))
        own = ("--path", str(self.folder / "share")) if program == "espeak-ng" else ()
        return (
            *start,
            str(self.folder / "bin" / program),
            *own,
            *(os.fspath(argument) for argument in arguments),
        )
