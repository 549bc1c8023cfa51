"""Import of contact files: `reading` and `cleaning` turn a file into clean rows, `store` writes them.

`runtime/importing.py` runs it; nothing here opens a transaction.
"""
