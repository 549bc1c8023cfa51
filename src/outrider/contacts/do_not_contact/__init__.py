"""Do-not-contact lists: numbers and mail addresses that are never called or mailed.

Checked when contacts are imported, and again at dial time (`service.blocked`).
"""
