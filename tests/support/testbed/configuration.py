"""Moved: see tools/testbed/configuration.py."""

from tools.testbed.configuration import *  # noqa: F403 - the old name, until nobody uses it
