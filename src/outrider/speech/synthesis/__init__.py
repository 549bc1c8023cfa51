"""Text to speech: engines, a cache of prompts as files, and what media servers are told to play."""
