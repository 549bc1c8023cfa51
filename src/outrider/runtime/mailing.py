"""Makes the message of an email attempt: the action's templates, the contact's attributes, unsubscribe link.

The driver asks it, and the unsubscribe page has links read by it. The composition root gives it the secret
that signs them; the channel renders.
"""

from outrider.channels.email.unsubscribe import Unsubscribe, make_token, verify_token
from outrider.channels.model import OutboundMail
from outrider.dialing.attempt import Claim


class MailComposer:
    """Composes messages of one system. `public_url` begins the unsubscribe links of campaigns without own."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._secret = secret
        self._public_url = public_url

    def compose(self, claim: Claim) -> OutboundMail:
        """Return the message for a claimed email attempt."""
        email = claim.plan.action.email
        if email is None:
            raise ValueError(f"action {claim.plan.action.name} sends no mail")
        contact = claim.contact
        wish = Unsubscribe(claim.plan.organization_id, claim.plan.job_id, claim.address)
        token = make_token(wish, self._secret)
        base = (email.unsubscribe or self._public_url).rstrip("/")
        fields = {
            "external_id": contact.external_id or "",
            "email": contact.email or "",
            "phone": contact.phone or "",
        }
        return OutboundMail(
            message_id=claim.attempt_id,
            address=claim.address,
            sender=email.sender,
            subject=email.subject,
            text=email.text,
            html=email.html,
            reply_to=email.reply_to,
            unsubscribe_url=f"{base}/unsubscribe/{token}",
            attributes={**fields, **contact.attributes},
        )

    def read_token(self, token: str) -> Unsubscribe:
        """Return whose address a link's token speaks for; InvalidInputError when we did not make it."""
        return verify_token(token, self._secret)
