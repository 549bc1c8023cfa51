"""Compares what those outside counted (SIPp, the message centre) with our own counts. Pure.

Every line must agree for the demo to succeed; the findings of the product's demo say so.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from outrider.campaigns.outcome import Outcome
from outrider.channels.sms.simulated.behaviour import CentreBehaviour, by_suffix
from outrider.channels.sms.simulated.ledger import Ledger
from outrider.demo.figures import CountedTwice
from tools.real_demo.scenario import PRESSED, SAID, WE_CALL_IT
from tools.testbed.numbering import SIP_CODES, planned
from tools.testbed.numbering import Outcome as Fate
from tools.testbed.public_network import Tally

Ours = Mapping[tuple[str, str, str], int]
"""Our attempts of one kind, by address, outcome and disposition."""


def calls(tally: Tally, called: Sequence[tuple[str, str]], ours: Ours) -> Iterator[CountedTwice]:
    """Yield the calls in all, each fate with our name for it, and each pressed key with what it means.

    `called` are called number and caller of every call, as SIPp logged them.
    """
    yield CountedTwice("calls that came to SIPp", tally.offered, sum(ours.values()), "call attempts")
    by_fate: Counter[tuple[Fate, str]] = Counter()
    dispositions: Counter[str] = Counter()
    for (address, outcome, disposition), count in ours.items():
        dispositions[disposition] += count
        found = planned(address)
        if found is not None:
            by_fate[found.outcome, outcome] += count
    for fate, name in WE_CALL_IT.items():
        yield CountedTwice(_shown(fate), tally.outcomes[fate], by_fate[fate, name], name.value)
    pressed = Counter(
        found.detail for number, _ in called if (found := planned(number)) and found.outcome is Fate.PRESSES
    )
    for key, disposition in PRESSED.items():
        yield CountedTwice(f"SIPp pressed {key}", pressed[key], dispositions[disposition], disposition)
    for fate, disposition in SAID.items():
        words = fate.name.lower().replace("says_", "SIPp said ")
        yield CountedTwice(words, tally.outcomes[fate], dispositions[disposition], disposition)
    broken = tally.failed + tally.unknown
    yield CountedTwice("dialogues not as SIP prescribes", broken, 0, "none may be")


def texts(ledger: Ledger, behaviour: CentreBehaviour, ours: Ours) -> Iterator[CountedTwice]:
    """Yield the texts that the message centre was given, and what became of them, beside our outcomes."""
    outcomes: Counter[str] = Counter()
    for (_, outcome, _), count in ours.items():
        outcomes[outcome] += count
    counts = ledger.counts
    lost = sum(
        by_suffix(behaviour.states, each.message.destination.digits) is not None for each in ledger.taken
    )
    arrived, lost = counts["taken"] - lost, counts["refused"] + lost
    yield CountedTwice("texts given to the centre", counts["submitted"], sum(ours.values()), "texts sent")
    yield CountedTwice("texts that arrived, by receipt", arrived, outcomes[Outcome.DELIVERED], "delivered")
    yield CountedTwice(
        "texts refused, or lost by receipt", lost, outcomes[Outcome.UNDELIVERED], "undelivered"
    )


def _shown(fate: Fate) -> str:
    words = fate.name.lower().replace("_", " ")
    code = SIP_CODES.get(fate)
    return f"SIPp: {words}" + ("" if code is None else f" ({code})")
