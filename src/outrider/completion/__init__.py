"""Completion codes: what agents say came of a contact, with what follows from it. Per organization."""
