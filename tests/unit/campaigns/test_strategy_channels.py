"""What calls with menus, texts, mails and webhooks can say, and how it is read and written."""

import datetime as dt
import json

import pytest

from outrider.campaigns.condition import AllOf, Comparison, Not, Operator
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import (
    AttemptLimit,
    CallerRule,
    Channel,
    FinishCriteria,
    LimitPer,
    LimitScope,
    MenuChoice,
    NoResource,
    Prompt,
    RetryOn,
    RetryRule,
    SenderRule,
    Strategy,
    Then,
    WhenLimited,
    Window,
)
from outrider.campaigns.strategy_document import parse_strategy, to_document
from outrider.licences.model import LicenceKind

FULL = """
name = "Everything"

[finish]
after = "12h"
at = 2026-05-01T18:00:00+02:00
outcomes = { answered = 500 }
dispositions = { confirmed = 50 }

[restrictions]
holidays = [2026-12-25, "2026-12-26"]
when_limited = "skip"
limits = [{ attempts = 3, period = "24h", campaigns = "organization" }]

[[actions]]
name = "call"
channel = "call"
addresses = ["phone", "phone3"]
retry_on = "loop"
detect_machine = true
caller_id = "+12025550100"
no_resource = "digits"
resource_wait = 5
voice = "en-gb"
prompt = { text = "Hello." }
condition.all = [
    { attribute = "age", operator = "at_least", value = 18 },
    { not = { attribute = "country", operator = "in", values = ["ch", "at"] } },
]
windows = [{ start = "22:00", end = "02:00", days = ["fri"] }, { start = 09:00:00, end = "12:00" }]
reached = { then = "text", then_delay = "10m" }

[[actions.caller_ids]]
caller_id = "+442079460000"
condition = { attribute = "country", operator = "equals", value = "gb" }

[actions.menu]
timeout = "6s"
repeats = 2
speech = true
no_input = "silent"
choices = [
    { digit = 1, word = "Yes", disposition = "confirmed", say = { text = "Thank you." } },
    { digit = "9", do_not_contact = true, say = { file = "bye.wav" } },
]

[actions.dispositions]
silent = { count = 1, delays = ["2h"] }
confirmed = { then = "hook" }

[actions.retry.no_resource]
count = 2
delays = [30]

[[actions]]
name = "text"
channel = "sms"
text = "Hello {name|there}."
sender = "Parcels"
receipt_wait = "2h"
language = "de"
validity = "1h"
retry.undelivered = { then = "next_action", then_delay = "1h" }

[[actions.sender_rules]]
sender = "+4930123"
condition = { attribute = "country", operator = "equals", value = "de" }

[[actions.restrictions.limits]]
attempts = 1
period = "7d"
per = "address"
channels = ["sms"]
outcomes = ["delivered"]

[[actions]]
name = "mail"
channel = "email"
subject = "S"
text = "T"
from = "a@b.example"
attachments = ["terms.pdf", "maps/way.png"]
bounce_wait = 600
sender_rules = [{ sender = "Bern <b@b.example>", condition = { attribute = "country", operator = "is_set" } }]

[[actions]]
name = "hook"
channel = "webhook"
url = "https://crm.example/hook?kind=1"
timeout = 5
headers = { X-Kind = "reminder" }
secret_headers = { Authorization = "crm_token" }
body = { customer = "{external_id}", kind = 7 }
dispositions.gone = { then = "done" }
retry.failed = { count = 1, delays = ["1m"] }
"""


@pytest.fixture(scope="module")
def full() -> Strategy:
    return parse_strategy(FULL)


def test_the_strategy_itself(full: Strategy) -> None:
    end = dt.datetime(2026, 5, 1, 16, 0, tzinfo=dt.UTC)
    assert full.finish == FinishCriteria({Outcome.ANSWERED: 500}, {"confirmed": 50}, 43_200, end)
    assert full.restrictions.holidays == {dt.date(2026, 12, 25), dt.date(2026, 12, 26)}
    assert full.restrictions.when_limited is WhenLimited.SKIP
    text = full.action("text")
    in_a_day = AttemptLimit(3, 86_400, campaigns=LimitScope.ORGANIZATION)
    once = AttemptLimit(
        1, 604_800, LimitPer.ADDRESS, frozenset({Channel.SMS}), outcomes=frozenset({Outcome.DELIVERED})
    )
    assert full.limits(text) == (in_a_day, once)
    assert full.limits(full.action("call")) == (in_a_day,)
    assert full.hours(text).holidays == full.restrictions.holidays
    assert full.when_limited(text) is WhenLimited.SKIP


