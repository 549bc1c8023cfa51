"""Mails as they come back to a bounce address: what real servers write, shortened."""

ID = "0192a3b4c5d60123456789abcdef0123"
VERP = f"bounces+{ID}@bounce.out.test"

POSTFIX_FAILED = f"""\
Return-Path: <>
Date: Mon, 2 Mar 2026 12:00:05 +0000 (UTC)
From: MAILER-DAEMON@mta.test (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {VERP}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1C2.1772452805/mta.test"
Content-Transfer-Encoding: 8bit
Message-Id: <20260302120005.BEEF@mta.test>

This is a MIME-encapsulated message.

--4F1C2.1772452805/mta.test
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mta.test.

<bad1@cust.test>: host 127.0.0.1[127.0.0.1] said: 550 5.1.1 <bad1@cust.test>:
    Recipient address rejected: User unknown (in reply to RCPT TO command)

--4F1C2.1772452805/mta.test
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mta.test
X-Postfix-Queue-ID: 4F1C2
X-Postfix-Sender: rfc822; {VERP}
Arrival-Date: Mon, 2 Mar 2026 12:00:04 +0000 (UTC)

Final-Recipient: rfc822; bad1@cust.test
Original-Recipient: rfc822;bad1@cust.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 550 5.1.1 <bad1@cust.test>: Recipient address rejected:
    User unknown

--4F1C2.1772452805/mta.test
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <{VERP}>
From: Water Company <news@out.test>
To: bad1@cust.test
Subject: Your bill
Message-ID: <{ID}@out.test>
Date: Mon, 02 Mar 2026 12:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello

--4F1C2.1772452805/mta.test--
"""

POSTFIX_FULL = POSTFIX_FAILED.replace("550 5.1.1", "552 5.2.2").replace("Status: 5.1.1", "Status: 5.2.2")
POSTFIX_FULL = POSTFIX_FULL.replace("User unknown", "Mailbox full").replace("Recipient address rejected:", "")

POSTFIX_DELAYED = (
    POSTFIX_FAILED.replace("Action: failed", "Action: delayed")
    .replace("Status: 5.1.1", "Status: 4.4.1")
    .replace("550 5.1.1", "450 4.4.1")
    .replace("Undelivered Mail Returned to Sender", "Delayed Mail (still being retried)")
)

EXPIRED = POSTFIX_FAILED.replace("Status: 5.1.1", "Status: 4.4.1").replace(
    "smtp; 550 5.1.1", "X-Postfix; connect to cust.test[192.0.2.1]:25: Connection timed out 4.4.1"
)

GMAIL = f"""\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: {VERP}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
X-Failed-Recipients: nobody@gmail.com
Content-Type: multipart/report; boundary="0000000000004b"; report-type=delivery-status

--0000000000004b
Content-Type: multipart/related; boundary="0000000000004c"

--0000000000004c
Content-Type: multipart/alternative; boundary="0000000000004d"

--0000000000004d
Content-Type: text/plain; charset="UTF-8"

** Address not found **

Your message wasn't delivered to nobody@gmail.com because the address couldn't be found.

--0000000000004d--

--0000000000004c--

--0000000000004b
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Mon, 02 Mar 2026 04:00:04 -0800 (PST)

Final-Recipient: rfc822; nobody@gmail.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser - gsmtp
Last-Attempt-Date: Mon, 02 Mar 2026 04:00:05 -0800 (PST)

--0000000000004b
Content-Type: text/rfc822-headers

From: news@out.test
Message-ID: <{ID}@out.test>
To: nobody@gmail.com

--0000000000004b--
"""

EXCHANGE_POLICY = f"""\
From: Microsoft Outlook <postmaster@corp.test>
To: <{VERP}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/html; charset="us-ascii"

<p>Delivery has failed</p>

--b
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.corp.test
Received-From-MTA: dns;mta.test
Arrival-Date: Mon, 2 Mar 2026 12:00:00 +0000

Original-Recipient: rfc822;ann@corp.test
Final-Recipient: rfc822;ann@corp.test
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp;550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized
X-Display-Name: Ann

--b--
"""

QMAIL = f"""\
From: MAILER-DAEMON@old.test
To: {VERP}
Subject: failure notice

Hi. This is the qmail-send program at old.test.
I'm afraid I wasn't able to deliver your message to the following addresses.

<gone@old.test>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 unknown user.
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <{VERP}>
Message-ID: <{ID}@out.test>
"""

VACATION = f"""\
From: Ann <ann@cust.test>
To: {VERP}
Subject: Out of office: Your bill
Auto-Submitted: auto-replied (vacation)
In-Reply-To: <{ID}@out.test>

I am back on 5.1.1. Call 550 123.
"""

COMPLAINT = f"""\
From: <feedback@provider.test>
To: complaints@bounce.out.test
Subject: FW: Your bill
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1"

--part1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{VERP}>
Original-Rcpt-To: <ann@provider.test>
Source-IP: 192.0.2.1

--part1
Content-Type: message/rfc822

From: <news@out.test>
To: <ann@provider.test>
Message-ID: <{ID}@out.test>
Subject: Your bill
Content-Type: text/plain

Hello

--part1--
"""

HUMAN = f"""\
From: Ann <ann@cust.test>
To: {VERP}
Subject: Re: Your bill
Message-ID: <abc@cust.test>

What is this? It costs 5.1.1 euro, not 550.
"""

ALL = (
    POSTFIX_FAILED,
    POSTFIX_FULL,
    POSTFIX_DELAYED,
    EXPIRED,
    GMAIL,
    EXCHANGE_POLICY,
    QMAIL,
    VACATION,
    COMPLAINT,
    HUMAN,
)


def octets(text: str) -> bytes:
    """Return a mail as it is sent, with CRLF line ends."""
    return text.replace("\n", "\r\n").encode()
