"""What to do: strategies, their documents, outcomes and calling hours. Pure rules first, stores beside.

Jobs run what is described here; `dialing` follows the retry rules of a strategy.
"""