def test_a_call(full: Strategy) -> None:
    action = full.action("call")
    call = action.call
    assert call is not None
    assert call.menu is not None
    assert call.menu.choices == (
        MenuChoice("1", "confirmed", "yes", Prompt(text="Thank you.")),
        MenuChoice("9", "removed", None, Prompt(file="bye.wav"), do_not_contact=True),
    )
    assert (call.menu.timeout, call.menu.repeats, call.menu.speech) == (6, 2, True)
    assert call.menu.dispositions == ("confirmed", "removed", "silent")
    assert (call.no_resource, call.resource_wait, call.voice) == (NoResource.DIGITS, 5, "en-gb")
    assert call.detect_machine
    assert call.caller_ids == (CallerRule(Comparison("country", Operator.EQUALS, ("gb",)), "+442079460000"),)
    assert call.caller_id_for({"country": "GB"}) == "+442079460000"
    assert call.caller_id_for({"country": "fr"}) == "+12025550100"
    assert action.windows == (Window(1320, 120, frozenset({4})), Window(540, 720))
    assert action.windows[0].is_overnight
    assert action.retry_on is RetryOn.LOOP
    adult = Comparison("age", Operator.AT_LEAST, ("18",))
    assert action.condition == AllOf((adult, Not(Comparison("country", Operator.IN, ("ch", "at")))))


def test_what_follows_a_result(full: Strategy) -> None:
    action = full.action("call")
    assert action.rule(Outcome.ANSWERED, "silent") == RetryRule(1, (7200,), Then.DONE)
    assert action.rule(Outcome.ANSWERED, "confirmed") == RetryRule(0, (), Then.NEXT_ACTION, "hook")
    assert action.rule(Outcome.ANSWERED) == RetryRule(0, (), Then.NEXT_ACTION, "text", 600)
    assert action.rule(Outcome.ANSWERED, "removed") == action.rule(Outcome.ANSWERED)
    assert action.rule(Outcome.DO_NOT_CONTACT, "confirmed").then is Then.DONE
    text = full.action("text")
    assert text.rule(Outcome.UNDELIVERED) == RetryRule(0, (), Then.NEXT_ACTION, None, 3600)
    assert text.rule(Outcome.UNKNOWN).then is Then.DONE
    assert text.rule(Outcome.SENT).then is Then.DONE


def test_a_text_a_mail_and_a_webhook(full: Strategy) -> None:
    text, mail, hook = full.action("text"), full.action("mail"), full.action("hook")
    assert text.sms is not None
    assert (text.sms.receipt_wait, text.sms.validity, text.sms.language) == (7200, 3600, "de")
    assert text.sms.sender_rules == (SenderRule(Comparison("country", Operator.EQUALS, ("de",)), "+4930123"),)
    assert text.sms.sender_for({"country": "DE"}) == "+4930123"
    assert text.sms.sender_for({}) == "Parcels"
    assert mail.email is not None
    assert (mail.email.attachments, mail.email.bounce_wait) == (("terms.pdf", "maps/way.png"), 600)
    assert mail.email.sender_for({"country": "ch"}) == "Bern <b@b.example>"
    assert hook.webhook is not None
    assert json.loads(hook.webhook.body or "") == {"customer": "{external_id}", "kind": 7}
    assert hook.webhook.secret_headers == {"Authorization": "crm_token"}
    assert (hook.addresses, hook.channel.licence, hook.channel.is_addressed) == ((), None, False)
    assert text.channel.licence is LicenceKind.SMS


def test_a_document_written_out_says_the_same(full: Strategy) -> None:
    document = to_document(full)
    assert parse_strategy(json.dumps(document)) == full
    assert to_document(parse_strategy(json.dumps(document), "json")) == document
