"""Cutting a stream of octets into PDUs, within bounds. Pure; `link` and the simulated centre feed it.

SMPP has no resynchronisation: after a wrong length nothing that follows can be trusted.
"""

from outrider.channels.sms.constants import HEADER_LENGTH, MAX_PDU_LENGTH
from outrider.channels.sms.octets import MalformedPduError

_LENGTH = 4


class Framer:
    """Collects what was read from one connection and gives it back PDU by PDU."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the PDUs that are complete now. MalformedPduError for an impossible length: close then."""
        buffer = self._kept + data if self._kept else data
        found: list[bytes] = []
        start, end = 0, len(buffer)
        while end - start >= _LENGTH:
            length = int.from_bytes(buffer[start : start + _LENGTH], "big")
            if not HEADER_LENGTH <= length <= MAX_PDU_LENGTH:
                message = f"a PDU of {length} octets is impossible; is the other side an SMPP centre?"
                raise MalformedPduError(message)
            if end - start < length:
                break
            found.append(buffer[start : start + length])
            start += length
        self._kept = buffer[start:]
        return found

    @property
    def kept(self) -> int:
        """Return how many octets of an incomplete PDU are waiting for the rest."""
        return len(self._kept)
