"""Fixtures of the real test bed: `from support.testbed.fixtures import *` in a folder's conftest.py.

Where the machine cannot have the bed, tests are skipped with the reason; where the environment sets CI they
fail instead, as nobody reads skips there.
"""

import os
from collections.abc import Iterator

import pytest
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.bed import Bed
from tools.testbed.cache import ensure
from tools.testbed.errors import UnavailableError
from tools.testbed.public_network import PublicNetwork, running_network

__all__ = ["asterisk", "asterisk_pair", "public_network", "testbed"]


@pytest.fixture(scope="session")
def testbed() -> Bed:
    """Give the real Asterisk, SIPp and espeak-ng on disk; nothing runs yet."""
    try:
        return ensure()
    except UnavailableError as error:
        reason = f"the real test bed (Asterisk, SIPp, espeak-ng) is not to be had: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def public_network(testbed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicNetwork]:
    """Give a running public network (SIPp) for the tests of one module."""
    with running_network(testbed, tmp_path_factory.mktemp("sipp")) as network:
        yield network


@pytest.fixture(scope="module")
def asterisk(
    testbed: Bed, public_network: PublicNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskServer]:
    """Give a running Asterisk whose trunk leads to `public_network`, for the tests of one module."""
    with running_asterisk(testbed, tmp_path_factory.mktemp("asterisk"), public_network.port) as server:
        yield server


@pytest.fixture
def asterisk_pair(
    testbed: Bed, public_network: PublicNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AsteriskServer, AsteriskServer]]:
    """Give two fresh servers over one public network: they may be killed."""
    folders = [tmp_path_factory.mktemp(name) for name in ("left", "right")]
    port = public_network.port
    with (
        running_asterisk(testbed, folders[0], port) as left,
        running_asterisk(testbed, folders[1], port) as right,
    ):
        yield left, right
