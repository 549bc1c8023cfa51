"""Real `outrider` processes for acceptance tests: started, watched, sent signals, and always cleaned up.

Their output goes to files; tests wait for lines and other facts with a deadline, never for a time to pass.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.testbed.waiting import PATIENCE, eventually

from outrider.clock import RealClock

__all__ = ["PATIENCE", "Program", "Programs", "eventually", "programs"]


class Program:
    """One `outrider` process. `started` is the real time of its start."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        self.name = " ".join(arguments)
        self.output = folder / "stdout.txt"
        self.errors = folder / "stderr.txt"
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.started = RealClock().now()
            self.process = subprocess.Popen(
                (sys.executable, "-m", "outrider", *arguments),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text(encoding="utf-8")

    @property
    def complaints(self) -> str:
        """Return what it has written to standard error so far: logs, and the reason of a failure."""
        return self.errors.read_text(encoding="utf-8")

    @property
    def running(self) -> bool:
        """Return whether it has not ended."""
        return self.process.poll() is None

    def wait_for(self, pattern: str, within: float = PATIENCE) -> re.Match[str]:
        """Return the first match of a pattern in its output; AssertionError when it ends without one."""

        def printed() -> re.Match[str] | None:
            ended = not self.running
            found = re.search(pattern, self.text)
            assert found or not ended, f"{self.name} ended with {self.process.returncode}: {self.complaints}"
            return found

        return eventually(f"{self.name} prints {pattern}", printed, within)

    def wait(self, within: float = PATIENCE) -> int:
        """Return its exit status, once it has ended by itself."""
        return self.process.wait(within)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, to this process alone."""
        assert self.running, f"{self.name} ended with {self.process.returncode}: {self.complaints}"
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self, within: float = PATIENCE) -> int:
        """Ask it to end with SIGTERM; return its exit status."""
        self.process.terminate()
        return self.wait(within)

    def clean_up(self) -> None:
        """Kill whatever is left of it and of the processes it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


class Programs:
    """Starts `outrider` commands that share one environment of settings."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self._folder = folder
        self._started: list[Program] = []
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OUTRIDER_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        self._environment = {**own, "PYTHONUNBUFFERED": "1", **_variables(settings)}

    def configure(self, **settings: object) -> None:
        """Change settings of the commands to come, as `carrier__address="..."`."""
        self._environment |= _variables(settings)

    def start(self, *arguments: str, **settings: object) -> Program:
        """Start `outrider ARGUMENTS`, with further settings for it alone."""
        folder = self._folder / f"{len(self._started)}-{arguments[0]}"
        folder.mkdir(parents=True)
        program = Program(arguments, {**self._environment, **_variables(settings)}, folder)
        self._started.append(program)
        return program

    def run(self, *arguments: str, **settings: object) -> Program:
        """Run `outrider ARGUMENTS` to its end."""
        program = self.start(*arguments, **settings)
        program.wait()
        return program

    def clean_up(self) -> None:
        """Kill everything that still runs."""
        for program in self._started:
            program.clean_up()


def _variables(settings: Mapping[str, object]) -> dict[str, str]:
    return {f"OUTRIDER_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def programs(folder: Path, **settings: object) -> Iterator[Programs]:
    """Give a starter of commands whose output goes below `folder`; at the end nothing of them runs."""
    started = Programs(folder, **settings)
    try:
        yield started
    finally:
        started.clean_up()
