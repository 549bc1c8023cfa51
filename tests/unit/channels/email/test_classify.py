"""What real servers' answers mean. The texts are of common servers."""

import pytest

from outrider.channels.email.classify import Stage, classify
from outrider.channels.model import MailResult

HARD, SOFT, FAILED = MailResult.HARD_BOUNCE, MailResult.SOFT_BOUNCE, MailResult.FAILED


@pytest.mark.parametrize(
    ("stage", "code", "text", "result"),
    [
        (Stage.CONTENT, 250, "2.0.0 OK queued as 12", MailResult.ACCEPTED),
        (Stage.RCPT, 550, "5.1.1 <x@y.test>: Recipient address rejected: User unknown", HARD),
        (Stage.RCPT, 550, "No such user here", HARD),
        (Stage.RCPT, 550, "5.1.0 Address rejected", HARD),
        (Stage.RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", HARD),
        (Stage.RCPT, 550, "5.4.1 Recipient address rejected: Access denied", HARD),
        (Stage.RCPT, 550, "5.2.1 The email account that you tried to reach is disabled", HARD),
        (Stage.RCPT, 553, "sorry, that domain isn't in my list", HARD),
        (Stage.RCPT, 556, "5.1.10 Domain does not accept mail (nullMX)", HARD),
        (Stage.CONTENT, 550, "5.1.1 no such recipient", HARD),
        (Stage.RCPT, 552, "5.2.2 Mailbox full", SOFT),
        (Stage.CONTENT, 552, "5.2.2 Mailbox full", SOFT),
        (Stage.RCPT, 452, "4.2.2 The email account is over quota", SOFT),
        (Stage.RCPT, 552, "exceeded", SOFT),
        (Stage.RCPT, 550, "Mailbox is full", SOFT),
        (Stage.RCPT, 450, "4.2.0 <x@y.test>: Recipient address rejected: Greylisted", SOFT),
        (Stage.RCPT, 451, "4.7.1 Greylisted, try again later", SOFT),
        (Stage.RCPT, 451, "try again", SOFT),
        (Stage.RCPT, 450, "4.1.1 unverified address", SOFT),
        (Stage.CONTENT, 451, "4.3.0 queue file write error", SOFT),
        (Stage.RCPT, 554, "5.7.1 <x@y.test>: Relay access denied", FAILED),
        (Stage.RCPT, 550, "relaying denied", FAILED),
        (Stage.RCPT, 550, "5.7.1 Service unavailable, client host blocked using a blocklist", FAILED),
        (Stage.RCPT, 530, "5.7.0 Authentication required", FAILED),
        (Stage.RCPT, 550, "5.1.8 sender domain not found", FAILED),
        (Stage.RCPT, 501, "5.5.4 bad parameter", FAILED),
        (Stage.RCPT, 503, "bad sequence", FAILED),
        (Stage.CONTENT, 554, "5.7.1 spam message rejected", FAILED),
        (Stage.CONTENT, 554, "5.6.0 message is malformed", FAILED),
        (Stage.CONTENT, 552, "5.3.4 message size exceeds fixed limit", FAILED),
        (Stage.CONTENT, 552, "message too large", FAILED),
        (Stage.CONTENT, 554, "transaction failed", FAILED),
        (Stage.DATA, 554, "no valid recipients", FAILED),
        (Stage.RCPT, 421, "4.3.2 closing", FAILED),
        (Stage.MAIL, 550, "5.1.1 whatever", FAILED),
        (Stage.MAIL, 451, "4.7.1 too many messages", FAILED),
        (Stage.AUTH, 535, "5.7.8 bad credentials", FAILED),
        (Stage.CONNECT, 554, "no SMTP service here", FAILED),
    ],
)
def test_answers(stage: Stage, code: int, text: str, result: MailResult) -> None:
    assert classify(stage, code, text).result is result
