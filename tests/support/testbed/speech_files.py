"""Moved: see tools/testbed/speech_files.py."""

from tools.testbed.speech_files import *  # noqa: F403 - the old name, until nobody uses it
