"""The one description of every field of a strategy that the form is generated from.

`strategy_form` shows and reads what stands here; a test compares it with what documents can say.
"""

from collections.abc import Mapping, Sequence

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel
from outrider.campaigns.strategy_actions import RETRYABLE
from outrider.web.pages.strategy_agent_fields import agents_part
from outrider.web.pages.strategy_fields import (
    DAY_OPTIONS,
    Conditional,
    Field,
    Keyed,
    Kind,
    Listing,
    Node,
    Part,
    Section,
)

WAYS = {"next_address": "next address", "next_action": "next action", "done": "done"}


def _rule(default: str, ways: Sequence[str] = tuple(WAYS)) -> Sequence[Node]:
    """Return the fields of what follows; `default` is what holds when nothing is chosen."""
    options = [("", WAYS[default]), *((way, WAYS[way]) for way in ways if way != default)]
    return (
        Field("then", "Then", Kind.THEN, options=options),
        Field("then_delay", "Then after", Kind.DURATION, placeholder="at once"),
    )


RETRIES: Sequence[Node] = (
    Field("count", "Retries", Kind.NUMBER, placeholder="0"),
    Field("delays", "Each after", Kind.DURATIONS, placeholder="5m, 20m"),
)
PROMPT: Sequence[Node] = (
    Field("text", "Text to be spoken", Kind.LINES, placeholder="Hello {name|there}.", wide=True),
    Field("file", "Or an audio file", placeholder="notice.wav"),
)
LIMIT: Sequence[Node] = (
    Field("attempts", "At most", Kind.NUMBER, hint="attempts", required=True),
    Field("period", "In any", Kind.DURATION, hint="Such as 24h or 7d.", required=True),
    Field("per", "Per", Kind.CHOICE, options=(("contact", "Contact"), ("address", "Address"))),
    Field(
        "campaigns",
        "Counting",
        Kind.CHOICE,
        options=(("this", "This campaign"), ("organization", "All of the organization's campaigns")),
    ),
    Field(
        "channels",
        "Only these channels",
        Kind.MANY,
        options=[(each.value, each.value.capitalize()) for each in Channel],
        hint="None: all.",
    ),
    Field(
        "outcomes",
        "Only attempts that ended",
        Kind.ITEMS,
        hint="Such as answered: no call for a week after a conversation. Empty: all attempts.",
        placeholder="answered",
    ),
)
RESTRICTIONS: Sequence[Node] = (
    Listing("limits", "Limits of attempts", "limit", LIMIT, hint="All of them must allow an attempt."),
    Field(
        "holidays", "Holidays", Kind.ITEMS, hint="Dates such as 2026-12-25; nothing is attempted.", wide=True
    ),
    Field(
        "when_limited",
        "A contact that a limit holds back",
        Kind.CHOICE,
        options=(("wait", "Waits until it is allowed"), ("skip", "Goes on to the next action")),
    ),
)
CHOICE: Sequence[Node] = (
    Field("digit", "Key", placeholder="1", required=True),
    Field("word", "Spoken word", placeholder="yes"),
    Field("disposition", "Result", placeholder="confirmed"),
    Field("do_not_contact", "Do not contact again", Kind.FLAG),
    Section("say", "Answer", PROMPT, hint="Played, and then the call ends."),
)
MENU: Sequence[Node] = (
    Listing("choices", "Choices", "choice", CHOICE, movable=True),
    Field("timeout", "Silence after the prompt", Kind.DURATION, placeholder="8s"),
    Field("repeats", "Ask again", Kind.NUMBER, hint="times", placeholder="1"),
    Field("no_input", "Result when nothing is chosen", placeholder="silent"),
    Field("speech", "Listen for the words too (one speech recognition licence per call)", Kind.FLAG),
)


def _senders(label: str) -> Node:
    nodes = (Field("sender", "Sender", required=True), Conditional("condition", "For whom", required=True))
    hint = "The first whose condition holds is used."
    return Listing("sender_rules", label, "sender", nodes, hint=hint, movable=True)


