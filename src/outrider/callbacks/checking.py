"""Whether a callback can be as it is wished: its time, the calling hours there, kind, number. Pure.

`service.py` asks before it writes, and the Agent Web API before an agent's promise goes to the floor.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from outrider.callbacks.model import FARTHEST, LONGEST_LIFE, LONGEST_NOTE, CallbackPlan
from outrider.campaigns.contact_zones import country_zones, number_zones, zone
from outrider.campaigns.hours import ContactHours
from outrider.campaigns.strategy import Action, Hours
from outrider.campaigns.strategy_agents import CallbackKind
from outrider.contacts.model import Contact
from outrider.contacts.numbers import BadNumber, read_number
from outrider.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Place:
    """Whom the callback is for, the country of its list (ISO 3166), and when it may be called."""

    contact: Contact
    country: str
    hours: Hours


def checked(plan: CallbackPlan, action: Action, place: Place, now: dt.datetime) -> dict[str, Any]:
    """Return what is stored of a plan for an action in which agents talk. InvalidInputError names the field.

    Times are in UTC then. Outside of the calling hours a time is refused with the next opening, or moved
    there if the plan wants it (`shift`).
    """
    settings = action.agents
    if settings is None:
        raise ValueError(f"action {action.name}: no agents talk in it")
    if plan.kind not in settings.callbacks:
        allowed = ", ".join(settings.callbacks) or "none"
        raise InvalidInputError(
            f"kind: the strategy does not allow {plan.kind} callbacks; it allows {allowed}", where="kind"
        )
    if plan.kind is CallbackKind.CAMPAIGN and plan.agent_id is not None:
        raise InvalidInputError(
            "agent_id: a callback of the campaign is nobody's own; leave it out", where="agent_id"
        )
    if len(plan.note) > LONGEST_NOTE:
        raise InvalidInputError(f"note: use at most {LONGEST_NOTE} characters", where="note")
    address = _address(plan.address, action, place)
    said, time_zone = _moment(plan, address, place)
    at = open_at(said, address, place, now, shift=plan.shift)
    life = dt.timedelta(seconds=settings.callback_life)
    expires_at = at + life if plan.expires_at is None else _aware(plan.expires_at, "expires_at")
    if not at <= expires_at <= at + LONGEST_LIFE:
        raise InvalidInputError(
            f"expires_at: give a time from that of the callback to {LONGEST_LIFE.days} days later",
            where="expires_at",
        )
    return {
        "address": address,
        "kind": plan.kind.value,
        "agent_id": plan.agent_id,
        "due_at": at,
        "expires_at": expires_at,
        "time_zone": time_zone,
        "note": plan.note,
    }


def open_at(
    at: dt.datetime, address: str, place: Place, now: dt.datetime, *, shift: bool = False
) -> dt.datetime:
    """Return the time (aware) of a callback in UTC, moved to the next calling hours with `shift`.

    InvalidInputError when it is past, more than a year away, or outside of the hours.
    """
    at = _utc(at, "at")
    if not now <= at <= now + FARTHEST:
        raise InvalidInputError(
            f"at: give a time from now to {FARTHEST.days} days ahead, not {_told(at)}", where="at"
        )
    contact = place.contact
    opening = ContactHours(place.hours).next_open(contact.time_zone, address, place.country, at)
    if opening > at and not shift:
        raise InvalidInputError(
            f"at: {_told(at)} is outside of the contact's calling hours, which begin at {_told(opening)}",
            where="at",
            next_opening=opening.isoformat(),
        )
    return max(at, opening)


def _moment(plan: CallbackPlan, address: str, place: Place) -> tuple[dt.datetime, str]:
    """Return when it is to be, and in which zone that was said: as planned, else the contact's.

    A time without an offset is one of that zone.
    """
    if plan.time_zone:
        zone(plan.time_zone)
    if plan.at.tzinfo is not None:
        return plan.at, plan.time_zone or place.contact.time_zone or ""
    named = plan.time_zone or place.contact.time_zone
    known = (named,) if named else number_zones(address) or country_zones(place.country)
    if len(known) != 1:
        raise InvalidInputError(
            "time_zone: say in which zone the time is meant, or give it with an offset: the contact may be"
            f" in {len(known)} zones",
            where="time_zone",
        )
    return plan.at.replace(tzinfo=zone(known[0])), known[0]


def _address(text: str, action: Action, place: Place) -> str:
    """Return the number to call, in E.164."""
    if not text.strip():
        found = place.contact.addresses(action.addresses)
        if not found:
            raise InvalidInputError("address: the contact has no number for this; give one", where="address")
        return found[0]
    number = read_number(text, place.country)
    if isinstance(number, BadNumber):
        raise InvalidInputError(f"address: {number.reason}", where="address")
    return number.e164


def _aware(at: dt.datetime, field: str) -> dt.datetime:
    if at.tzinfo is None:
        raise InvalidInputError(f"{field}: give the time with its offset, such as +02:00", where=field)
    return _utc(at, field)


def _utc(at: dt.datetime, field: str) -> dt.datetime:
    """Return an aware time in UTC, where the first and the last day of the calendar may not exist."""
    try:
        return at.astimezone(dt.UTC)
    except OverflowError:
        raise InvalidInputError(
            f"{field}: give a time near the present; this one is beyond the calendar in UTC", where=field
        ) from None


def _told(at: dt.datetime) -> str:
    return at.isoformat(timespec="minutes")
