"""The driver for Asterisk 20 and later, over its REST interface (ARI). All that is Asterisk's is in here.

`server.AsteriskServer` is one Asterisk as a voice channel; `check` and `configuration` are for
`outrider media`.
"""
