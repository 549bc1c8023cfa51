"""Writes a strategy as the data of a document, with every default; reading it gives the same strategy.

`strategy_document.to_document` is this; the API answers with it and the editor shows it. Pure.
"""

from collections.abc import Mapping

from outrider.campaigns.read_condition import condition_document
from outrider.campaigns.strategy import (
    DAY_NAMES,
    Action,
    AgentSettings,
    AttemptLimit,
    CallSettings,
    Channel,
    EmailSettings,
    FinishCriteria,
    Menu,
    Prompt,
    Restrictions,
    RetryRule,
    SenderRule,
    SmsSettings,
    Strategy,
    WebhookSettings,
    WhenLimited,
    Window,
)


def to_document(strategy: Strategy) -> dict[str, object]:
    """Return the strategy as JSON data with every default written out; parsing it gives the same strategy."""
    return _without_none(
        {
            "name": strategy.name,
            "description": strategy.description or None,
            "goal": {strategy.goal.outcome.value: strategy.goal.count} if strategy.goal else None,
            "finish": _finish(strategy.finish),
            "max_attempts": strategy.max_attempts,
            "retry_counter": strategy.retry_counter.value,
            "restrictions": _restrictions(strategy.restrictions),
            "actions": [_action(action) for action in strategy.actions],
        }
    )


def _action(action: Action) -> dict[str, object]:
    addressed = action.channel.is_addressed
    document: dict[str, object] = {
        "name": action.name,
        "channel": action.channel.value,
        "addresses": list(action.addresses) if addressed else None,
        "condition": None if action.condition is None else condition_document(action.condition),
        "minimum": action.minimum,
        "maximum": action.maximum,
        "priority": action.priority,
        "allocation": action.allocation.value,
        "pacing": _plain(action.pacing),
        "max_attempts": action.max_attempts,
        "retry_on": action.retry_on.value if addressed else None,
        "retry_interrupted": action.retry_interrupted,
        **_windows(action.windows),
        "restrictions": _restrictions(action.restrictions),
        "retry": {outcome.value: _rule(rule) for outcome, rule in action.retry.items()} or None,
        "dispositions": {name: _rule(rule) for name, rule in action.dispositions.items()} or None,
        "reached": None if action.reached is None else _reached(action.reached),
    }
    if action.agents is not None:
        document["agents"] = _agents(action.agents)
    for settings in (action.call, action.sms, action.email, action.webhook):
        match settings:
            case CallSettings():
                document |= _call(settings)
            case SmsSettings():
                document |= _sms(settings)
            case EmailSettings():
                document |= _email(settings)
            case WebhookSettings():
                document |= _webhook(settings)
    return _without_none(document)


def _call(call: CallSettings) -> dict[str, object]:
    rules = [
        {"caller_id": rule.caller_id, "condition": condition_document(rule.condition)}
        for rule in call.caller_ids
    ]
    return {
        "prompt": _prompt(call.prompt) or None,
        "voice": call.voice or None,
        "ring_timeout": _plain(call.ring_timeout),
        "detect_machine": call.detect_machine,
        "on_machine": call.on_machine.value,
        "caller_id": call.caller_id,
        "caller_ids": rules or None,
        "menu": None if call.menu is None else _menu(call.menu),
        "no_resource": call.no_resource.value,
        "resource_wait": _plain(call.resource_wait),
    }


def _agents(agents: AgentSettings) -> dict[str, object]:
    rule = agents.abandonment
    abandonment = {
        "pack": rule.pack,
        "limit": rule.limit,
        "days": rule.days,
        "denominator": rule.denominator,
        "patience": _plain(rule.patience),
        "lockout": _plain(rule.lockout or 0.0),
    }
    return _without_none(
        {
            "mode": agents.mode.value,
            "skills": dict(agents.skills) or None,
            "script": agents.script or None,
            "card": list(agents.card) or None,
            "preview_time": _plain(agents.preview_time or 0.0),
            "auto_dial": agents.auto_dial,
            "may_skip": agents.may_skip,
            "wrap_up": _plain(agents.wrap_up),
            "wrap_up_extension": _plain(agents.wrap_up_extension),
            "wrap_up_extensions": agents.wrap_up_extensions,
            "completion_codes": list(agents.completion_codes) or None,
            "default_code": agents.default_code,
            "abandoned": None if agents.abandoned is None else _prompt(agents.abandoned),
            "abandonment": abandonment,
            "callbacks": [kind.value for kind in agents.callbacks] or None,
            "callback_life": _plain(agents.callback_life),
            "nail_up_timeout": _plain(agents.nail_up_timeout),
        }
    )


