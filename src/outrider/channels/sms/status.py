"""What a command_status means, in one sentence and as the outcome of a text (SMPP 3.4 5.1.3). Pure.

`channel` maps refusals with `result_of`, `session` asks `is_throttling`, and logs and pages show `describe`.
"""

import enum

from outrider.channels.model import TextResult


class Status(enum.IntEnum):
    """The values of command_status that we set or act on."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    NOT_BOUND = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    QUEUE_FULL = 0x14
    INVALID_SYSTEM_TYPE = 0x53
    THROTTLED = 0x58
    TEMPORARY_APPLICATION_ERROR = 0x64


_SENTENCES = {
    0x00: "accepted",
    0x01: "the message has a wrong length",
    0x02: "the length of the command is wrong",
    0x03: "the message centre does not know the command",
    0x04: "the command does not fit the state of the connection",
    0x05: "this account is already bound; the centre allows no further connection",
    0x06: "the priority is wrong",
    0x07: "the receipt flag is wrong",
    0x08: "the message centre has an internal error",
    0x0A: "the sender is not allowed or not valid",
    0x0B: "the recipient's number is not valid",
    0x0C: "the message id is not valid",
    0x0D: "the bind failed",
    0x0E: "the password is wrong",
    0x0F: "the system id is wrong",
    0x11: "the cancellation failed",
    0x13: "the replacement failed",
    0x14: "the message centre's queue is full",
    0x15: "the service type is not valid",
    0x33: "the number of destinations is wrong",
    0x34: "the distribution list is not valid",
    0x40: "the destination flag is wrong",
    0x42: "the submission mode is wrong",
    0x43: "esm_class is wrong",
    0x44: "the distribution list cannot be used",
    0x45: "the submission failed",
    0x48: "the sender's type of number is wrong",
    0x49: "the sender's numbering plan is wrong",
    0x50: "the recipient's type of number is wrong",
    0x51: "the recipient's numbering plan is wrong",
    0x53: "the system type is wrong",
    0x54: "the replace flag is wrong",
    0x55: "the number of messages is wrong",
    0x58: "the message centre throttles: more was sent than it allows",
    0x61: "the scheduled time is not valid",
    0x62: "the validity period is not valid",
    0x63: "the predefined message is not valid",
    0x64: "the receiver has a temporary error",
    0x65: "the receiver has a permanent error",
    0x66: "the receiver refused the message",
    0x67: "the query failed",
    0xC0: "the optional part of the message is wrong",
    0xC1: "an optional parameter is not allowed",
    0xC2: "an optional parameter has a wrong length",
    0xC3: "an optional parameter is missing",
    0xC4: "an optional parameter has a wrong value",
    0xFE: "the delivery failed",
    0xFF: "unknown error",
}
_VENDOR = range(0x400, 0x500)
_BAD_ADDRESS = {0x0B, 0x50, 0x51}
SENDER_REFUSED = frozenset({0x0A, 0x48, 0x49})
"""Refusals that speak of our sender: every text meets them, until the settings are put right."""
_THROTTLING = {Status.QUEUE_FULL, Status.THROTTLED}


def describe(status: int) -> str:
    """Return what a command_status means, with its number: "the password is wrong (0x0E)"."""
    sentence = _SENTENCES.get(status)
    if sentence is None:
        kind = (
            "an error of this provider's own" if status in _VENDOR else "an error that SMPP 3.4 does not list"
        )
        sentence = f"{kind}; ask the provider for its list"
    return f"{sentence} (0x{status:02X})"


def is_throttling(status: int) -> bool:
    """Return whether the centre refused only for now, so that the same message may be sent again."""
    return status in _THROTTLING


def result_of(status: int) -> TextResult:
    """Return the outcome of a text whose submission was answered with `status`; throttling is FAILED too."""
    if status == Status.OK:
        return TextResult.ACCEPTED
    return TextResult.BAD_ADDRESS if status in _BAD_ADDRESS else TextResult.FAILED
