"""Speech servers and their licensed connections: text to speech (TTS) and speech recognition (ASR).

Units are counted per call (the seed's rules): ASR from the first recognition to the end of the call, TTS
only while a text is being said. The engines themselves are in `synthesis/` and `recognition/`.
"""
