"""The contents of SMPP 3.4 PDUs as frozen records: what `pdu` encodes and decodes. Pure.

Fields have the specification's names and units; texts of C-octet strings are Latin-1, messages are bytes.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.channels.sms.constants import INTERFACE_VERSION, Command


class BindType(enum.StrEnum):
    """What a connection is for: submitting, receiving receipts and texts, or both."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"

    @property
    def command(self) -> Command:
        """Return the command that binds so."""
        return Command[f"BIND_{self.name}"]


@dataclass(frozen=True, slots=True)
class Address:
    """A number or a name with its type of number and numbering plan (5.2.5 to 5.2.9)."""

    ton: int = 0
    npi: int = 0
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Bind:
    """bind_transceiver, bind_transmitter or bind_receiver (4.1)."""

    kind: BindType
    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class BindResponse:
    """The answer to a bind; a refusal may come without a body, and then the name is empty (4.1.2)."""

    kind: BindType
    system_id: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outbind:
    """A centre asks us to bind as receiver (4.1.7); we bind by ourselves and ignore it."""

    system_id: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Message:
    """What submit_sm (4.4.1) and deliver_sm (4.6.1) have in common."""

    source: Address = Address()
    destination: Address = Address()
    short_message: bytes = b""
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    validity_period: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    replace_if_present_flag: int = 0
    sm_default_msg_id: int = 0


@dataclass(frozen=True, slots=True)
class SubmitSm(_Message):
    """A message, or one part of it, for the centre to send."""


@dataclass(frozen=True, slots=True)
class DeliverSm(_Message):
    """A receipt, or a text that a person sent."""


@dataclass(frozen=True, slots=True)
class SubmitSmResponse:
    """The centre's answer to a submission: its id of the message; empty in refusals."""

    message_id: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliverSmResponse:
    """Our answer to deliver_sm; its message_id is unused (4.6.2)."""


@dataclass(frozen=True, slots=True)
class EnquireLink:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class EnquireLinkResponse:
    """Yes."""


@dataclass(frozen=True, slots=True)
class Unbind:
    """One side wants to end the session (4.2)."""


@dataclass(frozen=True, slots=True)
class UnbindResponse:
    """The other side agrees."""


@dataclass(frozen=True, slots=True)
class GenericNack:
    """The PDU could not be understood at all (4.3)."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A well-framed PDU with a command that we do not use; requests are answered with generic_nack."""

    command: int
    content: bytes = b""


Body = (
    Bind
    | BindResponse
    | Outbind
    | SubmitSm
    | SubmitSmResponse
    | DeliverSm
    | DeliverSmResponse
    | EnquireLink
    | EnquireLinkResponse
    | Unbind
    | UnbindResponse
    | GenericNack
    | Unsupported
)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU: `sequence` pairs a response with its request, `status` is 0 in requests."""

    body: Body
    sequence: int
    status: int = 0
