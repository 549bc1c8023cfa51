"""Short messages in the database: what was submitted, receipts for it, and what people text back.

The channel itself is `channels/sms`; `dialing` moves contacts on by what is told here.
"""
