"""One client's connection to a simulated message centre: the server side of SMPP 3.4.

`centre` makes one per connection, and decides; this speaks.
"""

import asyncio
from typing import TYPE_CHECKING

from outrider.channels.sms.bodies import (
    Bind,
    BindResponse,
    BindType,
    Body,
    DeliverSm,
    DeliverSmResponse,
    EnquireLink,
    EnquireLinkResponse,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unbind,
    UnbindResponse,
)
from outrider.channels.sms.constants import MAX_SEQUENCE, RESPONSE, Tag
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.octets import MalformedPduError
from outrider.channels.sms.pdu import HEADER, decode, encode
from outrider.channels.sms.status import Status

if TYPE_CHECKING:
    from outrider.channels.sms.simulated.centre import SimulatedCentre


class Peer(asyncio.Protocol):
    """The centre's end of one connection."""

    def __init__(self, centre: "SimulatedCentre") -> None:
        self.system_id = ""
        self.kind: BindType | None = None
        self.unacknowledged: dict[int, DeliverSm] = {}
        self._centre = centre
        self._framer = Framer()
        self._sequence = 0
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    @property
    def receives(self) -> bool:
        """Return whether receipts and texts may be delivered here now."""
        return self.kind in {BindType.TRANSCEIVER, BindType.RECEIVER} and self.open

    @property
    def open(self) -> bool:
        """Return whether the connection is up."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: nothing is said before the client binds."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._centre.came(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End: what was delivered and not acknowledged is delivered again over another connection."""
        self._centre.left(self)

    def data_received(self, data: bytes) -> None:
        """Answer whatever has come, with one write."""
        try:
            for octets in self._framer.feed(data):
                self._handle(octets)
        except MalformedPduError:
            self._centre.ledger.counts["malformed"] += 1
            self.drop()
        self.flush()

    def answer(self, body: Body, sequence: int, status: int = Status.OK) -> None:
        """Put an answer into the next write."""
        self._out.append(encode(Pdu(body, sequence, status)))

    def deliver(self, message: DeliverSm) -> None:
        """Deliver a receipt or text; it is kept until the client acknowledges it."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        self.unacknowledged[self._sequence] = message
        self._out.append(encode(Pdu(message, self._sequence)))

    def flush(self) -> None:
        """Write what is to be said."""
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def unbind(self) -> None:
        """Ask the client to leave."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        self._out.append(encode(Pdu(Unbind(), self._sequence)))
        self.flush()

    def _handle(self, octets: bytes) -> None:
        """Decode one PDU; octets that make no sense are answered with generic_nack."""
        if not self.open:
            return
        try:
            pdu = decode(octets)
        except MalformedPduError:
            self._centre.ledger.counts["malformed"] += 1
            sequence = HEADER.unpack_from(octets)[3] & MAX_SEQUENCE
            self.answer(GenericNack(), sequence, Status.INVALID_COMMAND_LENGTH)
            return
        if isinstance(pdu.body, SubmitSm):
            self._submit(pdu.body, pdu.sequence)
        elif isinstance(pdu.body, DeliverSmResponse):
            message = self.unacknowledged.pop(pdu.sequence, None)
            if message is not None:
                self._centre.acknowledged(message, self.system_id, pdu.status)
        else:
            self._manage(pdu, is_request=not HEADER.unpack_from(octets)[1] & RESPONSE)

    def _submit(self, message: SubmitSm, sequence: int) -> None:
        if self.kind in {BindType.TRANSCEIVER, BindType.TRANSMITTER}:
            self._centre.submitted(self, message, sequence)
        else:
            self.answer(SubmitSmResponse(), sequence, Status.NOT_BOUND)

    def _manage(self, pdu: Pdu, *, is_request: bool) -> None:
        """Answer what concerns the session itself."""
        body, sequence = pdu.body, pdu.sequence
        if isinstance(body, EnquireLink):
            if self._centre.behaviour.answers_enquiries:
                self.answer(EnquireLinkResponse(), sequence)
        elif isinstance(body, Bind):
            self._bind(body, sequence)
        elif isinstance(body, Unbind):
            self.answer(UnbindResponse(), sequence)
            self._leave()
        elif is_request:
            self.answer(GenericNack(), sequence, Status.INVALID_COMMAND)

    def _leave(self) -> None:
        """Say what is left to say, and close."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def _bind(self, bind: Bind, sequence: int) -> None:
        """Let a client in, or say why not and close."""
        status = Status.ALREADY_BOUND if self.kind is not None else self._centre.admits(bind)
        self._centre.ledger.counts["binds" if status == Status.OK else "binds_refused"] += 1
        version: dict[int, bytes] = {Tag.SC_INTERFACE_VERSION: bytes((self._centre.behaviour.version,))}
        if status == Status.OK:
            self.system_id, self.kind = bind.system_id, bind.kind
            self.answer(BindResponse(bind.kind, "simulated", version), sequence)
            self._centre.bound(self)
            return
        named = "" if self._centre.behaviour.bare_refusals else "simulated"
        self.answer(BindResponse(bind.kind, named), sequence, status)
        self._leave()
