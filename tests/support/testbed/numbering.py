"""Moved: see tools/testbed/numbering.py."""

from tools.testbed.numbering import *  # noqa: F403 - the old name, until nobody uses it
