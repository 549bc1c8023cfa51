"""Compiled templates that are kept: as many as fit a budget of memory, the least lately used go first.

`smtp` has one per channel. Attachments make templates big, so they are counted in bytes and not by number.
"""

from collections import OrderedDict

from outrider.channels.email.message import CompiledMessage, MessageSource, compile_message

_MOST_BYTES = 64 * 2**20
_MOST_TEMPLATES = 256


class CompiledMessages:
    """A cache of `compile_message`. `largest` is bytes over all attachments of one message."""

    def __init__(self, largest: int, most_bytes: int = _MOST_BYTES) -> None:
        self._largest = largest
        self._most_bytes = most_bytes
        self._kept: OrderedDict[MessageSource, CompiledMessage] = OrderedDict()
        self._bytes = 0

    def get(self, source: MessageSource) -> CompiledMessage:
        """Return a template's compiled form; InvalidInputError as of `compile_message`."""
        compiled = self._kept.get(source)
        if compiled is not None:
            self._kept.move_to_end(source)
            return compiled
        compiled = compile_message(source, self._largest)
        self._kept[source] = compiled
        self._bytes += compiled.size
        while len(self._kept) > 1 and (self._bytes > self._most_bytes or len(self._kept) > _MOST_TEMPLATES):
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size
        return compiled
