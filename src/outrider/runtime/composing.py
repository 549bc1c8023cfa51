"""Makes attempts of claims: calls with their scripts, mails, texts, webhooks, filled in for a contact.

The driver asks it, and `recovery` for the script of a call that it takes over. Pure but for the templates
that it keeps.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from outrider.campaigns.strategy import Channel, MenuChoice, NoResource, OnMachine
from outrider.campaigns.strategy import Prompt as StrategyPrompt
from outrider.campaigns.strategy_agents import AgentSettings
from outrider.channels.email.template import Kind, Template, parse_template
from outrider.channels.model import OutboundCall, OutboundText, Prompt
from outrider.dialing import engine
from outrider.dialing.attempt import Claim, text_reference
from outrider.dialing.call_script import AgentLine, CallPlan, Choice, Question
from outrider.dialing.commands import CallWebhook
from outrider.dialing.state import Step
from outrider.runtime.mailing import MailComposer


class Composer:
    """Composes the attempts of one system."""

    def __init__(self, mail: MailComposer) -> None:
        self._mail = mail

    def begin(self, claim: Claim) -> Step:
        """Return the first step of a claimed attempt. ValueError for an action without its settings."""
        match claim.plan.action.channel:
            case Channel.CALL:
                return engine.place_call(_call(claim), self.call_plan(claim))
            case Channel.EMAIL:
                return engine.place_mail(self._mail.compose(claim))
            case Channel.SMS:
                return engine.place_text(_text(claim))
            case Channel.WEBHOOK:
                return engine.place_webhook(_webhook(claim))

    def call_plan(self, claim: Claim) -> CallPlan:
        """Return what the claim's call is to do once it is answered.

        Texts and recognition take licensed speech connections on media servers; the simulated carrier speaks
        by itself.
        """
        call = claim.plan.action.call
        if call is None:
            return CallPlan(Prompt())
        agents = claim.plan.action.agents
        question = None
        if call.menu is not None:
            menu = call.menu
            choices = tuple(_choice(choice, claim, call.voice) for choice in menu.choices)
            question = Question(choices, menu.timeout, menu.repeats, menu.no_input, menu.speech)
        patience = call.resource_wait if call.no_resource is NoResource.WAIT else 0.0
        return CallPlan(
            prompt=_prompt(call.prompt, claim, call.voice),
            leave_message=call.on_machine is OnMachine.LEAVE_MESSAGE,
            question=question,
            speech_units=bool(claim.server),
            patience=patience,
            digits_suffice=call.no_resource is NoResource.DIGITS,
            agents=None if agents is None else _agent_line(claim, agents, call.voice),
        )


def fields_of(claim: Claim) -> Mapping[str, str]:
    """Return a contact's fields and attributes by name, as templates and conditions see them."""
    contact = claim.contact
    own = {
        "external_id": contact.external_id or "",
        "email": contact.email or "",
        "phone": contact.phone or "",
    }
    return {**own, **contact.attributes}


def _call(claim: Claim) -> OutboundCall:
    call = claim.plan.action.call
    if call is None:
        raise ValueError(f"action {claim.plan.action.name} makes no call")
    return OutboundCall(
        claim.attempt_id,
        claim.address,
        call.ring_timeout,
        caller_id=call.caller_id_for(claim.contact.field),
        profile=claim.profile,
        server=claim.server,
        detect_machine=call.detect_machine,
    )


def _agent_line(claim: Claim, agents: AgentSettings, voice: str) -> AgentLine:
    abandoned = None if agents.abandoned is None else _prompt(agents.abandoned, claim, voice)
    return AgentLine(agents.abandonment.patience, claim.session_id, abandoned)


def _text(claim: Claim) -> OutboundText:
    sms = claim.plan.action.sms
    if sms is None:
        raise ValueError(f"action {claim.plan.action.name} sends no text")
    return OutboundText(
        claim.attempt_id,
        claim.address,
        filled(sms.text, claim),
        sender=sms.sender_for(claim.contact.field),
        reference=text_reference(claim.attempt_id),
        receipt=sms.receipt_wait is not None,
        validity=sms.validity,
    )


def _webhook(claim: Claim) -> CallWebhook:
    webhook = claim.plan.action.webhook
    if webhook is None:
        raise ValueError(f"action {claim.plan.action.name} calls no web service")
    fields = fields_of(claim)
    if webhook.body is None:
        body = json.dumps(
            {
                "attempt": claim.attempt_id,
                "job": claim.plan.job_id,
                "action": claim.plan.action.name,
                "contact": {**fields, "id": claim.contact.id},
            }
        )
    else:
        body = json.dumps(_filled_in(json.loads(webhook.body), claim))
    return CallWebhook(
        claim.attempt_id, webhook.url, body, webhook.headers, webhook.secret_headers, webhook.timeout
    )


def _filled_in(value: Any, claim: Claim) -> Any:
    """Return a piece of JSON whose texts, but not names, are filled in for a contact."""
    if isinstance(value, str):
        return filled(value, claim)
    if isinstance(value, dict):
        return {name: _filled_in(each, claim) for name, each in value.items()}
    return [_filled_in(each, claim) for each in value] if isinstance(value, list) else value


def _filled_values(value: object, fields: Mapping[str, str]) -> object:
    """Return JSON data in which every text is filled in as a template."""
    match value:
        case str():
            return _template(value).fill(fields) if "{" in value else value
        case list():
            return [_filled_values(each, fields) for each in value]
        case dict():
            return {name: _filled_values(each, fields) for name, each in value.items()}
        case _:
            return value


def _prompt(prompt: StrategyPrompt, claim: Claim, voice: str) -> Prompt:
    text = None if prompt.text is None else filled(prompt.text, claim)
    return Prompt(text, prompt.file, voice)


def _choice(choice: MenuChoice, claim: Claim, voice: str) -> Choice:
    say = None if choice.say is None else _prompt(choice.say, claim, voice)
    return Choice(choice.digit, choice.disposition, choice.word, say, choice.do_not_contact)


def filled(text: str, claim: Claim) -> str:
    """Return a template filled in for a contact."""
    return text if "{" not in text else _template(text).fill(fields_of(claim))


@lru_cache(maxsize=1000)
def _template(text: str) -> Template:
    return parse_template(text, Kind.TEXT, "text")
