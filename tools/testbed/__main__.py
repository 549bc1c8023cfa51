"""`python -m tools.testbed fetch|refresh|path|run PROGRAM ...`: the test bed from the command line.

The Makefile and people call it. Progress is shown on a terminal only.
"""

import os
import sys

from tools.testbed.bed import Program
from tools.testbed.cache import ensure
from tools.testbed.errors import UnavailableError

USAGE = """usage: python -m tools.testbed COMMAND
  fetch                 bring Asterisk, SIPp and espeak-ng into the cache, unless they are there
  refresh               bring the newest versions
  path                  print the folder of the bed (fetches it when needed)
  run PROGRAM [ARG...]  run asterisk, sipp or espeak-ng of the bed"""

_PROGRAMS: dict[str, Program] = {"asterisk": "asterisk", "sipp": "sipp", "espeak-ng": "espeak-ng"}


def progress(line: str) -> None:
    """Show one line of progress to a person; a log would not want it."""
    if sys.stderr.isatty():
        print("test bed:", line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Carry out a command; return its exit status: 1 when there is no bed, 2 for a wrong command line."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in {"fetch", "refresh", "path", "run"} or (command == "run" and rest[:1] not in _NAMED):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        bed = ensure(refresh=command == "refresh", report=progress)
    except UnavailableError as error:
        print(f"test bed: {error}", file=sys.stderr)
        return 1
    if command == "run":
        line = bed.command(_PROGRAMS[rest[0]], *rest[1:])
        os.execv(line[0], line)  # noqa: S606 - no shell is wanted
    versions = ", ".join(f"{name} {version}" for name, version in bed.versions.items())
    print(bed.folder if command == "path" else f"{bed.folder}: {versions}")
    return 0


_NAMED = [[name] for name in _PROGRAMS]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
