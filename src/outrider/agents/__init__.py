"""Agents: accounts and skills, sessions, seats, the floor that gives answered calls to them, their API."""
