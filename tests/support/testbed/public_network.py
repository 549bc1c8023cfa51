"""Moved: see tools/testbed/public_network.py."""

from tools.testbed.public_network import *  # noqa: F403 - the old name, until nobody uses it
