"""The licence server: signed files in, leases of counted features out, to any number of platforms.

`outrider licences serve` runs it as a process of its own (`api`), `outrider serve` embeds it (`embedded`);
platforms ask it through `client`. All state is in the database; the rules are pure (`sharing`, `ledger`).
"""
