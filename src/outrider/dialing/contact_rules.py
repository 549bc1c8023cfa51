"""Who may be contacted now, and where: do-not-contact lists, hours, and limits of attempts.

`sorting.py` asks it for a batch of targets that are due, `agent_claims.py` for the one contact that an
agent wishes to call. What is needed of all of them is read at once.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.campaigns.hours import ContactHours
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import AttemptLimit, Channel, LimitPer, LimitScope, RetryOn
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.model import Contact
from outrider.contacts.store import contact_of
from outrider.db.database import Row, Tx
from outrider.dialing import promises_store, store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.history import History, history
from outrider.dialing.restrictions import Held, PastAttempt, Planned, history_needed, next_allowed


@dataclass(frozen=True, slots=True)
class Reach:
    """Who a contact is, and where the action reaches it: nowhere and nobody when it was deleted.

    `profile` and `country` are those of its list.
    """

    contact: Contact | None = None
    addresses: tuple[str, ...] = ()
    profile: str = ""
    country: str = ""


NOBODY = Reach()


def lockout(plan: TaskPlan) -> AttemptLimit | None:
    """Return the pause of an abandoned number: no call without an agent for sure (issue of agents 3).

    Limits count from the claim of a call, the pause begins when it was abandoned: it may ring until then.
    """
    agents, call = plan.action.agents, plan.action.call
    if agents is None or call is None or agents.abandonment.lockout is None:
        return None
    return AttemptLimit(
        attempts=1,
        period=agents.abandonment.lockout + call.ring_timeout + agents.abandonment.patience,
        per=LimitPer.ADDRESS,
        channels=frozenset({Channel.CALL}),
        campaigns=LimitScope.ORGANIZATION,
        outcomes=frozenset({Outcome.ABANDONED}),
    )


class ContactRules:
    """The rules for contacts of one task at one moment. `guaranteed`: an agent is there for the call.

    `strangers` are contacts that are not in the database, by ids that are not used there.
    """

    def __init__(
        self,
        tx: Tx,
        plan: TaskPlan,
        contact_ids: Sequence[int],
        now: dt.datetime,
        *,
        guaranteed: bool = False,
        strangers: Mapping[int, Reach] | None = None,
        also: Sequence[str] = (),
    ) -> None:
        """Read what the rules look at; `also` are addresses beside those of the contacts."""
        self._plan, self._now, self._action = plan, now, plan.action
        self._reaches = {**_reaches(tx, plan, contact_ids), **(strangers or {})}
        every = [address for reach in self._reaches.values() for address in reach.addresses] + list(also)
        self.blocked = do_not_contact.blocked(tx, plan.organization_id, every)
        self._hours = ContactHours(plan.strategy.hours(plan.action))
        self.lockout = None if guaranteed else lockout(plan)
        limits = plan.strategy.limits(plan.action)
        self._limits = limits if self.lockout is None else (*limits, self.lockout)
        needed = history_needed(self._limits, plan.action.channel)
        ids = list(self._reaches)
        self._history = History() if needed is None else history(tx, plan, needed, ids, every, now)
        promises = any(action.agents is not None for action in plan.strategy.actions)
        self._promised = promises_store.held(tx, plan.campaign_id, contact_ids, now) if promises else {}

    def reach(self, contact_id: int) -> Reach:
        """Return who a contact is and where it can be reached."""
        return self._reaches.get(contact_id, NOBODY)

    def index(self, reach: Reach, index: int) -> int | None:
        """Return which address to try from `index` on, None when there is none that may be contacted."""
        if not self._action.channel.is_addressed:
            return 0
        around = self._action.retry_on is RetryOn.LOOP
        return first_allowed(reach.addresses, index, self.blocked, around=around)

    def opening(self, reach: Reach, address: str) -> dt.datetime:
        """Return when a contact may be contacted there: now, or when its hours begin."""
        contact = reach.contact
        by_phone = self._action.channel in (Channel.CALL, Channel.SMS)
        number = address if by_phone or contact is None else contact.phone
        time_zone = None if contact is None else contact.time_zone
        return self._hours.next_open(time_zone, number, reach.country, self._now)

    def promised(self, contact_id: int) -> dt.datetime | None:
        """Return until when a promise keeps a contact from being called by chance, None: it does not."""
        return self._promised.get(contact_id)

    def held(self, contact_id: int, address: str) -> Held | None:
        """Return which limit of attempts holds a contact back, None when one may be made."""
        if not self._limits:
            return None
        planned = Planned(self._action.channel, self._plan.campaign_id, contact_id, address)
        return next_allowed(self._limits, self._history.of(contact_id, address), planned, self._now)

    def note(self, contact_id: int, address: str) -> None:
        """Count an attempt that is claimed: the next of the same batch sees it."""
        if self._limits:
            self._history.add(
                PastAttempt(
                    self._now, self._action.channel, self._plan.campaign_id, contact_id, address, None
                )
            )


def first_allowed(
    addresses: Sequence[str], index: int, blocked: set[str], *, around: bool = False
) -> int | None:
    """Return the first address from `index` (or the last, if there are fewer now) that may be contacted.

    `around`: after the last comes the first again, for retries that loop.
    """
    start = min(index, len(addresses) - 1)
    if not blocked:
        return None if start < 0 else start
    order = [*range(max(0, start), len(addresses)), *(range(start) if around else ())]
    return next((n for n in order if addresses[n] not in blocked), None)


def _reaches(tx: Tx, plan: TaskPlan, contact_ids: Sequence[int]) -> dict[int, Reach]:
    found: dict[int, Row] = (
        store.contacts(tx, contact_ids, attributes=plan.needs_attributes) if contact_ids else {}
    )
    reaches = {}
    for number, row in found.items():
        contact = contact_of(row)
        addresses = contact.addresses(plan.action.addresses)
        reaches[number] = Reach(contact, addresses, row["carrier_profile"], row["default_country"])
    return reaches
