"""`make demo REAL=1`: the demo over two real Asterisk servers, with SIPp as the public telephone network.

The product's own demo parts (`outrider.demo`) show and report; this package brings the real servers, the
people behind the numbers, and compares our counts with those of everybody outside.
"""