def _menu(menu: Menu) -> dict[str, object]:
    choices = [
        _without_none(
            {
                "digit": choice.digit,
                "word": choice.word,
                "disposition": choice.disposition,
                "say": None if choice.say is None else _prompt(choice.say),
                "do_not_contact": choice.do_not_contact,
            }
        )
        for choice in menu.choices
    ]
    return _without_none(
        {
            "timeout": _plain(menu.timeout),
            "repeats": menu.repeats,
            "speech": menu.speech,
            "no_input": menu.no_input,
            "choices": choices,
        }
    )


def _sms(sms: SmsSettings) -> dict[str, object]:
    return {
        "text": sms.text,
        "sender": sms.sender or None,
        "sender_rules": _senders(sms.sender_rules),
        "receipt_wait": _plain(sms.receipt_wait),
        "language": sms.language,
        "validity": _plain(sms.validity),
    }


def _email(email: EmailSettings) -> dict[str, object]:
    return {
        "subject": email.subject,
        "text": email.text,
        "html": email.html,
        "from": email.sender,
        "sender_rules": _senders(email.sender_rules),
        "reply_to": email.reply_to,
        "unsubscribe": email.unsubscribe,
        "attachments": list(email.attachments) or None,
        "bounce_wait": _plain(email.bounce_wait),
    }


def _webhook(webhook: WebhookSettings) -> dict[str, object]:
    return {
        "url": webhook.url,
        "headers": dict(webhook.headers) or None,
        "secret_headers": dict(webhook.secret_headers) or None,
        "body": webhook.body,
        "timeout": _plain(webhook.timeout),
    }


def _senders(rules: tuple[SenderRule, ...]) -> list[dict[str, object]] | None:
    return [
        {"sender": rule.sender, "condition": condition_document(rule.condition)} for rule in rules
    ] or None


def _prompt(prompt: Prompt) -> dict[str, object]:
    return _without_none({"text": prompt.text, "file": prompt.file})


def _windows(windows: tuple[Window, ...]) -> dict[str, object]:
    """Return one window as `window`, which is how most documents and their readers know it."""
    if len(windows) == 1:
        return {"window": _window(windows[0])}
    return {"windows": [_window(window) for window in windows]}


def _window(window: Window) -> dict[str, object]:
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (window.start, window.end))
    return {"start": start, "end": end, "days": [DAY_NAMES[day] for day in sorted(window.days)]}


def _rule(rule: RetryRule) -> dict[str, object]:
    delays = [_plain(delay) for delay in rule.delays] or None
    return _without_none({"count": rule.count, "delays": delays, **_reached(rule)})


def _reached(rule: RetryRule) -> dict[str, object]:
    then = rule.then_action or rule.then.value
    return _without_none({"then": then, "then_delay": _plain(rule.then_delay) or None})


def _restrictions(restrictions: Restrictions) -> dict[str, object] | None:
    skips = restrictions.when_limited is not WhenLimited.WAIT
    document = {
        "limits": [_limit(limit) for limit in restrictions.limits] or None,
        "holidays": [day.isoformat() for day in sorted(restrictions.holidays)] or None,
        "when_limited": restrictions.when_limited.value if skips else None,
    }
    return _without_none(document) or None


def _limit(limit: AttemptLimit) -> dict[str, object]:
    return _without_none(
        {
            "attempts": limit.attempts,
            "period": _plain(limit.period),
            "per": limit.per.value,
            "channels": [channel.value for channel in Channel if channel in limit.channels] or None,
            "campaigns": limit.campaigns.value,
            "outcomes": sorted(outcome.value for outcome in limit.outcomes) or None,
        }
    )


def _finish(finish: FinishCriteria) -> dict[str, object] | None:
    document = {
        "outcomes": {outcome.value: count for outcome, count in finish.outcomes.items()} or None,
        "dispositions": dict(finish.dispositions) or None,
        "after": _plain(finish.after),
        "at": None if finish.at is None else finish.at.isoformat(),
    }
    return _without_none(document) or None


def _plain(number: float | None) -> float | int | None:
    return int(number) if number is not None and number.is_integer() else number


def _without_none(document: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in document.items() if value is not None}
