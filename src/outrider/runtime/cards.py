"""The card of a contact: what an agent's desktop shows of it, as JSON. Pure but for the templates it keeps.

The floor's edge makes one for every contact that an agent gets.
"""

from outrider.callbacks.model import Callback
from outrider.campaigns.strategy_agents import AgentSettings
from outrider.dialing.attempt import Claim
from outrider.runtime.composing import fields_of, filled


def card_of(claim: Claim, callback: Callback | None = None) -> dict[str, object]:
    """Return the card: who it is, the number, the attributes that the strategy shows, the script.

    `callback` is what was promised to the contact, and is to be kept now; null on the cards of others.
    """
    settings = claim.plan.action.agents
    contact = claim.contact
    return {
        "contact_id": contact.id,
        "external_id": contact.external_id or "",
        "address": claim.address,
        "email": contact.email or "",
        "time_zone": contact.time_zone or "",
        "attempt_number": claim.number,
        "job_id": claim.plan.job_id,
        "task_id": claim.plan.task_id,
        "attributes": _attributes(claim, settings),
        "script": "" if settings is None else filled(settings.script, claim),
        "completion_codes": [] if settings is None else list(settings.completion_codes),
        "may_callback": [] if settings is None else [kind.value for kind in settings.callbacks],
        "callback": None if callback is None else _promise(callback),
    }


def _promise(callback: Callback) -> dict[str, object]:
    return {
        "id": callback.id,
        "kind": callback.kind.value,
        "due_at": callback.due_at.isoformat(),
        "note": callback.note,
        "agent": callback.agent,
    }


def _attributes(claim: Claim, settings: AgentSettings | None) -> dict[str, str]:
    fields = fields_of(claim)
    if settings is None or not settings.card:
        return dict(claim.contact.attributes)
    return {name: fields.get(name, "") for name in settings.card}
