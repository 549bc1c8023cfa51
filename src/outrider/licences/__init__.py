"""The heart: who may use how many of what, and why. Pure rules over frozen records (licensing.md 2-9)."""
