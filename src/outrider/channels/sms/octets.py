"""Reading and writing the field types of SMPP 3.4 (3.1): C-octet strings and optional parameters. Pure.

`pdu` uses it. Everything read is bounded; whatever does not fit raises MalformedPduError.
"""

import struct
from collections.abc import Mapping

from outrider.errors import ChannelError, InvalidInputError

_TLV_HEADER = struct.Struct("!HH")
_LONGEST_READ = 256
"""Centres exceed the specification's lengths (message ids above all); nothing sane is longer than this."""
_OCTET = 0xFF
_LONGEST_VALUE = 0xFFFF


class MalformedPduError(ChannelError):
    """Bytes that are no SMPP PDU. The facts carry `command` and `sequence` where the header was whole."""

    code = "malformed_pdu"


def read_string(data: bytes, start: int, name: str) -> tuple[str, int]:
    """Return a C-octet string and the offset behind its NUL. MalformedPduError when it has no end."""
    end = data.find(b"\0", start, start + _LONGEST_READ)
    if end < 0:
        raise MalformedPduError(f"{name} at octet {start} has no end within {_LONGEST_READ} octets")
    return data[start:end].decode("latin-1"), end + 1


def write_string(text: str, longest: int, name: str) -> bytes:
    """Return a C-octet string of at most `longest` characters. InvalidInputError names the field."""
    try:
        written = text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{name}: {text!r} has characters that SMPP cannot carry", where=name
        ) from error
    if len(written) > longest:
        raise InvalidInputError(
            f"{name}: {len(written)} characters, at most {longest} are allowed", where=name
        )
    if b"\0" in written:
        raise InvalidInputError(f"{name}: a NUL character is not allowed", where=name)
    return written + b"\0"


def write_octet(value: int, name: str) -> bytes:
    """Return one octet. InvalidInputError names the field when the value does not fit."""
    if not 0 <= value <= _OCTET:
        raise InvalidInputError(f"{name}: {value} is not from 0 to {_OCTET}", where=name)
    return value.to_bytes(1, "big")


def read_tlvs(data: bytes, start: int) -> dict[int, bytes]:
    """Return the optional parameters from `start` to the end; of a repeated tag the first counts."""
    found: dict[int, bytes] = {}
    end = len(data)
    while start < end:
        if start + _TLV_HEADER.size > end:
            raise MalformedPduError(f"the optional parameter at octet {start} is cut off")
        tag, length = _TLV_HEADER.unpack_from(data, start)
        start += _TLV_HEADER.size
        if start + length > end:
            raise MalformedPduError(f"the optional parameter 0x{tag:04X} is cut off")
        found.setdefault(tag, data[start : start + length])
        start += length
    return found


def write_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """Return optional parameters as octets. InvalidInputError for an impossible tag or a value too long."""
    written = []
    for tag, value in tlvs.items():
        if not 0 <= tag <= _LONGEST_VALUE or len(value) > _LONGEST_VALUE:
            raise InvalidInputError(
                f"optional parameter {tag}: tag or length beyond 65535", where=f"tlv {tag}"
            )
        written.append(_TLV_HEADER.pack(tag, len(value)) + value)
    return b"".join(written)


def tlv_integer(tlvs: Mapping[int, bytes], tag: int) -> int | None:
    """Return an optional parameter as an unsigned number, or None when it is missing or empty."""
    value = tlvs.get(tag)
    return int.from_bytes(value, "big") if value else None


def tlv_string(tlvs: Mapping[int, bytes], tag: int) -> str:
    """Return an optional parameter as text up to its NUL; empty when it is missing."""
    return tlvs.get(tag, b"").partition(b"\0")[0].decode("latin-1")
