"""Predictive pacing: how many lines more to dial now, inside an abandonment budget, explained. Pure."""
