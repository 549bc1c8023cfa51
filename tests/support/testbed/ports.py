"""Moved: see tools/testbed/ports.py."""

from tools.testbed.ports import *  # noqa: F403 - the old name, until nobody uses it
