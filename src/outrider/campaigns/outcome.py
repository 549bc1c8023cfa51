"""How an attempt, and in the end a contact, can turn out: one place for the names.

Channels' results are mapped to these by the dialing engine; strategies name them in retry rules; the
database, reports and API use their values. Pure.
"""

import enum


class Outcome(enum.StrEnum):
    """The result of one attempt; the last one, or one that no attempt leads to, is the contact's."""

    ANSWERED = "answered"
    """A person took the call (and heard the prompt)."""
    ABANDONED = "abandoned"
    """A person answered, and no agent was free in time: it heard the identification message."""
    SKIPPED = "skipped"
    """An agent gave the contact's card back: no call was made."""
    MACHINE = "machine"
    """An answering machine took the call; whether a message was left is the action's `on_machine`."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    """It rang until the action's ring timeout."""
    CONGESTION = "congestion"
    """The network had no way through: says nothing of the contact."""
    FAILED = "failed"
    """Refused, unallocated, or the carrier or mail server failed."""
    DELIVERED = "delivered"
    """The recipient's mail server accepted the message."""
    SOFT_BOUNCE = "soft_bounce"
    """The mail server refused the message for now (SMTP 4xx about this recipient)."""
    HARD_BOUNCE = "hard_bounce"
    """The mail server refused the recipient for good (SMTP 5xx)."""
    DO_NOT_CONTACT = "do_not_contact"
    """The address is on a do-not-contact list: no attempt was made."""
    SENT = "sent"
    """The message centre took the text, or the web service the request; no receipt is waited for (yet)."""
    UNDELIVERED = "undelivered"
    """A receipt says that the text did not arrive."""
    NO_RECEIPT = "no_receipt"
    """A receipt was waited for in vain: the text may have arrived."""
    UNKNOWN = "unknown"
    """Handed over, but the answer was lost: what became of it is not known, so it is not sent again."""
    NO_RESOURCE = "no_resource"
    """The call needed a speech connection and none was free: says nothing of the contact."""
    RESTRICTED = "restricted"
    """A limit of attempts allowed no attempt, and the strategy does not wait for one (`when_limited`)."""
    INTERRUPTED = "interrupted"
    """The process or media server died during the attempt, so that its result is not known."""
    EXPIRED = "expired"
    """No attempt was possible any more: no usable address, or the job ended first."""


REACHED = frozenset({Outcome.ANSWERED, Outcome.DELIVERED, Outcome.SENT})
"""The contact was reached, as far as can be known: by default nothing more is tried; a goal counts these."""

CLOSED = frozenset({Outcome.DO_NOT_CONTACT, Outcome.EXPIRED, Outcome.RESTRICTED})
"""Final without having reached anybody, whatever the strategy says."""

NEVER_REPEATED = frozenset({Outcome.HARD_BOUNCE, Outcome.UNKNOWN})
"""A rule for these only says what comes then (count 0): a further try is useless, or may be a second copy."""

CALL_RETRYABLE = (
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.ABANDONED,
    Outcome.SKIPPED,
    Outcome.CONGESTION,
    Outcome.FAILED,
    Outcome.MACHINE,
    Outcome.NO_RESOURCE,
)
"""What a retry rule of a call action may name, in the order that documents list them."""

SMS_RETRYABLE = (Outcome.UNDELIVERED, Outcome.NO_RECEIPT, Outcome.FAILED, Outcome.UNKNOWN)
"""What a retry rule of an SMS action may name."""

EMAIL_RETRYABLE = (Outcome.SOFT_BOUNCE, Outcome.FAILED, Outcome.HARD_BOUNCE)
"""What a retry rule of an email action may name."""

WEBHOOK_RETRYABLE = (Outcome.FAILED, Outcome.NO_ANSWER)
"""What a retry rule of a webhook action may name: a refusal or unreadable answer, and none in time."""
