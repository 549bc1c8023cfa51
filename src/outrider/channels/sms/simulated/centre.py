"""A message centre in one process: takes texts over SMPP 3.4, gives receipts and replies, keeps exact books.

Tests, the demo and `outrider sms simulate` run it; `behaviour` says what it does to which number.
"""

import asyncio
import itertools
import ssl
from collections import deque

from outrider.channels.model import ReceiptState
from outrider.channels.sms.bodies import Address, Bind, DeliverSm, SubmitSm, SubmitSmResponse
from outrider.channels.sms.constants import ESM_RECEIPT, ESM_UDH, Tag, Ton
from outrider.channels.sms.segments import parts
from outrider.channels.sms.simulated.behaviour import CentreBehaviour, by_suffix
from outrider.channels.sms.simulated.ledger import Ledger, Taken
from outrider.channels.sms.simulated.peer import Peer
from outrider.channels.sms.status import Status
from outrider.clock import Clock, RealClock, stopwatch

_WORDS = {
    ReceiptState.ENROUTE: ("ENROUTE", 1),
    ReceiptState.DELIVERED: ("DELIVRD", 2),
    ReceiptState.EXPIRED: ("EXPIRED", 3),
    ReceiptState.DELETED: ("DELETED", 4),
    ReceiptState.UNDELIVERABLE: ("UNDELIV", 5),
    ReceiptState.ACCEPTED: ("ACCEPTD", 6),
    ReceiptState.UNKNOWN: ("UNKNOWN", 7),
    ReceiptState.REJECTED: ("REJECTD", 8),
}
_RECEIPT_ASKED = 0x03
_FAILED_ERROR = "069"


