"""Strategies to begin with, as documents that run as they are once the texts are one's own.

`pages/strategies.py` offers them in its editor; a test reads every one of them.
"""

from dataclasses import dataclass

CALL = """\
name = "Notification call"
description = "Calls each contact, plays a message, and tries again when nobody answers."
max_attempts = 4

[[actions]]
name = "call"
channel = "call"
priority = 5            # 1 to 10, 10 the most important
minimum = 1             # ports that it keeps even when others need them
maximum = 30            # ports that it uses at most
allocation = "dynamic"  # or "reserved"
pacing = 5              # attempts per second; without it, as fast as the ports allow
on_machine = "hangup"   # or "leave_message"
ring_timeout = 30

[actions.prompt]
text = "Hello. This is a message about your appointment tomorrow."

[actions.window]        # in the contact's own time zone
start = "09:00"
end = "20:00"
days = ["mon", "tue", "wed", "thu", "fri"]

[actions.retry.busy]
count = 2
delays = ["5m", "15m"]

[actions.retry.no_answer]
count = 1
delays = ["2h"]
"""

CALL_THEN_EMAIL = """\
name = "Call, then email"
description = "Calls first; who is not reached gets a mail."

[[actions]]
name = "call"
channel = "call"
priority = 6
minimum = 1
maximum = 20
on_machine = "hangup"

[actions.prompt]
text = "Hello. This is a message about your delivery."

[actions.retry.busy]
count = 2
delays = ["10m"]

[actions.retry.no_answer]
count = 1
delays = ["1h"]
then = "mail"           # straight to the mail, without other numbers

[[actions]]
name = "mail"
channel = "email"
maximum = 10
from = "Deliveries <deliveries@example.org>"
subject = "We could not reach you"
text = \"\"\"
Hello {Name|there},

we tried to call you about your delivery. Please call us back when it suits you.
\"\"\"

[actions.retry.soft_bounce]
count = 2
delays = ["15m", "2h"]
"""

EMAIL = """\
name = "Newsletter"
description = "One mail to each contact."

[[actions]]
name = "mail"
channel = "email"
maximum = 10
pacing = 10
from = "Newsletter <news@example.org>"
subject = "News for you"
text = \"\"\"
Hello {Name|there},

here is what is new.
\"\"\"

[actions.retry.soft_bounce]
count = 2
delays = ["15m", "2h"]
"""


@dataclass(frozen=True, slots=True)
class Template:
    """One document to begin with; `key` names it in addresses."""

    key: str
    title: str
    text: str
    source: str


TEMPLATES = (
    Template("call", "Notification call", "Calls, plays a message, tries again.", CALL),
    Template(
        "call-then-email", "Call, then email", "Who is not reached by phone gets a mail.", CALL_THEN_EMAIL
    ),
    Template("email", "Email", "One mail to each contact.", EMAIL),
)
