"""Rules of contact as data, by jurisdiction: abandoned calls, ringing, lockouts, each with source and date.

Strategies name a pack (`abandonment.pack`); what they say themselves goes before it. Not legal advice. Pure.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from outrider.campaigns.strategy_agents import AbandonmentRule

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class RulePack:
    """One jurisdiction's rules as we apply them: `version` and `effective` say which text is meant."""

    name: str
    version: str
    effective: dt.date
    source: str
    abandonment: AbandonmentRule
    minimum_ring: float = 15.0
    """Seconds."""


PACKS: Mapping[str, RulePack] = MappingProxyType(
    {
        pack.name: pack
        for pack in (
            RulePack(
                "default",
                "1",
                dt.date(2026, 1, 1),
                "the strictest of the packs below that count per campaign",
                AbandonmentRule("default", 0.03, 30, "live", 2.0, 3 * DAY),
            ),
            RulePack(
                "us",
                "1",
                dt.date(2012, 11, 15),
                "47 CFR 64.1200(a)(6) and (7); 16 CFR 310.4(b)(4)",
                AbandonmentRule("us", 0.03, 30, "live", 2.0, None),
            ),
            RulePack(
                "uk",
                "1",
                dt.date(2017, 3, 1),
                "Communications Act 2003 s.128-131; practice: 3 % in 24 hours, 72 hours to the next call",
                AbandonmentRule("uk", 0.03, 1, "uk", 2.0, 3 * DAY),
            ),
            RulePack(
                "california",
                "1",
                dt.date(2003, 7, 1),
                "CPUC D.02-06-072: 1 % error rate",
                AbandonmentRule("california", 0.01, 30, "live", 2.0, None),
            ),
            RulePack(
                "canada",
                "1",
                dt.date(2009, 1, 1),
                "CRTC unsolicited telecommunications rules: 5 % a month",
                AbandonmentRule("canada", 0.05, 30, "live", 2.0, None),
            ),
        )
    }
)
"""Every pack by its name."""
