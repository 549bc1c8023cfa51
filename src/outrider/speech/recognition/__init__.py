"""Speech recognition of a few words, as answers to a question: who listens is `recognizer.py`."""