CALL: Sequence[Node] = (
    Part(
        "Message",
        (
            Section("prompt", "What is said", PROMPT, optional=False),
            Field("voice", "Voice or language", placeholder="en"),
        ),
    ),
    agents_part(PROMPT),
    Part("Answers", (Section("menu", "Menu", MENU, hint="Such as press 1 to confirm, 9 to be removed."),)),
    Part(
        "The call",
        (
            Field("ring_timeout", "Ring for", Kind.NUMBER, hint="seconds, at least 15", placeholder="45"),
            Field("detect_machine", "Find out whether a machine answered", Kind.FLAG),
            Field(
                "on_machine",
                "When a machine answers",
                Kind.CHOICE,
                options=(("hangup", "Hang up"), ("leave_message", "Leave the message")),
            ),
            Field("caller_id", "Caller id", placeholder="+12025550100"),
            Field(
                "no_resource",
                "When no speech connection is free",
                Kind.CHOICE,
                options=(("wait", "Wait for one"), ("digits", "Go on with keys only"), ("hangup", "Hang up")),
            ),
            Field("resource_wait", "Wait at most", Kind.DURATION, placeholder="10s"),
            Listing(
                "caller_ids",
                "Caller ids by condition",
                "caller id",
                (
                    Field("caller_id", "Caller id", required=True),
                    Conditional("condition", "For whom", required=True),
                ),
                hint="The first whose condition holds is used.",
                movable=True,
            ),
        ),
        folded=True,
    ),
)
SMS: Sequence[Node] = (
    Part(
        "Message",
        (
            Field("text", "Text", Kind.LINES, required=True, wide=True),
            Field("sender", "Sender", hint="A number, or a name of at most 11 characters."),
            Field("receipt_wait", "Wait for a receipt", Kind.DURATION, hint="Such as 2h; empty: not at all."),
            Field("validity", "The centre tries for", Kind.DURATION, hint="Empty: as long as it likes."),
            Field("language", "Language of STOP and HELP answers", placeholder="en"),
            _senders("Senders by condition"),
        ),
    ),
)
EMAIL: Sequence[Node] = (
    Part(
        "Message",
        (
            Field("from", "From", required=True, placeholder="Team <team@example.org>"),
            Field("reply_to", "Reply to"),
            Field("subject", "Subject", required=True, wide=True),
            Field("text", "Text", Kind.LINES, required=True, wide=True),
            Field("html", "HTML", Kind.LINES, wide=True),
            Field("attachments", "Attachments", Kind.ITEMS, hint="File names, separated by commas."),
            Field("bounce_wait", "Wait for a bounce", Kind.DURATION, hint="Such as 1h; empty: not at all."),
            Field("unsubscribe", "Unsubscribe address", hint="Empty: this system's own."),
            _senders("Senders by condition"),
        ),
    ),
)
WEBHOOK: Sequence[Node] = (
    Part(
        "Request",
        (
            Field("url", "Address", required=True, placeholder="https://crm.example.org/hook", wide=True),
            Field("timeout", "Wait at most", Kind.DURATION, placeholder="10s"),
            Field("body", "Body", Kind.JSON, hint="A JSON object; empty: the standard one.", wide=True),
            Field("headers", "Headers", Kind.PAIRS, hint="One per line, as in X-Kind: reminder.", wide=True),
            Field(
                "secret_headers",
                "Secret headers",
                Kind.PAIRS,
                hint="One per line: the header, and the name of a secret in the settings.",
                wide=True,
            ),
        ),
    ),
)
SETTINGS: Mapping[Channel, Sequence[Node]] = {
    Channel.CALL: CALL,
    Channel.SMS: SMS,
    Channel.EMAIL: EMAIL,
    Channel.WEBHOOK: WEBHOOK,
}
LICENCES = Part(
    "Pace and licences",
    (
        Field("minimum", "Minimum", Kind.NUMBER, hint="kept even when others need them", placeholder="1"),
        Field("maximum", "Maximum", Kind.NUMBER, hint="used at most", placeholder="30"),
        Field("priority", "Priority", Kind.NUMBER, hint="1 to 10, 10 the most important", placeholder="5"),
        Field(
            "allocation",
            "Allocation",
            Kind.CHOICE,
            options=(("dynamic", "Dynamic: lends what it does not need"), ("reserved", "Reserved")),
        ),
        Field("pacing", "Attempts per second", Kind.NUMBER, hint="Empty: as fast as licences allow."),
        Field("max_attempts", "Attempts of one contact at most", Kind.NUMBER, hint="in this action"),
    ),
    folded=True,
)
WHEN = Part(
    "When",
    (
        Listing(
            "windows",
            "Hours",
            "window",
            (
                Field("start", "From", placeholder="08:00"),
                Field("end", "To", placeholder="21:00", hint="Before From: it goes over midnight."),
                Field("days", "Days", Kind.DAYS, options=DAY_OPTIONS, wide=True),
            ),
            hint="In the contact's own time zone; without any, 08:00 to 21:00 every day.",
        ),
        Section("restrictions", "Restrictions", RESTRICTIONS),
    ),
    folded=True,
)
CHANNELS = Field(
    "channel",
    "Channel",
    Kind.CHOICE,
    options=(("call", "Call"), ("sms", "SMS"), ("email", "Email"), ("webhook", "Webhook")),
    required=True,
    reshapes=True,
)
NAME = Field("name", "Name", required=True, placeholder="call")


