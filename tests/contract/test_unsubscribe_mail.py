"""From a claimed attempt to the do-not-contact list: a mail is sent and read, and its link is POSTed to."""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import dkim
import pytest

from outrider.campaigns.strategy import Action, Channel, EmailSettings, Strategy
from outrider.channels.email.dkim import KeyKind, load_key, new_key, record_value
from outrider.channels.email.files import AttachmentFiles
from outrider.channels.email.settings import DkimSettings
from outrider.channels.email.verp import read_bounce_address
from outrider.channels.model import MailResult
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.model import Contact
from outrider.db.database import Database
from outrider.dialing.attempt import Claim, TaskPlan
from outrider.dialing.retry import Counters
from outrider.errors import InvalidInputError
from outrider.ids import (
    AttemptId,
    CampaignId,
    JobId,
    OrganizationId,
    PoolId,
    TargetId,
    TaskId,
    ZoneId,
    new_attempt_ids,
)
from outrider.licences import division_store
from outrider.runtime.mailing import MailComposer
from outrider.web.pages import unsubscribe
from support.mail_sink import NOON, channel_to, sink
from support.web import Site, open_site

SECRET = b"0123456789abcdef"
ADDRESS = "ann@cust.test"
EMAIL = EmailSettings(
    subject="Your bill, {first name}",
    text="Dear {first name}, to stop: {unsubscribe_url}",
    sender="Water Company <news@out.test>",
)


def a_claim(organization_id: int, settings: EmailSettings) -> Claim:
    action = Action("mail", Channel.EMAIL, ("email",), email=settings)
    plan = TaskPlan(
        task_id=TaskId(1),
        job_id=JobId(7),
        pool_id=PoolId(1),
        zone_id=ZoneId(1),
        organization_id=OrganizationId(organization_id),
        campaign_id=CampaignId(1),
        strategy=Strategy("bills", (action,)),
        action=action,
        task_of={},
    )
    contact = Contact(id=1, list_id=1, email=ADDRESS, attributes={"first name": "Zoë"})
    attempt = new_attempt_ids(NOON, 1)[0]
    return Claim(attempt, plan, TargetId(1), contact, ADDRESS, 0, 1, Counters())


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    """Give a site with the unsubscribe page."""
    composer = MailComposer(SECRET, "https://out.test")
    with open_site(
        sqlite_database,
        tmp_path,
        (unsubscribe.router,),
        change=lambda edge: replace(edge, parts={MailComposer: composer}),
    ) as opened:
        opened.database.write_now(division_store.ensure_defaults, opened.clock.now())
        yield opened


def sent_and_read(claim: Claim, composer: MailComposer, folder: Path) -> tuple[EmailMessage, str]:
    """Send a claim's mail, signed; return it as it arrived, verified, and its envelope sender."""
    key_file = folder / "dkim.pem"
    key_file.write_bytes(new_key(KeyKind.RSA))
    record = record_value(load_key(key_file)).encode()

    async def run() -> tuple[bytes, str]:
        signing = DkimSettings("out.test", "s1", str(key_file))
        async with sink() as server, channel_to(server, dkim=signing) as channel:
            sent = await channel.send(composer.compose(claim))
            assert sent.result is MailResult.ACCEPTED, sent.detail
            return server.mails[0].content, server.mails[0].sender

    content, envelope = asyncio.run(run())
    assert dkim.verify(content, dnsfunc=lambda _, timeout: record if timeout else b"")
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message, envelope


def blocked(site: Site, organization_id: int) -> set[str]:
    return site.database.read_now(do_not_contact.blocked, organization_id, [ADDRESS])


