"""Makes the message of an email attempt: the action's templates and files, the contact's attributes, links.

The composer of attempts asks it, and the unsubscribe page has links read by it. The composition root gives
it the secret that signs them; the channel renders.
"""

from outrider.campaigns.strategy import EmailSettings
from outrider.channels.email.files import AttachmentFiles
from outrider.channels.email.unsubscribe import Unsubscribe, make_token, verify_token
from outrider.channels.email.verp import bounce_address
from outrider.channels.model import Attachment, OutboundMail
from outrider.dialing.attempt import Claim
from outrider.errors import InvalidInputError


class MailComposer:
    """Composes messages of one system. `public_url` begins the unsubscribe links of campaigns without own.

    Bounces come back to addresses of `bounce_domain` that name the attempt (None: to the sender); `files`
    holds what strategies attach.
    """

    def __init__(
        self,
        secret: bytes,
        public_url: str,
        bounce_domain: str | None = None,
        files: AttachmentFiles | None = None,
    ) -> None:
        self._secret = secret
        self._public_url = public_url
        self._bounce_domain = bounce_domain
        self._files = files

    def compose(self, claim: Claim) -> OutboundMail:
        """Return the message for a claimed email attempt.

        InvalidInputError names an attachment that cannot be loaded; ValueError for an action without mail.
        """
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
        domain = self._bounce_domain
        return OutboundMail(
            message_id=claim.attempt_id,
            address=claim.address,
            sender=email.sender_for(contact.field),
            subject=email.subject,
            text=email.text,
            html=email.html,
            reply_to=email.reply_to,
            unsubscribe_url=f"{base}/unsubscribe/{token}",
            attributes={**fields, **contact.attributes},
            attachments=self._attachments(email),
            envelope_sender=None if domain is None else bounce_address(claim.attempt_id, domain),
        )

    def read_token(self, token: str) -> Unsubscribe:
        """Return whose address a link's token speaks for; InvalidInputError when we did not make it."""
        return verify_token(token, self._secret)

    def _attachments(self, email: EmailSettings) -> tuple[Attachment, ...]:
        if not email.attachments:
            return ()
        if self._files is None:
            message = f"attachments: {email.attachments[0]} cannot be read: no folder for them is configured"
            raise InvalidInputError(message, where="attachments")
        return self._files.load(email.attachments)