def action_nodes(channel: Channel) -> Sequence[Node]:
    """Return everything that an action on `channel` can say."""
    who: list[Node] = []
    if channel.is_addressed:
        hint = "In this order: " + ("email." if channel is Channel.EMAIL else "phone, phone2 ... phone10.")
        placeholder = "email" if channel is Channel.EMAIL else "phone"
        who.append(Field("addresses", "Addresses", Kind.ITEMS, hint=hint, placeholder=placeholder))
    who.append(Conditional("condition", "Only contacts that meet", hint="Others go on to the next action."))
    head: Sequence[Node] = (Part("Action", (NAME, CHANNELS)), *SETTINGS[channel])
    return (*head, _results(channel), Part("Who", who, folded=True), WHEN, LICENCES)


def _results(channel: Channel) -> Part:
    nodes: list[Node] = [
        Keyed(
            "retry",
            "When it does not succeed",
            "outcome",
            (*RETRIES, *_rule("next_address")),
            keys=[outcome.value for outcome in RETRYABLE[channel]],
            hint="The last waiting time repeats. Without a rule: the next address, then the next action.",
        )
    ]
    if channel in (Channel.CALL, Channel.WEBHOOK):
        nodes.append(
            Keyed(
                "dispositions",
                "When the result is",
                "result",
                (*RETRIES, *_rule("done")),
                hint="Results of the menu or the web service; without a rule the contact is done.",
            )
        )
    nodes.append(Section("reached", "When the contact was reached", _rule("done", ("next_action", "done"))))
    if channel.is_addressed:
        options = (
            ("same", "The same address"),
            ("next_address", "The next address"),
            ("loop", "The next address, and round again"),
        )
        nodes.append(Field("retry_on", "A retry goes to", Kind.CHOICE, options=options))
    nodes.append(Field("retry_interrupted", "Try again what a crash interrupted", Kind.FLAG))
    return Part("What follows", nodes)


STRATEGY: Sequence[Node] = (
    Part(
        "Strategy",
        (
            Field("name", "Name", required=True, placeholder="Appointment reminder", wide=True),
            Field("description", "Description", Kind.LINES, wide=True),
            Field("max_attempts", "Attempts of one contact at most", Kind.NUMBER, hint="over all actions"),
            Field(
                "retry_counter",
                "Retries are counted",
                Kind.CHOICE,
                options=(("shared", "Together"), ("per_outcome", "By outcome")),
            ),
        ),
    ),
)
"""What stands above the actions."""

LIMITS: Sequence[Node] = (
    Part(
        "When the job ends",
        (
            Field("goal", "Goal", Kind.COUNTS, hint="As in answered: 500.", placeholder="answered: 500"),
            Section(
                "finish",
                "Finish early",
                (
                    Field("after", "After", Kind.DURATION, hint="Such as 12h after its start."),
                    Field("at", "At", hint="As in 2026-05-01T18:00:00+02:00."),
                    Field(
                        "outcomes",
                        "Contacts that ended",
                        Kind.COUNTS,
                        placeholder=f"{Outcome.ANSWERED}: 500",
                        hint="One per line.",
                    ),
                    Field(
                        "dispositions",
                        "Contacts with the result",
                        Kind.COUNTS,
                        placeholder="confirmed: 50",
                        hint="One per line.",
                    ),
                ),
                hint="The first that holds ends the job.",
            ),
        ),
        folded=True,
    ),
    Part("For every action", (Section("restrictions", "Restrictions", RESTRICTIONS),), folded=True),
)
"""What stands below them."""
