"""Workers under test: the real ones, over whatever channels a test gives them."""

import datetime as dt
from pathlib import Path

from outrider.channels.base import MailChannel, TextChannel, VoiceChannel
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.db.database import Database
from outrider.runtime.composing import Composer
from outrider.runtime.mailing import MailComposer
from outrider.runtime.performer import Channels
from outrider.runtime.slots import Slot
from outrider.runtime.webhooks import WebhookChannel
from outrider.runtime.worker import Worker
from outrider.settings import WorkerSettings
from support.campaigning import RULES

SECRET = b"0123456789abcdef"


class ShiftedClock(ScaledClock):
    """Scaled time that begins at a given moment, whatever the day of the test."""

    def __init__(self, speed: float, start: dt.datetime) -> None:
        super().__init__(speed, RealClock().now())
        self._shift = start - self.anchor

    def now(self) -> dt.datetime:
        """Return the present time of the test."""
        return super().now() + self._shift


def a_worker(
    database: Database,
    clock: Clock,
    voice: VoiceChannel,
    folder: Path,
    *,
    mail: MailChannel | None = None,
    text: TextChannel | None = None,
    poll: float = 0.05,
    with_floor: bool = False,
) -> Worker:
    """Return a worker that dials over these channels; the folder holds its slot.

    `with_floor`: it may have the floor of agents.
    """
    return Worker(
        database,
        RULES,
        clock,
        RealClock(),
        Channels(voice, mail, text, WebhookChannel(clock)),
        Composer(MailComposer(SECRET, "http://localhost")),
        Slot(folder),
        WorkerSettings(poll=poll),
        with_floor=with_floor,
    )
