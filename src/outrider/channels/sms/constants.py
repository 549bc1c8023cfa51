"""The numbers of SMPP 3.4 that we use, by the names of its specification: commands, tags, types of number.

Everything in this package imports them; sections in comments are of the SMPP 3.4 specification, issue 1.2.
"""

import enum

INTERFACE_VERSION = 0x34
HEADER_LENGTH = 16
MAX_PDU_LENGTH = 70_000
"""A message_payload may have 65,535 octets; nothing longer than that and its frame is ever right."""

MAX_SEQUENCE = 0x7FFFFFFF
RESPONSE = 0x80000000


class Command(enum.IntEnum):
    """Command ids (5.1.2.1)."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015


class Tag(enum.IntEnum):
    """Tags of optional parameters (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Ton(enum.IntEnum):
    """Type of number (5.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(enum.IntEnum):
    """Numbering plan indicator (5.2.6)."""

    UNKNOWN = 0
    ISDN = 1


class DataCoding(enum.IntEnum):
    """How short_message is encoded (5.2.19)."""

    DEFAULT = 0
    ASCII = 1
    LATIN_1 = 3
    BINARY = 4
    UCS_2 = 8


ESM_UDH = 0x40
"""esm_class: the message begins with a user data header (5.2.12)."""
ESM_RECEIPT = 0x04
"""esm_class of a deliver_sm: a delivery receipt of the message centre."""
ESM_TYPE_MASK = 0x3C
"""The bits of esm_class that tell a receipt from a text."""
