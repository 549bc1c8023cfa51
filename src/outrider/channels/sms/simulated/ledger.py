"""What a simulated message centre took, refused and delivered: exact counts, and the messages themselves.

Tests compare a channel's own outcomes with it; `outrider sms simulate` prints the counts.
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass

from outrider.channels.sms.alphabet import decode_message
from outrider.channels.sms.bodies import SubmitSm
from outrider.channels.sms.constants import ESM_UDH, Tag
from outrider.channels.sms.octets import tlv_integer
from outrider.channels.sms.pdu import message_octets
from outrider.channels.sms.segments import PartOf, without_header


@dataclass(frozen=True, slots=True)
class Taken:
    """A submission that the centre took, with the id it gave."""

    message_id: str
    system_id: str
    message: SubmitSm

    @property
    def part(self) -> PartOf | None:
        """Return which part of a long text it is, or None for a whole one."""
        return without_header(message_octets(self.message))[1] if self.message.esm_class & ESM_UDH else None

    @property
    def text(self) -> str:
        """Return the text of this part."""
        octets = message_octets(self.message)
        if self.message.esm_class & ESM_UDH:
            octets = without_header(octets)[0]
        return decode_message(octets, self.message.data_coding)

    @property
    def reference(self) -> int | None:
        """Return the sender's own reference, if it gave one."""
        return tlv_integer(self.message.tlvs, Tag.USER_MESSAGE_REFERENCE)


class Ledger:
    """The books of one centre; the last `keep` submissions are kept whole, all are counted."""

    def __init__(self, keep: int = 100_000) -> None:
        self.counts: Counter[str] = Counter()
        """submitted, taken, refused, throttled, dropped, unanswered, receipts, replies, acknowledged..."""
        self.taken: deque[Taken] = deque(maxlen=keep)

    def take(self, entry: Taken) -> None:
        """Note a submission that was taken."""
        self.counts["taken"] += 1
        self.taken.append(entry)

    def texts(self) -> dict[str, list[str]]:
        """Return recipient -> whole texts in order of arrival, long ones put together from their parts."""
        whole: dict[str, list[str]] = defaultdict(list)
        parts: dict[tuple[str, int, int], dict[int, str]] = defaultdict(dict)
        for entry in self.taken:
            number, part = entry.message.destination.digits, entry.part
            if part is None:
                whole[number].append(entry.text)
                continue
            key = (number, part.reference, part.total)
            parts[key][part.number] = entry.text
            if len(parts[key]) == part.total:
                whole[number].append("".join(text for _, text in sorted(parts.pop(key).items())))
        return dict(whole)