class SimulatedCentre:
    """Belongs to one event loop. `behaviour` may be replaced while it runs."""

    def __init__(
        self, behaviour: CentreBehaviour | None = None, clock: Clock | None = None, keep: int = 100_000
    ) -> None:
        self.behaviour = behaviour or CentreBehaviour()
        self.ledger = Ledger(keep)
        self.withholding = False
        """While True, submissions are taken and their answers held back until `release`."""
        self.host, self.port = "127.0.0.1", 0
        self._clock = clock or RealClock()
        self._server: asyncio.Server | None = None
        self._peers: set[Peer] = set()
        self._ids = itertools.count(0x1000)
        self._references = itertools.count(1)
        self._withheld: list[tuple[Peer, str, int]] = []
        self._due: dict[float, deque[tuple[float, Peer, DeliverSm]]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}
        self._undelivered: dict[str, deque[DeliverSm]] = {}
        self._dropped: set[str] = set()
        self._second, self._in_second = 0, 0

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 takes any free one, `port` says which. OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Peer(self), host, port, ssl=tls)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Cut all connections and stop listening."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._due.clear()
        if self._server is not None:
            self._server.close()
        self.drop_links()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def drop_links(self) -> int:
        """Cut all connections without a word; return how many there were."""
        peers = list(self._peers)
        for peer in peers:
            peer.drop()
        return len(peers)

    def unbind_all(self) -> None:
        """Ask all clients to leave, as a centre does before maintenance."""
        for peer in self._peers:
            peer.unbind()

    def release(self) -> int:
        """Give the answers that were held back, from now on at once; return how many there were."""
        self.withholding = False
        held, self._withheld = self._withheld, []
        for peer, message_id, sequence in held:
            if peer.open:
                peer.answer(SubmitSmResponse(message_id), sequence)
                peer.flush()
        return len(held)

    def text(self, sender: str, recipient: str, text: str, system_id: str | None = None) -> int:
        """Deliver a text from a person, in as many parts as it needs; return their number.

        `system_id` names the account; None takes any. Without a connection it waits for one.
        """
        alphabet, pieces = parts(text, next(self._references))
        source = Address(Ton.INTERNATIONAL, 1, sender.lstrip("+"))
        destination = Address(Ton.UNKNOWN, 0, recipient.lstrip("+"))
        account = system_id if system_id is not None else next(iter(self.behaviour.accounts), "")
        for piece in pieces:
            esm_class = ESM_UDH if len(pieces) > 1 else 0
            message = DeliverSm(source, destination, piece, alphabet.data_coding, esm_class)
            self._deliver(message, account)
        self.ledger.counts["replies"] += 1
        return len(pieces)

    @property
    def connections(self) -> int:
        """Return how many clients are bound."""
        return sum(1 for peer in self._peers if peer.kind is not None)

    # What peers call.

    def came(self, peer: Peer) -> None:
        """Note a connection."""
        self._peers.add(peer)

    def left(self, peer: Peer) -> None:
        """Forget a connection; what it did not acknowledge goes to another, now or later."""
        self._peers.discard(peer)
        for message in peer.unacknowledged.values():
            self._deliver(message, peer.system_id)
        peer.unacknowledged.clear()

    def admits(self, bind: Bind) -> Status:
        """Return what a bind is answered with."""
        expected = self.behaviour.accounts.get(bind.system_id)
        if expected is None:
            return Status.INVALID_SYSTEM_ID
        if bind.password != expected:
            return Status.INVALID_PASSWORD
        most = self.behaviour.most_binds
        bound = sum(1 for peer in self._peers if peer.system_id == bind.system_id)
        return Status.ALREADY_BOUND if most is not None and bound >= most else Status.OK

    def bound(self, peer: Peer) -> None:
        """Deliver what has waited for this account."""
        waiting = self._undelivered.get(peer.system_id)
        while waiting and peer.receives:
            peer.deliver(waiting.popleft())

    def submitted(self, peer: Peer, message: SubmitSm, sequence: int) -> None:
        """Take, refuse or lose a submission, as the behaviour says."""
        counts, behaviour = self.ledger.counts, self.behaviour
        counts["submitted"] += 1
        number = message.destination.digits
        if behaviour.rate is not None and self._too_fast(behaviour.rate):
            counts["throttled"] += 1
            peer.answer(SubmitSmResponse(), sequence, Status.THROTTLED)
            return
        refusal = by_suffix(behaviour.refuse, number)
        if refusal is not None:
            counts["refused"] += 1
            peer.answer(SubmitSmResponse(), sequence, refusal)
            return
        if number not in self._dropped and number.endswith(tuple(behaviour.drops)):
            self._dropped.add(number)
            counts["dropped"] += 1
            peer.drop()
            return
        message_id = f"{next(self._ids):08x}"
        self.ledger.take(Taken(message_id, peer.system_id, message))
        self._follow(peer, message, message_id)
        if number.endswith(tuple(behaviour.unanswered)):
            counts["unanswered"] += 1
        elif self.withholding:
            self._withheld.append((peer, message_id, sequence))
        elif behaviour.answer_delay:
            loop = asyncio.get_running_loop()
            loop.call_later(behaviour.answer_delay, self._answer_late, peer, message_id, sequence)
        else:
            peer.answer(SubmitSmResponse(message_id), sequence)

    def acknowledged(self, message: DeliverSm, system_id: str, status: int) -> None:
        """Note that a client has a receipt or text; one that it could not keep is delivered again later."""
        if status == Status.OK:
            self.ledger.counts["acknowledged"] += 1
            return
        self.ledger.counts["deliveries_refused"] += 1
        asyncio.get_running_loop().call_later(self.behaviour.reply_delay, self._deliver, message, system_id)

    # The centre's own work.

    def _too_fast(self, rate: float) -> bool:
        """Return whether this second's share is used up, as providers count: per whole second."""
        second = int(stopwatch())
        if second != self._second:
            self._second, self._in_second = second, 0
        if self._in_second >= rate:
            return True
        self._in_second += 1
        return False

    def _answer_late(self, peer: Peer, message_id: str, sequence: int) -> None:
        if peer.open:
            peer.answer(SubmitSmResponse(message_id), sequence)
            peer.flush()

    def _follow(self, peer: Peer, message: SubmitSm, message_id: str) -> None:
        """Plan the receipt and the person's reply."""
        behaviour, number = self.behaviour, message.destination.digits
        if message.registered_delivery & _RECEIPT_ASKED:
            state = by_suffix(behaviour.states, number) or ReceiptState.DELIVERED
            self._later(behaviour.receipt_delay, peer, self._receipt(message, message_id, state))
        reply = by_suffix(behaviour.replies, number)
        if reply is not None:
            self.ledger.counts["replies"] += 1
            alphabet, pieces = parts(reply, 0)
            answer = DeliverSm(message.destination, message.source, pieces[0], alphabet.data_coding)
            self._later(behaviour.reply_delay, peer, answer)

    def _receipt(self, message: SubmitSm, message_id: str, state: ReceiptState) -> DeliverSm:
        """Return a receipt in the text form of appendix B, with its parameters if the behaviour says so."""
        word, number = _WORDS[state]
        delivered = state is ReceiptState.DELIVERED
        shown = f"{int(message_id, 16):010}" if self.behaviour.decimal_receipts else message_id
        stamp = self._clock.now().strftime("%y%m%d%H%M")
        text = (
            f"id:{shown} sub:001 dlvrd:{int(delivered):03} submit date:{stamp} done date:{stamp} "
            f"stat:{word} err:{'000' if delivered else _FAILED_ERROR} text:"
        )
        tlvs: dict[int, bytes] = {}
        if self.behaviour.receipt_parameters:
            tlvs = {Tag.RECEIPTED_MESSAGE_ID: shown.encode() + b"\0", Tag.MESSAGE_STATE: bytes((number,))}
            reference = message.tlvs.get(Tag.USER_MESSAGE_REFERENCE)
            if reference is not None:
                tlvs[Tag.USER_MESSAGE_REFERENCE] = reference
        self.ledger.counts["receipts"] += 1
        return DeliverSm(message.destination, message.source, text.encode(), esm_class=ESM_RECEIPT, tlvs=tlvs)

    def _later(self, delay: float, peer: Peer, message: DeliverSm) -> None:
        """Deliver after a delay; those of one delay come due in order, so they share one timer."""
        loop = asyncio.get_running_loop()
        due = self._due.setdefault(delay, deque())
        due.append((loop.time() + delay, peer, message))
        if delay not in self._timers:
            self._timers[delay] = loop.call_later(delay, self._run_due, delay)

    def _run_due(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        due = self._due[delay]
        touched: set[Peer] = set()
        while due and due[0][0] <= loop.time():
            _, peer, message = due.popleft()
            if peer.receives:
                peer.deliver(message)
                touched.add(peer)
            else:
                self._deliver(message, peer.system_id)
        for peer in touched:
            peer.flush()
        del self._timers[delay]
        if due:
            self._timers[delay] = loop.call_at(due[0][0], self._run_due, delay)

    def _deliver(self, message: DeliverSm, system_id: str) -> None:
        """Deliver over any connection of the account, or keep for the next."""
        for peer in self._peers:
            if peer.receives and peer.system_id == system_id:
                peer.deliver(message)
                peer.flush()
                return
        self._undelivered.setdefault(system_id, deque()).append(message)
