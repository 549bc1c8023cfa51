"""Workers under test: the real ones, over whatever channels a test gives them."""

from pathlib import Path

from outrider.channels.base import MailChannel, TextChannel, VoiceChannel
from outrider.clock import Clock, RealClock
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


def a_worker(
    database: Database,
    clock: Clock,
    voice: VoiceChannel,
    folder: Path,
    *,
    mail: MailChannel | None = None,
    text: TextChannel | None = None,
    poll: float = 0.05,
) -> Worker:
    """Return a worker that dials over these channels; the folder holds its slot."""
    return Worker(
        database,
        RULES,
        clock,
        RealClock(),
        Channels(voice, mail, text, WebhookChannel(clock)),
        Composer(MailComposer(SECRET, "http://localhost")),
        Slot(folder),
        WorkerSettings(poll=poll),
    )
