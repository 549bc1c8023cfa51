"""What is heard of a message after the mail server took it: bounces and complaints. Frozen facts, no I/O.

`bounces` makes them out of incoming mail and gives them to a sink; the composition root writes them down.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.ids import AttemptId


@dataclass(frozen=True, slots=True)
class MailBounced:
    """A message was accepted by the mail server, and could not be delivered afterwards.

    `permanent` says that the address is bad, as MailResult.HARD_BOUNCE does; otherwise the mailbox was full,
    a server away for too long, or the message refused. `status` is an enhanced code (RFC 3463).
    """

    message_id: AttemptId
    at: dt.datetime
    address: str
    permanent: bool
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class MailComplained:
    """A recipient called a message spam, and the mailbox provider told us (RFC 5965)."""

    message_id: AttemptId
    at: dt.datetime
    address: str
    detail: str


MailNews = MailBounced | MailComplained

MailNewsSink = Callable[[MailNews], Awaitable[None] | None]
"""Takes news for good: mail is acknowledged only once it returned. It raises NotFoundError for a message that
was never sent (the mail is then refused for good), anything else to be told again later."""
