"""The npm package `smpp`, run by node: an SMPP implementation that is not ours, for contract tests.

Installed on demand into the user's cache. Without node or npm the tests skip and say so; never in CI.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

VERSION = "0.5.1"
SCRIPTS = Path(__file__).parent / "npm_smpp"
INSTALL_SECONDS = 180


def npm_smpp() -> dict[str, str]:
    """Return the environment in which node finds the package; skips the test, or fails it in CI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return _absent("node and npm are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "outrider-tests" / f"npm-smpp-{VERSION}"
    modules = folder / "node_modules"
    if not (modules / "smpp" / "package.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"smpp@{VERSION}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            return _absent(f"npm install smpp@{VERSION} took more than {INSTALL_SECONDS} s")
        if done.returncode:
            return _absent(f"npm install smpp@{VERSION} failed: {done.stderr.strip()[-200:]}")
    return {**os.environ, "NODE_PATH": str(modules)}


def _absent(reason: str) -> dict[str, str]:
    if os.environ.get("CI"):
        pytest.fail(f"the npm peer must be there in CI: {reason}")
    pytest.skip(f"npm package smpp, an SMPP implementation that is not ours: {reason}")


class NpmServer:
    """A running message centre of npm's, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.said: list[dict[str, Any]] = []

    async def hear(self) -> dict[str, Any]:
        """Return the next line it says."""
        if self.process.stdout is None:
            raise RuntimeError("the process was started without a pipe")
        line = json.loads(await self.process.stdout.readline())
        if not isinstance(line, dict):
            raise TypeError(line)
        self.said.append(line)
        return line

    @property
    def submitted(self) -> list[dict[str, Any]]:
        """Return the submissions among what it said."""
        return [line for line in self.said if "messageId" in line]


@asynccontextmanager
async def npm_server(environment: dict[str, str]) -> AsyncIterator[NpmServer]:
    """Give a running message centre on the npm package."""
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPTS / "server.js"), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        server = NpmServer(process, 0)
        server.port = (await server.hear())["port"]
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def npm_client(environment: dict[str, str], port: int) -> dict[str, Any]:
    """Run npm's client against a centre and return what it heard."""
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPTS / "client.js"), str(port), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    heard = json.loads(out)
    if not isinstance(heard, dict):
        raise TypeError(heard)
    return heard
