"""A message centre (SMSC) of our own: for tests, the demo and `outrider sms simulate`; speaks SMPP 3.4."""
