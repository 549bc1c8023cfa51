"""The board over each database with tasks that share in their own ways: seats of agents, webhooks."""

from outrider.db.database import Database
from outrider.jobs import board
from outrider.licences.model import LicenceKind
from outrider.runtime import store
from support.campaigning import NOON, RULES, campaigning
from support.seating import Seating

HOOK = """
name = "hook"
[[actions]]
name = "hook"
channel = "webhook"
url = "http://127.0.0.1:9/"
"""


def test_seats_are_told_by_kind_and_by_the_licences_that_cover_them(database: Database) -> None:
    place = Seating(database, predictive_agents=2, preview_agents=1)
    place.job("a", "preview", maximum=2)
    place.job("b")
    for name in ("ada", "bob", "cyd"):
        place.log_in(name, api=name != "cyd")
    place.deal()
    (pool,) = database.read_now(board.pools, None)
    seats = {each.kind: each for each in pool.seats}
    assert seats.keys() == {LicenceKind.PREDICTIVE_AGENTS, LicenceKind.PREVIEW_AGENTS}
    assert seats[LicenceKind.PREDICTIVE_AGENTS].cover == {LicenceKind.PREDICTIVE_AGENTS: 1}
    preview = seats[LicenceKind.PREVIEW_AGENTS]
    assert (preview.granted, preview.in_use) == (2, 2)
    assert preview.cover == {LicenceKind.PREVIEW_AGENTS: 1, LicenceKind.PREDICTIVE_AGENTS: 1}
    kinds = {each.kind: each for each in pool.kinds}
    assert (kinds[LicenceKind.PREDICTIVE_AGENTS].free, kinds[LicenceKind.PREVIEW_AGENTS].free) == (0, 0)
    api = kinds[LicenceKind.AGENT_WEB_API]
    assert (api.count, api.in_use, api.free) == (50, 2, 48)


def test_webhooks_which_hold_no_licences_are_on_the_board_too(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=1)
    listed = system.contact_list("people", 1)
    job = system.start(system.campaign("hook", [listed], source=HOOK))
    database.write_now(store.add_samples, NOON)
    shown = database.read_now(board.board, RULES, None, NOON)
    assert [task.kind for task in shown.jobs[0].tasks] == ["webhook"]
    assert {each.kind for each in shown.pools[0].kinds} >= {LicenceKind.OUTBOUND_PORTS}
    chart = database.read_now(board.job_chart, job, None, None, NOON)
    assert [each.kind for each in chart.series] == ["webhook"]
