"""What people text back, over each database: STOP, START, HELP and wishes in their own words."""

from functools import partial
from pathlib import Path

import pytest

from outrider.channels.model import InboundText
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db.database import Database, Tx
from outrider.licences import division_store
from outrider.texting import inbound
from outrider.texting import store as texting
from support.campaigning import NOON, campaigning
from support.message_centre import centre, settings_for
from support.outreach import Outreach, finals, outreach, people, run
from support.overlapping import overlap
from support.sms import over

ADA, BOB, EVE = "+493012345601", "+493012345602", "+493012345603"
OURS = "12345"
TEXT = (
    'name = "{name}"\n[[actions]]\nname = "text"\nchannel = "sms"\ntext = "Hello"\nlanguage = "{language}"\n'
)


def _listed(running: Outreach, *phones: str) -> int:
    name = f"people {len(phones)} {phones[0]}"
    source = TEXT.format(name=name, language="de")
    return running.start(name, source, [people(running.system, name, [{"phone": each} for each in phones])])


def _answers(server: SimulatedCentre, phone: str) -> list[tuple[str, str]]:
    """Return sender and text of whatever was sent to a number after the campaign's own text."""
    taken = [each for each in server.ledger.taken if each.message.destination.digits == phone.lstrip("+")]
    return [(each.message.source.digits, each.text) for each in taken if each.text != "Hello"]


def test_stop_start_and_help_are_done_and_confirmed_from_the_number_texted(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with (
            centre() as server,
            outreach(database, tmp_path, text=over(settings_for(server))) as running,
        ):
            job_id = _listed(running, ADA, BOB, EVE)
            await running.until_ended(job_id)
            assert database.read_now(finals, job_id) == {("sent", None): 3}
            server.text(ADA, OURS, "Stopp!")
            server.text(BOB, OURS, "HILFE")
            server.text(
                EVE, OURS, "Bitte keine weiteren Nachrichten, ich will das beenden, stopp das bitte sofort!"
            )
            await running.until_blocked(ADA)
            await running.until(lambda _: _answers(server, ADA) and _answers(server, BOB))
            assert [(sender, text[:30]) for sender, text in _answers(server, ADA)] == [
                (OURS, "default: Sie sind abgemeldet u")
            ]
            assert [(sender, text[:27]) for sender, text in _answers(server, BOB)] == [
                (OURS, "default: Antworten Sie STOP")
            ]
            await running.until(lambda tx: texting.inbound(tx, EVE))
            assert [meaning for _, meaning in database.read_now(texting.inbound, EVE)] == [inbound.REVIEW]
            assert _answers(server, EVE) == []
            assert database.read_now(running.blocked, [BOB, EVE]) == set()
            again = _listed(running, ADA, BOB)
            await running.until_ended(again)
            assert database.read_now(finals, again) == {("do_not_contact", None): 1, ("sent", None): 1}
            server.text(ADA, OURS, "START")
            await running.until(lambda tx: not running.blocked(tx, [ADA]))
            await running.until(lambda _: len(_answers(server, ADA)) == 2)

    run(scenario)


def _inbound(database: Database, sender: str, text: str, *, minute: int = 0) -> inbound.Reply | None:
    news = InboundText("main", NOON.replace(minute=minute), sender, OURS, text)
    return database.write_now(inbound.take, news, NOON.replace(minute=minute))


def _blocked(database: Database, organization_id: int, *addresses: str) -> set[str]:
    return database.read_now(do_not_contact.blocked, organization_id, addresses)


def test_a_wish_holds_for_all_organizations_when_none_texted_the_number(database: Database) -> None:
    system = campaigning(database)
    other = database.write_now(division_store.add_organization, "other", NOON)
    reply = _inbound(database, ADA.lstrip("+"), "stop")
    assert reply is not None
    assert (reply.address, reply.sender, reply.connection) == (ADA, OURS, "main")
    assert _blocked(database, system.organization_id, ADA) == {ADA}
    assert _blocked(database, other, ADA) == {ADA}


def test_a_wish_holds_for_the_organization_that_texted(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            centre() as server,
            outreach(database, tmp_path, text=over(settings_for(server))) as running,
        ):
            other = database.write_now(division_store.add_organization, "other", NOON)
            await running.until_ended(_listed(running, ADA))
            _inbound(database, ADA, "STOP", minute=30)
            assert database.read_now(running.blocked, [ADA]) == {ADA}
            assert _blocked(database, other, ADA) == set()

    run(scenario)


def test_start_takes_back_nothing_but_a_stop(database: Database) -> None:
    system = campaigning(database)

    def press_9() -> int:
        return database.write_now(
            lambda tx: do_not_contact.opt_out(
                tx,
                NOON,
                organization_id=system.organization_id,
                list_name="Opted out",
                addresses=[ADA],
                source="asked for it in a call",
                actor="the contact",
            )
        )

    assert press_9() == 1
    _inbound(database, ADA, "STOP")
    _inbound(database, ADA, "START", minute=1)
    _inbound(database, BOB, "STOP", minute=2)
    _inbound(database, BOB, "START", minute=3)
    assert _blocked(database, system.organization_id, ADA, BOB) == {ADA}


def test_a_repeated_wish_is_answered_once(database: Database) -> None:
    campaigning(database)
    assert _inbound(database, ADA, "STOP") is not None
    assert _inbound(database, ADA, "stop!", minute=1) is None
    assert _inbound(database, ADA, "START", minute=2) is not None
    assert _inbound(database, ADA, "STOP", minute=3) is not None
    assert _inbound(database, BOB, "STOP", minute=3) is not None


@pytest.mark.parametrize("sender", ["12345", "Clinic", "+4", "0049301234567"])
@pytest.mark.parametrize("wish", ["STOP", "START", "HELP"])
def test_a_sender_that_is_no_number_does_no_harm(sqlite_database: Database, sender: str, wish: str) -> None:
    campaigning(sqlite_database)
    _inbound(sqlite_database, BOB, "STOP")
    _inbound(sqlite_database, sender, wish, minute=1)
    assert sqlite_database.read_now(texting.inbound, BOB) == [("STOP", "stop")]


def test_the_first_two_wishes_of_an_organization_may_come_at_once(database: Database) -> None:
    system = campaigning(database)

    def wish(tx: Tx, address: str) -> int:
        return do_not_contact.opt_out(
            tx,
            NOON,
            organization_id=system.organization_id,
            list_name="Opted out",
            addresses=[address],
            source="asked for it",
            actor="the contact",
        )

    assert overlap(database, partial(wish, address=ADA), partial(wish, address=BOB)) == (1, 1)
    assert _blocked(database, system.organization_id, ADA, BOB) == {ADA, BOB}
