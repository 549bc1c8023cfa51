"""Text channels of systems under test. Contract tests give them to `support.outreach`."""

from collections.abc import Callable

from outrider.channels.base import TextChannel
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.clock import Clock


def over(*connections: SmppSettings) -> Callable[[Clock], TextChannel]:
    """Return what makes a system's text channel over these connections."""
    return lambda clock: SmppChannel(connections, clock, patience=5.0)
