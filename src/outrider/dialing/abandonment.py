"""How many answered calls found no agent, by campaign and day: what the abandonment budget is counted from.

`results.py` counts with every result, in its transaction; pacing, pages and reports ask `days`.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from outrider.campaigns.outcome import Outcome
from outrider.db.database import Tx
from outrider.dialing import abandonment_store as store
from outrider.dialing.abandonment_store import Counts
from outrider.dialing.attempt import Result

COUNTED_AS: dict[Outcome, Counts] = {
    Outcome.ANSWERED: (1, 0, 0),
    Outcome.ABANDONED: (1, 1, 0),
    Outcome.MACHINE: (0, 0, 1),
}
"""A live answer is a person's, who talked with an agent or found none; machines are told apart."""


def count(tx: Tx, results: Sequence[Result]) -> None:
    """Count results of agents' calls on the day (UTC) of their answer; others are none of this."""
    counts: dict[tuple[int, dt.date], Counts] = {}
    for result in results:
        plan = result.claim.plan
        counted = COUNTED_AS.get(result.outcome)
        if plan.action.agents is None or counted is None:
            continue
        key = (plan.campaign_id, (result.answered_at or result.ended_at).astimezone(dt.UTC).date())
        live, abandoned, machines = counts.get(key, (0, 0, 0))
        counts[key] = (live + counted[0], abandoned + counted[1], machines + counted[2])
    store.add(tx, counts)


def days(tx: Tx, campaign_ids: Iterable[int], since: dt.date) -> dict[int, dict[dt.date, Counts]]:
    """Return live answers, abandoned ones of them, and machines, by campaign and day (UTC) from `since` on.

    Days and campaigns without any are missing.
    """
    return store.days(tx, campaign_ids, since)


def drifts(tx: Tx) -> list[str]:
    """Return every day whose counts are not what the attempts say; for `outrider check`."""
    kept, truth = store.days(tx), store.of_attempts(tx)
    found = []
    for campaign_id in sorted(kept.keys() | truth.keys()):
        counted, said = kept.get(campaign_id, {}), truth.get(campaign_id, {})
        found += [
            f"campaign {campaign_id}, {day}: live, abandoned and machines counted are "
            f"{counted.get(day, (0, 0, 0))}, should be {said.get(day, (0, 0, 0))}"
            for day in sorted(counted.keys() | said.keys())
            if counted.get(day, (0, 0, 0)) != said.get(day, (0, 0, 0))
        ]
    return found
