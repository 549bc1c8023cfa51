"""Ways to reach people: a simulated carrier and SMTP, each behind the small Protocols of `base.py`."""
