"""Make the environment of this checkout: `python3 tools/bootstrap.py .venv`. Only the standard library.

The Makefile calls it. Debian splits `venv` and `pip` from Python; where they are missing, it says what to do.
"""

import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> int:
    """Create the environment and install the locked packages and this one into it."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return _stop(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {found}: make PYTHON=python3.12"
        )
    try:
        venv.EnvBuilder(with_pip=True, clear=False, symlinks=True).create(folder)
    except (subprocess.CalledProcessError, OSError) as error:
        return _stop(f"the environment cannot be made ({error}): on Debian, apt-get install python3-venv")
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    print("Installing into", folder, "(a minute the first time)", flush=True)
    for arguments in (["--require-hashes", "-r", "requirements.lock"], ["--no-deps", "-e", "."]):
        if subprocess.run([*pip, *arguments], cwd=ROOT, check=False).returncode:
            return _stop("the packages could not be installed; the lines above say why")
    return 0


def _stop(message: str) -> int:
    print("bootstrap:", message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".venv")))
