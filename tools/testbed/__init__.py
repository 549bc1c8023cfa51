"""The real test bed: Asterisk, SIPp and espeak-ng from the distribution's own packages, without root.

`cache.ensure` gives a `Bed` (it fetches once, then it is cached by version); `python -m tools.testbed` is the
command line over it. Tests and the demo over real media servers call `ensure`.
"""
