"""A decision of pacing, with every number set, for tests of what people are told about one."""

from outrider.dialing.predictive.model import Bound, Decision

DECISION = Decision(
    lines=0,
    bound=Bound.AGENTS,
    free=1,
    busy=2,
    ringing=3,
    waiting=0,
    expected_answers=1.0,
    expected_releases=0.5,
    live_share=0.3,
    live_low=0.2,
    live_high=0.4,
    answer_seconds=12.0,
    handling_seconds=90.0,
    risk=0.08,
    allowed=0.03,
    abandonment=0.01,
    abandonment_today=0.0,
    limit=0.03,
)
