"""Fixtures of the real test bed for every test of this folder."""

from support.testbed.fixtures import asterisk, asterisk_pair, public_network, testbed

__all__ = ["asterisk", "asterisk_pair", "public_network", "testbed"]
