"""A simulated carrier: the embedded default, and a server of its own for several workers and kill tests.

`behaviour` and `fate` are pure, `carrier` is the media server's core, `embedded`, `server` and `client`
bring it to the VoiceChannel of `channels/base.py`.
"""
