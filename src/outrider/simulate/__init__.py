"""The simulator: production rules, engine, floor and pacing on a virtual clock (`outrider simulate`)."""
