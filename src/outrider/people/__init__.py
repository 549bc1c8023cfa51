"""Who may do what: users, their sessions and API tokens, and the three roles.

`web/access.py` authenticates every request through `service`; `cli/users.py` administers.
"""
