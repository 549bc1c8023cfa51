"""Renew requirements.lock from pyproject.toml: exact versions with hashes, for Python 3.11 and later.

`make lock` runs it; it needs `uv`, which it takes from the environment or installs there.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Compile the lock file; the exit status is that of the compiler."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    compile_ = ["pip", "compile", "pyproject.toml", "--group", "dev", "--generate-hashes", "--no-header"]
    options = ["--upgrade", "--quiet", "--universal", "--python-version", "3.11", "-o", "requirements.lock"]
    return subprocess.run([sys.executable, "-m", "uv", *compile_, *options], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
