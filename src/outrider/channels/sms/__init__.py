"""Text messages over SMPP 3.4: an own codec and session layer behind the TextChannel of `channels/base.py`.

Edges with asyncio: `connecting`, `link`, `joining`, `session`, `channel`, `check` and `simulated/` (a message
centre). All other modules are pure: codec, alphabets, segments, receipts, keywords, settings, pace.
"""
