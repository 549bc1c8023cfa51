"""The SMPP 3.4 codec: PDUs to octets and back. Pure; `framing`, `link` and the simulated centre use it.

What is written keeps the specification's lengths; what is read may be longer within bounds, and refusals
may come without a body, as real centres send them.
"""

import struct
from collections.abc import Callable
from typing import TypeVar

from outrider.channels.sms.bodies import (
    Address,
    Bind,
    BindResponse,
    BindType,
    Body,
    DeliverSm,
    DeliverSmResponse,
    EnquireLink,
    EnquireLinkResponse,
    GenericNack,
    Outbind,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unbind,
    UnbindResponse,
    Unsupported,
)
from outrider.channels.sms.constants import (
    HEADER_LENGTH,
    MAX_PDU_LENGTH,
    MAX_SEQUENCE,
    RESPONSE,
    Command,
    Tag,
)
from outrider.channels.sms.octets import (
    MalformedPduError,
    read_string,
    read_tlvs,
    write_octet,
    write_string,
    write_tlvs,
)
from outrider.errors import InvalidInputError

HEADER = struct.Struct("!IIII")
MessageT = TypeVar("MessageT", SubmitSm, DeliverSm)
_HIGHEST_STATUS = 0xFFFFFFFF
_LONGEST_SHORT_MESSAGE = 254
_LONGEST_SYSTEM_ID = 15
_LONGEST_PASSWORD = 64
"""The specification says 8; providers hand out longer ones, and their centres take them."""
_LONGEST_SYSTEM_TYPE = 12
_LONGEST_RANGE = 40
_LONGEST_SERVICE_TYPE = 5
_LONGEST_ADDRESS = 20
_LONGEST_TIME = 16
_LONGEST_MESSAGE_ID = 64

_BIND_TYPES = {kind.command: kind for kind in BindType}
_EMPTY: dict[int, Callable[[], Body]] = {
    Command.ENQUIRE_LINK: EnquireLink,
    Command.ENQUIRE_LINK_RESP: EnquireLinkResponse,
    Command.UNBIND: Unbind,
    Command.UNBIND_RESP: UnbindResponse,
    Command.GENERIC_NACK: GenericNack,
    Command.DELIVER_SM_RESP: DeliverSmResponse,
}
"""Commands without a body that means anything; octets that a peer adds all the same are ignored."""
_EMPTY_COMMANDS: dict[type[Body], tuple[int, bytes]] = {
    EnquireLink: (Command.ENQUIRE_LINK, b""),
    EnquireLinkResponse: (Command.ENQUIRE_LINK_RESP, b""),
    Unbind: (Command.UNBIND, b""),
    UnbindResponse: (Command.UNBIND_RESP, b""),
    GenericNack: (Command.GENERIC_NACK, b""),
    DeliverSmResponse: (Command.DELIVER_SM_RESP, b"\0"),
}


def encode(pdu: Pdu) -> bytes:
    """Return the octets of a PDU. InvalidInputError names a field that does not fit (SMPP 3.4 4, 5.2)."""
    if not 0 <= pdu.sequence <= MAX_SEQUENCE:
        raise InvalidInputError(f"sequence_number: {pdu.sequence} is out of range", where="sequence_number")
    if not 0 <= pdu.status <= _HIGHEST_STATUS:
        raise InvalidInputError(f"command_status: {pdu.status} is out of range", where="command_status")
    command, content = _content(pdu.body)
    if pdu.status and isinstance(pdu.body, BindResponse | SubmitSmResponse) and content == b"\0":
        content = b""
    length = HEADER_LENGTH + len(content)
    if length > MAX_PDU_LENGTH:
        raise InvalidInputError(f"the message has {length} octets, at most {MAX_PDU_LENGTH} are possible")
    return HEADER.pack(length, command, pdu.status, pdu.sequence) + content


def decode(data: bytes) -> Pdu:
    """Return the PDU of exactly these octets. MalformedPduError says what is wrong and where."""
    if len(data) < HEADER_LENGTH:
        raise MalformedPduError(f"{len(data)} octets are no PDU: the header alone has {HEADER_LENGTH}")
    length, command, status, sequence = HEADER.unpack_from(data)
    if length != len(data):
        message = f"the PDU says that it has {length} octets and has {len(data)}"
        raise MalformedPduError(message, command=command, sequence=sequence)
    try:
        return Pdu(_body(command, status, data), sequence, status)
    except MalformedPduError as error:
        message = f"PDU 0x{command:08X}: {error.message}"
        raise MalformedPduError(message, command=command, sequence=sequence) from error


def _content(body: Body) -> tuple[int, bytes]:
    """Return the command id and the octets behind the header."""
    if isinstance(body, SubmitSm):
        return Command.SUBMIT_SM, _message_content(body)
    if isinstance(body, DeliverSm):
        return Command.DELIVER_SM, _message_content(body)
    if isinstance(body, SubmitSmResponse):
        content = write_string(body.message_id, _LONGEST_MESSAGE_ID, "message_id")
        return Command.SUBMIT_SM_RESP, content + write_tlvs(body.tlvs) if body.tlvs else content
    if isinstance(body, Bind):
        return body.kind.command, _bind_content(body)
    if isinstance(body, BindResponse):
        name = write_string(body.system_id, _LONGEST_SYSTEM_ID, "system_id")
        return body.kind.command | RESPONSE, name + write_tlvs(body.tlvs)
    if isinstance(body, Outbind):
        name = write_string(body.system_id, _LONGEST_SYSTEM_ID, "system_id")
        return Command.OUTBIND, name + write_string(body.password, _LONGEST_PASSWORD, "password")
    if isinstance(body, Unsupported):
        return body.command, body.content
    return _EMPTY_COMMANDS[type(body)]


