"""Outrider: an outreach manager that shares a limited number of licences among campaigns.

The package is laid out by slices (licences, contacts, campaigns, jobs, dialing...); `app.py` composes
them into a program and `cli/` is the command line. `docs/how-it-works.md` is the map.
"""

__version__ = "0.1.0"
