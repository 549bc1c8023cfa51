"""Ways out, what workers see of them, and what is held of them all together. Pure.

A way out is known by its key: `carrier`, `email`, `bounces`, `webhooks`, `sms.NAME`, `media.ID`, `speech.ID`,
or `zone.NAME` for a zone whose jobs find no media server.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outrider.media.checking import Finding, Level

LONGEST_KEY, LONGEST_SENTENCE, MOST_SENTENCES = 160, 600, 8


class Kind(enum.StrEnum):
    """What sort of way out it is, in the order of the page."""

    CARRIER = "carrier"
    ZONE = "zone"
    MEDIA = "media"
    SPEECH = "speech"
    EMAIL = "email"
    BOUNCES = "bounces"
    SMS = "sms"
    WEBHOOKS = "webhooks"


class Sight(enum.StrEnum):
    """What somebody who tries it sees, from good to bad."""

    WORKING = "working"
    UNTRIED = "untried"
    """No verdict yet."""
    LIMITED = "limited"
    """It can be used, but something does not work."""
    FAILING = "failing"
    """Nothing goes out over it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker sees of a way out: with sentences about what is wrong, none when all is well.

    `name` is what people call it, for the log; it is not kept.
    """

    channel: str
    sight: Sight
    sentences: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A report as it was written down. `at` is when the worker's view changed to it."""

    worker_id: str
    report: Report
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a way out stands, as all `workers` see it together; `affected` of them see it so."""

    sight: Sight
    sentences: tuple[str, ...]
    since: dt.datetime
    workers: int = 1
    affected: int = 1


@dataclass(frozen=True, slots=True)
class Way:
    """A way out that is configured in the settings. `configured` says how, without anything secret."""

    key: str
    kind: Kind
    name: str
    configured: str
    checkable: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """One line of the overview; `standing` is None as long as nobody has told anything."""

    way: Way
    standing: Standing | None
    address: str = ""
    """The page where it is configured, if there is one."""


def judge(told: Iterable[Told]) -> Standing | None:
    """Return how a way out stands, by what living workers see: each goes its own way, so the worst counts.

    The sentences are those of the first worker (by id) that sees the worst.
    """
    seen = sorted(told, key=lambda each: each.worker_id)
    if not seen:
        return None
    order = list(Sight)
    worst = max((each.report.sight for each in seen), key=order.index)
    affected = [each for each in seen if each.report.sight is worst]
    since = min(each.at for each in affected)
    return Standing(worst, affected[0].report.sentences, since, len(seen), len(affected))


def report_of(channel: str, findings: Sequence[Finding], name: str = "") -> Report:
    """Return what a check found, as a report: errors alone when there are any, else warnings."""
    errors = [each.message for each in findings if each.level is Level.ERROR]
    warnings = [each.message for each in findings if each.level is Level.WARNING]
    if errors:
        return Report(channel, Sight.FAILING, tuple(errors), name)
    return Report(channel, Sight.LIMITED if warnings else Sight.WORKING, tuple(warnings), name)
