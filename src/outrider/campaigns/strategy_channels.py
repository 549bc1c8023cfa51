"""What an action says for its channel: calls and their menus, texts, mails and webhooks.

Others import them from `campaigns.strategy`; the driver makes calls and messages of them. Frozen and pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.condition import Condition, Fields, matches
from outrider.campaigns.strategy_parts import NoResource, OnMachine, Prompt

SHORTEST_RING = 15
"""Seconds; rules of contact: never hang up before 15 s or 4 rings."""
DEFAULT_RING = 45.0


@dataclass(frozen=True, slots=True)
class CallerRule:
    """The caller id (E.164 or an extension) for contacts that meet the condition."""

    condition: Condition
    caller_id: str


@dataclass(frozen=True, slots=True)
class SenderRule:
    """The sender of a text or mail for contacts that meet the condition."""

    condition: Condition
    sender: str


@dataclass(frozen=True, slots=True)
class MenuChoice:
    """One answer to a menu: a key, and perhaps a word where speech is recognised.

    `disposition` names the result; strategies and finish criteria refer to it. `say` is played and then
    the call ends. `do_not_contact` puts the number on the organization's do-not-contact list.
    """

    digit: str
    disposition: str
    word: str | None = None
    say: Prompt | None = None
    do_not_contact: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """What a call asks after its prompt, as in "press 1 to confirm, 9 to be removed".

    `timeout` is seconds of silence after the prompt; `repeats` is how often the prompt is then played
    again. `speech`: the choices' words are recognised too. `no_input` is the disposition of a person who
    chose nothing (None: no disposition).
    """

    choices: tuple[MenuChoice, ...]
    timeout: float = 8.0
    repeats: int = 1
    speech: bool = False
    no_input: str | None = None

    @property
    def dispositions(self) -> tuple[str, ...]:
        """All dispositions that the menu can end with, without repetition."""
        names = [choice.disposition for choice in self.choices]
        return tuple(dict.fromkeys([*names, self.no_input] if self.no_input else names))


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What only a call action has. `ring_timeout` is seconds, never below 15 (rules of contact).

    `detect_machine` asks the media server who answered: without it real carriers cannot tell, and
    `on_machine` means nothing (the simulated carrier always tells). The first of `caller_ids` whose
    condition holds gives the caller id, else `caller_id` (None: the media server's own). `voice` is a
    language or voice of the speech engine; `resource_wait` is seconds.
    """

    prompt: Prompt
    ring_timeout: float = DEFAULT_RING
    on_machine: OnMachine = OnMachine.HANGUP
    detect_machine: bool = False
    menu: Menu | None = None
    caller_id: str | None = None
    caller_ids: tuple[CallerRule, ...] = ()
    no_resource: NoResource = NoResource.WAIT
    resource_wait: float = 10.0
    voice: str = ""

    def caller_id_for(self, fields: Fields) -> str | None:
        """Return the caller id for a contact with these fields."""
        found = (rule.caller_id for rule in self.caller_ids if matches(rule.condition, fields))
        return next(found, self.caller_id)


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """What only an SMS action has. `text` is a template over contact attributes.

    `receipt_wait` is seconds: the contact waits so long for a receipt, and ends as delivered, undelivered
    or no_receipt; None: `sent` is final. `language` (ISO 639) is that of the confirmations of STOP and
    HELP. `validity` is seconds for which the centre may keep trying (None: the centre's own).
    """

    text: str
    sender: str = ""
    sender_rules: tuple[SenderRule, ...] = ()
    receipt_wait: float | None = None
    language: str = "en"
    validity: float | None = None

    def sender_for(self, fields: Fields) -> str:
        """Return the sender for a contact with these fields; empty: the connection's own."""
        return _sender(self.sender_rules, self.sender, fields)


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """What only an email action has. Subject, text and html are templates over contact attributes.

    `unsubscribe` is the base address of the one-click unsubscribe link, for systems behind another name.
    `attachments` are names inside the attachments folder. `bounce_wait` is seconds: the contact waits so
    long for a bounce before a mail that the server took counts as delivered; None: it counts at once.
    """

    subject: str
    text: str
    sender: str
    html: str | None = None
    reply_to: str | None = None
    unsubscribe: str | None = None
    attachments: tuple[str, ...] = ()
    sender_rules: tuple[SenderRule, ...] = ()
    bounce_wait: float | None = None

    def sender_for(self, fields: Fields) -> str:
        """Return the sender's mailbox for a contact with these fields."""
        return _sender(self.sender_rules, self.sender, fields)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """What only a webhook action has: a POST to `url` (https, or http to this machine).

    `headers` are sent as they are. `secret_headers` name configured secrets whose values are sent, so that
    no secret stands in a document. `body` is a template (JSON) over contact attributes; None: the standard
    JSON of contact, job and attempt. `timeout` is seconds. A 2xx answer is `sent`; its JSON may name a
    `disposition` or an `outcome`.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    timeout: float = 10.0


def _sender(rules: tuple[SenderRule, ...], default: str, fields: Fields) -> str:
    found = (rule.sender for rule in rules if matches(rule.condition, fields))
    return next(found, default)
