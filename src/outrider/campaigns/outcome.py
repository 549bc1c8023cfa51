"""How an attempt, and in the end a contact, can turn out: one place for the names.

Channels' results are mapped to these by the dialing engine; strategies name them in retry rules; the
database, reports and API use their values. Pure.
"""

import enum


class Outcome(enum.StrEnum):
    """The result of one attempt; the last one, or one that no attempt leads to, is the contact's."""

    ANSWERED = "answered"
    """A person took the call (and heard the prompt)."""
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
    INTERRUPTED = "interrupted"
    """The process or media server died during the attempt, so that its result is not known."""
    EXPIRED = "expired"
    """No attempt was possible any more: no usable address, or the job ended first."""


REACHED = frozenset({Outcome.ANSWERED, Outcome.DELIVERED})
"""The contact was reached: nothing more is tried, and a goal can count these."""

CLOSED = frozenset({Outcome.DO_NOT_CONTACT, Outcome.EXPIRED})
"""Final without having reached anybody, whatever the strategy says."""

CALL_RETRYABLE = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CONGESTION, Outcome.FAILED, Outcome.MACHINE)
"""What a retry rule of a call action may name, in the order that documents list them."""

EMAIL_RETRYABLE = (Outcome.SOFT_BOUNCE, Outcome.FAILED, Outcome.HARD_BOUNCE)
"""What a retry rule of an email action may name; a hard bounce only says what comes then (count 0)."""
