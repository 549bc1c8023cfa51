"""The SIP and H.323 connections over which telephony ports can be used (licensing.md 7)."""
