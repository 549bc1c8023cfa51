"""When the next submission may go: a steady rate without bursts, and pauses while a centre throttles. Pure.

`session` has one per connection and gives it monotonic readings in seconds.
"""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class Pace:
    """The generic cell rate algorithm with a burst of one; `rate` is messages per second, None unbounded."""

    __slots__ = ("_interval", "_next", "_pause", "_paused_until")

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0
        self._pause = 0.0
        self._paused_until = 0.0

    def reserve(self, now: float) -> float:
        """Take the next free moment and return how many seconds from now it is."""
        at = max(self._next, now)
        self._next = at + self._interval
        return at - now

    def paused(self, now: float) -> float:
        """Return how many seconds of a pause are left."""
        return max(0.0, self._paused_until - now)

    def throttled(self, now: float) -> None:
        """Pause after a refusal for going too fast: each pause twice as long, up to 5 s.

        Refusals of messages that were under way together, within the pause, do not lengthen it.
        """
        if now < self._paused_until:
            return
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        self._paused_until = now + self._pause
        self._next = max(self._next, self._paused_until)

    def is_probing(self) -> bool:
        """Return whether nothing was accepted since the last refusal: one message at a time is enough."""
        return self._pause > 0

    def accepted(self, now: float) -> None:
        """Begin with the shortest pause again: the centre takes messages.

        Answers within a pause are of messages that went before it, and say nothing new.
        """
        if now >= self._paused_until:
            self._pause = 0.0
