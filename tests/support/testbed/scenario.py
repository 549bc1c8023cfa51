"""Moved: see tools/testbed/scenario.py."""

from tools.testbed.scenario import *  # noqa: F403 - the old name, until nobody uses it
