"""What a simulated carrier did since it started: `carrier` counts, statistics and audits read."""

from dataclasses import dataclass


@dataclass(slots=True)
class CarrierCounts:
    """What a carrier did since it started, for statistics and audits."""

    originated: int = 0
    duplicates_refused: int = 0
    refused: int = 0
    answered: int = 0
    ended: int = 0
    events_lost: int = 0
    most_living: int = 0
