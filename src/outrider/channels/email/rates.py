"""How fast each recipient domain is sent to: the generic cell rate algorithm (ITU-T I.371), per domain. Pure.

`turns` asks before every message and tells when a domain's server said "too fast". Times are seconds on any
clock that does not go back; what is asked about one domain never depends on another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.channels.email.encoding import mail_address
from outrider.errors import InvalidInputError

CATCH_UP = 0.1
"""Seconds' worth of messages that may follow each other at once after a delay of ours."""

FIRST_PAUSE = 10.0
"""Seconds without a message after a domain's first "too fast"; doubled by each further one."""

CALM = 60.0
"""Seconds after a pause in which a domain is sent to more slowly, per step back to its own rate."""

_MOST_STEPS = 6
_SLOWED_RATE = 1.0
"""Messages per second of a domain without limit when its server has said "too fast" once."""

_KEPT_DOMAINS = 10_000


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Messages per second to one recipient domain: `default`, and `domains` with rates of their own.

    None is no limit. `connections` is how many messages to one domain may be on their way at once.
    InvalidInputError names the field; domains are compared in lower case and IDNA form.
    """

    default: float | None = None
    domains: Mapping[str, float] = field(default_factory=dict)
    connections: int | None = None

    def __post_init__(self) -> None:
        """Check the rates, and bring domains into the form that recipients have."""
        for name, rate in (("default", self.default), *self.domains.items()):
            if rate is not None and not 0 < rate < float("inf"):
                message = f"smtp.rates.{name}: {rate!r} must be greater than 0 messages per second"
                raise InvalidInputError(message, where=f"smtp.rates.{name}")
        if self.connections is not None and self.connections < 1:
            raise InvalidInputError(
                "smtp.rates.connections: must be at least 1", where="smtp.rates.connections"
            )
        plain = {
            domain_of(mail_address(f"x@{one}", "smtp.rates")): rate for one, rate in self.domains.items()
        }
        object.__setattr__(self, "domains", plain)

    def rate(self, domain: str) -> float | None:
        """Return the configured rate of a domain, None without limit."""
        return self.domains.get(domain, self.default)

    @property
    def unlimited(self) -> bool:
        """Return whether no domain has a limit."""
        return self.default is None and not self.domains


@dataclass(slots=True)
class _Domain:
    """When a domain's next message is due on time, and how often it said "too fast" lately."""

    due: float = 0.0
    pause_ends: float = 0.0
    steps: int = 0


def domain_of(address: str) -> str:
    """Return the domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


class DomainRates:
    """What was sent lately, per domain. Its methods neither wait nor read a clock."""

    def __init__(self, settings: RateSettings) -> None:
        self._settings = settings
        self._domains: dict[str, _Domain] = {}

    def wait(self, domain: str, now: float) -> float:
        """Return after how many seconds the domain's next message may go; 0: now."""
        state = self._domains.get(domain)
        if state is None:
            return 0.0
        if now < state.pause_ends:
            return state.pause_ends - now
        rate = self._rate(domain, state, now)
        if rate is None:
            return 0.0
        interval = 1.0 / rate
        tolerance = max(0.0, CATCH_UP - interval)
        return max(0.0, state.due - tolerance - now)

    def take(self, domain: str, now: float) -> None:
        """Note that a message goes to the domain now."""
        state = self._domains.get(domain)
        if state is None:
            if self._settings.rate(domain) is None:
                return
            state = self._remember(domain, now)
        rate = self._rate(domain, state, now)
        if rate is not None:
            state.due = max(state.due, now) + 1.0 / rate

    def slow_down(self, domain: str, now: float) -> float:
        """Note that the domain's server said "too fast"; return for how many seconds it is left alone.

        Answers to what was sent before the pause began tell nothing new, and do not lengthen it.
        """
        state = self._domains.get(domain) or self._remember(domain, now)
        if now >= state.pause_ends:
            state.steps = min(_steps(state, now) + 1, _MOST_STEPS)
            state.pause_ends = now + FIRST_PAUSE * 2 ** (state.steps - 1)
            state.due = state.pause_ends
        return state.pause_ends - now

    def _rate(self, domain: str, state: _Domain, now: float) -> float | None:
        """Return the domain's present rate: halved by each step, and restored step by step."""
        steps = _steps(state, now)
        configured = self._settings.rate(domain)
        if steps == 0:
            return configured
        slowed = _SLOWED_RATE * 0.5 ** (steps - 1)
        return slowed if configured is None else min(configured * 0.5**steps, slowed)

    def _remember(self, domain: str, now: float) -> _Domain:
        if len(self._domains) >= _KEPT_DOMAINS:
            self._domains = {
                name: state
                for name, state in self._domains.items()
                if state.due > now or state.pause_ends > now or _steps(state, now)
            }
        return self._domains.setdefault(domain, _Domain())


def _steps(state: _Domain, now: float) -> int:
    """Return how many steps a domain is below its own rate."""
    if state.steps == 0 or now < state.pause_ends:
        return state.steps
    return max(0, state.steps - int((now - state.pause_ends) / CALM))
