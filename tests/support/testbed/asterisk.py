"""Moved: see tools/testbed/asterisk.py."""

from tools.testbed.asterisk import *  # noqa: F403 - the old name, until nobody uses it