def _bind_content(body: Bind) -> bytes:
    return b"".join(
        (
            write_string(body.system_id, _LONGEST_SYSTEM_ID, "system_id"),
            write_string(body.password, _LONGEST_PASSWORD, "password"),
            write_string(body.system_type, _LONGEST_SYSTEM_TYPE, "system_type"),
            write_octet(body.interface_version, "interface_version"),
            write_octet(body.addr_ton, "addr_ton"),
            write_octet(body.addr_npi, "addr_npi"),
            write_string(body.address_range, _LONGEST_RANGE, "address_range"),
        )
    )


def _message_content(body: SubmitSm | DeliverSm) -> bytes:
    if len(body.short_message) > _LONGEST_SHORT_MESSAGE:
        message = f"short_message: {len(body.short_message)} octets, at most {_LONGEST_SHORT_MESSAGE} fit"
        raise InvalidInputError(f"{message}; send it in parts or as message_payload", where="short_message")
    source, destination = body.source, body.destination
    try:
        return b"".join(
            (
                write_string(body.service_type, _LONGEST_SERVICE_TYPE, "service_type"),
                bytes((source.ton, source.npi)),
                write_string(source.digits, _LONGEST_ADDRESS, "source_addr"),
                bytes((destination.ton, destination.npi)),
                write_string(destination.digits, _LONGEST_ADDRESS, "destination_addr"),
                bytes((body.esm_class, body.protocol_id, body.priority_flag)),
                write_string(body.schedule_delivery_time, _LONGEST_TIME, "schedule_delivery_time"),
                write_string(body.validity_period, _LONGEST_TIME, "validity_period"),
                bytes(
                    (
                        body.registered_delivery,
                        body.replace_if_present_flag,
                        body.data_coding,
                        body.sm_default_msg_id,
                        len(body.short_message),
                    )
                ),
                body.short_message,
                write_tlvs(body.tlvs),
            )
        )
    except ValueError as error:
        raise InvalidInputError("a field of one octet in the message is not from 0 to 255") from error


def _body(command: int, status: int, data: bytes) -> Body:
    """Return the record of one command's octets, header included."""
    if command == Command.SUBMIT_SM_RESP:
        if len(data) == HEADER_LENGTH:
            return SubmitSmResponse()
        message_id, at = read_string(data, HEADER_LENGTH, "message_id")
        return SubmitSmResponse(message_id, read_tlvs(data, at))
    if command == Command.DELIVER_SM:
        return _message(DeliverSm, data)
    if command == Command.SUBMIT_SM:
        return _message(SubmitSm, data)
    if command in _EMPTY:
        return _EMPTY[command]()
    if command in _BIND_TYPES:
        return _bind(_BIND_TYPES[Command(command)], data)
    if command ^ RESPONSE in _BIND_TYPES:
        return _bind_response(_BIND_TYPES[Command(command ^ RESPONSE)], status, data)
    if command == Command.OUTBIND:
        name, at = read_string(data, HEADER_LENGTH, "system_id")
        return Outbind(name, read_string(data, at, "password")[0])
    return Unsupported(command, data[HEADER_LENGTH:])


def _bind(kind: BindType, data: bytes) -> Bind:
    system_id, at = read_string(data, HEADER_LENGTH, "system_id")
    password, at = read_string(data, at, "password")
    system_type, at = read_string(data, at, "system_type")
    if at + 3 > len(data):
        raise MalformedPduError("the bind is cut off before address_range")
    version, ton, npi = data[at : at + 3]
    address_range, _ = read_string(data, at + 3, "address_range")
    return Bind(kind, system_id, password, system_type, version, ton, npi, address_range)


def _bind_response(kind: BindType, status: int, data: bytes) -> BindResponse:
    if len(data) == HEADER_LENGTH and status:
        return BindResponse(kind)
    name, at = read_string(data, HEADER_LENGTH, "system_id")
    return BindResponse(kind, name, read_tlvs(data, at))


def _message(kind: type[MessageT], data: bytes) -> MessageT:
    """Return a submit_sm or deliver_sm; IndexError cannot happen where MalformedPduError is meant."""
    end = len(data)
    try:
        service_type, at = read_string(data, HEADER_LENGTH, "service_type")
        source_ton, source_npi = data[at], data[at + 1]
        source, at = read_string(data, at + 2, "source_addr")
        destination_ton, destination_npi = data[at], data[at + 1]
        destination, at = read_string(data, at + 2, "destination_addr")
        esm_class, protocol_id, priority = data[at], data[at + 1], data[at + 2]
        schedule, at = read_string(data, at + 3, "schedule_delivery_time")
        validity, at = read_string(data, at, "validity_period")
        registered, replace, coding, default_id, length = data[at : at + 5]
    except (IndexError, ValueError) as error:
        raise MalformedPduError(f"the message is cut off: it ends at octet {end}") from error
    at += 5
    if at + length > end:
        raise MalformedPduError(f"short_message says {length} octets, {end - at} are left")
    return kind(
        Address(source_ton, source_npi, source),
        Address(destination_ton, destination_npi, destination),
        data[at : at + length],
        coding,
        esm_class,
        registered,
        validity,
        read_tlvs(data, at + length),
        service_type,
        protocol_id,
        priority,
        schedule,
        replace,
        default_id,
    )


def message_octets(body: SubmitSm | DeliverSm) -> bytes:
    """Return what the message holds: its message_payload if it has one, else short_message (5.3.2.32)."""
    return body.short_message or body.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
