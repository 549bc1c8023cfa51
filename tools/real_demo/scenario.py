"""What the real demo shows: licences, lists, campaigns, and who answers how behind the numbers. Data.

`contact_list` writes the lists, `counting` compares what came of them. Numbers are those of the test bed's
public network, where a number says what happens when it is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from outrider.campaigns.outcome import Outcome
from outrider.demo.scenario import CallList, DemoCampaign, Scenario
from outrider.licences.model import LicenceKind
from outrider.speech.model import Engine, Plan
from tools.testbed.numbering import Outcome as Fate

PORTS: Final = 24
ASR: Final = 16
"""As many as the survey may have calls: nobody who says yes is kept waiting until they have said it."""
TTS: Final = 3
"""Few: calls wait for their turn to be thanked."""
STRATEGIES: Final = Path(__file__).with_name("strategies")

CUSTOMERS, SUBSCRIBERS, PANEL = "Customers", "Subscribers", "Survey panel"

REAL: Final = Scenario(
    licences={
        LicenceKind.OUTBOUND_PORTS: PORTS,
        LicenceKind.TELEPHONY_PORTS: PORTS,
        LicenceKind.ASR: ASR,
        LicenceKind.TTS: TTS,
        LicenceKind.EMAIL: 1,
        LicenceKind.SMS: 1,
    },
    lists=(CallList(CUSTOMERS), CallList(SUBSCRIBERS), CallList(PANEL)),
    campaigns=(
        DemoCampaign("reminders.toml", CUSTOMERS, folder=STRATEGIES),
        DemoCampaign("notices.toml", SUBSCRIBERS, folder=STRATEGIES),
        DemoCampaign("survey.toml", PANEL, folder=STRATEGIES),
        DemoCampaign("texts.toml", PANEL, folder=STRATEGIES),
        DemoCampaign("invoices.toml", SUBSCRIBERS, folder=STRATEGIES),
    ),
)

SIZES: Final[Mapping[str, int]] = {CUSTOMERS: 45, SUBSCRIBERS: 80, PANEL: 100}
"""Contacts of each list, in a hundred of what was asked for: the important list is soon called through."""

IDLE_AFTER: Final = 3.0
"""Seconds: the usual minute would be most of this demo."""

PROMPTS: Final[Mapping[str, str]] = {
    "reminder": "You have an appointment tomorrow. Press one to confirm. Press nine to be removed.",
    "thanks": "Thank you.",
    "removed": "You will not be called again.",
    "notice": "Your supply is interrupted tonight from two to four o'clock.",
    "survey": "Did you like our service? Please say yes or no.",
}
"""Audio files that the strategies name, and what is spoken into them."""


@dataclass(frozen=True, slots=True)
class Server:
    """A media server of the demo; `weight` decides its part of the ports."""

    name: str
    weight: int
    maximum_ports: int = 30


SERVERS: Final = (Server("north", 2), Server("south", 1))


@dataclass(frozen=True, slots=True)
class Share:
    """So many in a hundred contacts of a list have numbers of this fate and detail."""

    fate: Fate
    share: int
    detail: int = 0


PEOPLE: Final[Mapping[str, tuple[Share, ...]]] = {
    CUSTOMERS: (
        Share(Fate.PRESSES, 38, 1),
        Share(Fate.PRESSES, 6, 9),
        Share(Fate.ANSWERS, 22, 2),
        Share(Fate.BUSY, 14),
        Share(Fate.UNAVAILABLE, 8),
        Share(Fate.NO_ANSWER, 12),
    ),
    SUBSCRIBERS: (
        Share(Fate.HUMAN, 44),
        Share(Fate.MACHINE, 20),
        Share(Fate.CONGESTED, 14),
        Share(Fate.REJECTED, 10),
        Share(Fate.UNALLOCATED, 12),
    ),
    PANEL: (
        Share(Fate.SAYS_YES, 24, 5),
        Share(Fate.SAYS_NO, 12, 5),
        Share(Fate.ANSWERS, 10, 1),
        Share(Fate.HANGS_UP, 20, 2),
        Share(Fate.BUSY, 18),
        Share(Fate.UNALLOCATED, 9),
        Share(Fate.CONGESTED, 7),
    ),
}

WE_CALL_IT: Final[Mapping[Fate, Outcome]] = {
    Fate.ANSWERS: Outcome.ANSWERED,
    Fate.HANGS_UP: Outcome.ANSWERED,
    Fate.HUMAN: Outcome.ANSWERED,
    Fate.PRESSES: Outcome.ANSWERED,
    Fate.SAYS_YES: Outcome.ANSWERED,
    Fate.SAYS_NO: Outcome.ANSWERED,
    Fate.MACHINE: Outcome.MACHINE,
    Fate.BUSY: Outcome.BUSY,
    Fate.UNALLOCATED: Outcome.FAILED,
    Fate.REJECTED: Outcome.FAILED,
    Fate.CONGESTED: Outcome.CONGESTION,
    Fate.UNAVAILABLE: Outcome.NO_ANSWER,
    Fate.NO_ANSWER: Outcome.NO_ANSWER,
}
"""The outcome that each fate of a number is to have with us."""

PRESSED: Final[Mapping[int, str]] = {1: "confirmed", 9: "removed"}
"""What a pressed key means to the reminders."""

SAID: Final[Mapping[Fate, str]] = {Fate.SAYS_YES: "liked", Fate.SAYS_NO: "disliked"}
"""What a spoken word means to the survey."""

VOICES: Final = (
    Plan(name="voice", kind=LicenceKind.TTS, engine=Engine.ESPEAK, maximum=TTS),
    Plan(name="ears", kind=LicenceKind.ASR, engine=Engine.POCKETSPHINX, maximum=ASR),
)
"""The speech servers."""