def test_the_link_of_a_sent_mail_unsubscribes_without_sign_in(site: Site, tmp_path: Path) -> None:
    organization_id, other_id = site.organization("acme"), site.organization("rival")
    composer = MailComposer(SECRET, "https://out.test/")
    message, _ = sent_and_read(a_claim(organization_id, EMAIL), composer, tmp_path)

    # RFC 8058 3.1 and 4: one https URI, the fixed Post header, and both covered by the signature.
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(message["List-Unsubscribe"])
    assert link.startswith("<https://out.test/unsubscribe/")
    assert link.endswith(">")
    tags = dict(part.strip().partition("=")[::2] for part in str(message["DKIM-Signature"]).split(";"))
    covered = [name.strip() for name in tags["h"].split(":")]
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
    body = message.get_body(("plain",))
    assert body is not None
    assert link.strip("<>") in body.get_content()

    path = link.strip("<>").removeprefix("https://out.test")
    browser = site.api()
    assert ADDRESS in browser.get(path).text
    assert blocked(site, organization_id) == set()
    for _ in range(2):
        response = site.api().request("POST", path, data={"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
        assert not response.headers.get("set-cookie")
    assert blocked(site, organization_id) == {ADDRESS}
    assert blocked(site, other_id) == set()


def test_mail_programs_may_post_multipart_or_nothing(site: Site) -> None:
    for name, options in (("a", {"files": {"List-Unsubscribe": (None, "One-Click")}}), ("b", {})):
        organization_id = site.organization(name)
        mail = MailComposer(SECRET, "https://out.test").compose(a_claim(organization_id, EMAIL))
        assert mail.unsubscribe_url is not None
        path = mail.unsubscribe_url.removeprefix("https://out.test")
        assert site.api().request("POST", path, **options).status_code == 200
        assert blocked(site, organization_id) == {ADDRESS}


def test_a_link_of_somebody_elses_making_changes_nothing(site: Site) -> None:
    organization_id = site.organization("acme")
    mail = MailComposer(b"another secret of 16", "https://out.test").compose(a_claim(organization_id, EMAIL))
    assert mail.unsubscribe_url is not None
    path = mail.unsubscribe_url.removeprefix("https://out.test")
    assert site.api().request("POST", path, data={"List-Unsubscribe": "One-Click"}).status_code in {400, 422}
    assert blocked(site, organization_id) == set()


def test_bounces_come_back_to_an_address_that_names_the_attempt(tmp_path: Path) -> None:
    claim = a_claim(1, EMAIL)
    composer = MailComposer(SECRET, "https://out.test", bounce_domain="bounce.out.test")
    message, envelope = sent_and_read(claim, composer, tmp_path)
    assert envelope == f"bounces+{claim.attempt_id}@bounce.out.test"
    assert read_bounce_address(envelope) == claim.attempt_id
    assert message["Message-ID"] == f"<{claim.attempt_id}@out.test>"
    assert MailComposer(SECRET, "https://out.test").compose(claim).envelope_sender is None


def test_files_of_the_strategy_go_along_and_are_loaded_once(tmp_path: Path) -> None:
    folder = tmp_path / "attachments"
    folder.mkdir()
    (folder / "terms.pdf").write_bytes(b"%PDF-1.7")
    claim = a_claim(1, replace(EMAIL, attachments=("terms.pdf",)))
    composer = MailComposer(SECRET, "https://out.test", files=AttachmentFiles(folder))
    message, _ = sent_and_read(claim, composer, tmp_path)
    (attachment,) = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("terms.pdf", b"%PDF-1.7")
    assert composer.compose(claim).attachments[0] is composer.compose(claim).attachments[0]
    (folder / "terms.pdf").unlink()
    with pytest.raises(InvalidInputError, match=r"terms.pdf cannot be read"):
        composer.compose(claim)
    with pytest.raises(InvalidInputError, match="no folder for them is configured"):
        MailComposer(SECRET, "https://out.test").compose(claim)


def test_an_action_without_mail_is_a_fault_of_ours() -> None:
    claim = a_claim(1, EMAIL)
    call = replace(claim, plan=replace(claim.plan, action=Action("call", Channel.CALL, ("phone",))))
    with pytest.raises(ValueError, match="action call sends no mail"):
        MailComposer(SECRET, "https://out.test").compose(replace(call, attempt_id=AttemptId("a1")))
