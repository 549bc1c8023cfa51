"""Agents at work on a real Asterisk: `outrider serve`, SIP phones, people of all kinds, desktops.

Twenty nailed-up agents call 500 contacts predictively. Asterisk's own lists judge ports, and who talks to
whom; the numbering plan judges outcomes, and the ears of those called how soon the agent is there.
"""

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome as Far
from tools.testbed.numbering import planned
from tools.testbed.public_network import PublicNetwork

from outrider.campaigns.outcome import Outcome
from outrider.channels.asterisk.rooms import PREFIX
from outrider.client.simulated import Habits
from outrider.clock import RealClock
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.ids import JobId
from support import agent_audit, chain_audit
from support.agent_audit import AgentWatch, watched_agents
from support.agent_floor import add_agents
from support.asterisk_floor import Floor, asterisk_floor, mixed
from support.chain import Chain, make_chain
from support.live_runs import LISTENING
from support.processes import Programs, eventually

pytestmark = pytest.mark.alone

AGENTS = 20
CONTACTS = 500
PORTS = 56
"""Licensed telephony ports: 20 for nailed-up phones; contacts and bridging share the others."""
MEDIAN = 0.150
"""Seconds from the contact's 200 OK to the agent's voice, at most, by the issue."""
LONGEST = 300.0
"""Seconds in which the job must have finished, on whatever machine."""
MOST_ABANDONED = 0.07
"""Of those who answered: the budget of 3 %, and four deviations of what chance makes of 290 answers."""

TRUE = {**chain_audit.TRUE, Far.MACHINE: Outcome.ANSWERED}
"""No machine is told from a person before an agent hears it: that would take longer than the agent may."""

SELL = """
name = "sell"
[[actions]]
name = "call"
channel = "call"
minimum = 1
maximum = 100
ring_timeout = 15
window = { start = "00:00", end = "24:00" }
[actions.agents]
mode = "predictive"
wrap_up = "60s"
completion_codes = ["sale", "no_interest"]
default_code = "no_interest"
abandoned = { file = "hello-world" }
"""
HABITS = Habits(talk=5.0, wrap_up=0.5, codes={"sale": 1.0, "no_interest": 3.0})
"""Who talks longer than 5 seconds is hung up on, half of the time."""


def test_twenty_nailed_up_agents(
    sqlite_database: Database,
    commands: Programs,
    public_network: PublicNetwork,
    asterisk: AsteriskServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    chain = make_chain(sqlite_database, commands, tmp_path / "data", public_network, {"asterisk": asterisk})
    chain.system.license(
        RealClock().now(), telephony_ports=PORTS, predictive_agents=AGENTS, agent_web_api=AGENTS
    )
    numbers = mixed(CONTACTS)

    async def day() -> tuple[Floor, AgentWatch, JobId]:
        async with asterisk_floor(chain, AGENTS, numbers) as floor:
            chain.register(trunk=floor.trunk)
            tokens = add_agents(sqlite_database, AGENTS, addresses=floor.addresses)
            platform = await asyncio.to_thread(chain.start)
            address = (await asyncio.to_thread(platform.wait_for, LISTENING))[1]
            await asyncio.to_thread(chain.wait_for_servers)
            job = chain.start_job("sell", numbers, SELL)
            with watched_agents(sqlite_database, asterisk, ports=PORTS, seats=AGENTS) as watch:
                async with floor.at_work(address, tokens, HABITS):
                    await asyncio.to_thread(
                        eventually, "the job finishes", lambda: chain.finished(job), LONGEST
                    )
                    await asyncio.to_thread(
                        eventually, "only nailed-up phones are left", lambda: only_phones(chain, AGENTS)
                    )
                await asyncio.to_thread(eventually, "nothing is left", lambda: nothing(chain))
            assert await asyncio.to_thread(platform.stop) == 0, platform.complaints
            assert "Traceback" not in platform.complaints
            return floor, watch, job

    floor, watch, job = asyncio.run(day())
    waits = answer_to_audio(floor)
    tried = chain_audit.attempts(sqlite_database)
    outcomes = chain_audit.outcomes(tried)
    given = {row["address"]: (row["joined_at"] - row["answered_at"]).total_seconds() for row in talked(tried)}
    joining = [wait - given[number] for number, wait in waits.items()]
    record_property(
        "measured",
        f"answer to audio: {shown(list(waits.values()))}; of this, once an agent is free: {shown(joining)}; "
        f"{watch.samples} samples, {watch.exact} in which Asterisk listed exactly our calls; most "
        f"{dict(watch.most)} of {PORTS} ports; {dict(outcomes)}",
    )
    check_books(chain, watch)
    check_contacts(chain, numbers, job, floor)
    check_pairs(chain, watch, floor)
    assert len(waits) > CONTACTS / 20
    assert statistics.median(waits.values()) <= MEDIAN


def only_phones(chain: Chain, agents: int) -> bool:
    """Return whether nothing but nailed-up phones is on the line, each alone in its room."""
    (server,) = chain.servers.values()
    books = chain.database.read_now(agent_audit.read_books)
    rooms = [bridge for bridge in bridges(server) if bridge]
    return (
        len(books.agents) == agents
        and books.calls == server.channel_ids() == set(books.agents)
        and all(len(members) == 1 for members in rooms)
    )


def bridges(server: AsteriskServer) -> list[list[str]]:
    """Return who is in each bridge of ours."""
    found = server.ari("GET", "/bridges").raise_for_status().json()
    return [bridge["channels"] for bridge in found if str(bridge["id"]).startswith(PREFIX)]


def nothing(chain: Chain) -> bool:
    """Return whether no channel, no bridge, no port and no seat is left."""
    (server,) = chain.servers.values()
    books = chain.database.read_now(agent_audit.read_books)
    held = books.calls | books.bridging
    return not (held or books.ports or books.seats or books.agents or server.channel_ids() or bridges(server))


def answer_to_audio(floor: Floor) -> dict[str, float]:
    """Return the seconds from 200 OK until the agent's tone, by the number of each who heard one."""
    return {
        phone.name: phone.first[floor.tones[index]] - phone.answered_at
        for phone in floor.people()
        for index in floor.heard_by(phone)
    }


def shown(seconds: list[float]) -> str:
    """Return what times come to, in words."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    found = {"median": statistics.median(seconds), "p95": p95, "most": max(seconds)}
    return ", ".join(f"{name} {each * 1000:.0f} ms" for name, each in found.items()) + f" of {len(seconds)}"


def talked(tried: Sequence[Row]) -> list[Row]:
    """Return the attempts that an agent was given."""
    return [row for row in tried if row["agent_id"] is not None]


def check_books(chain: Chain, watch: AgentWatch) -> None:
    """Ports and seats were counted right at every second, and nothing is left behind."""
    assert watch.breaches == []
    assert watch.samples >= 30
    assert watch.most["nailed_up"] == watch.most["seats"] == AGENTS
    assert chain.database.read_now(agent_audit.excessive_seats) == []
    check = chain.commands.run("check")
    assert (check.process.returncode, check.text) == (0, "no drift\n"), check.text + check.complaints


def check_contacts(chain: Chain, numbers: list[str], job: JobId, floor: Floor) -> None:
    """Every contact has its one true outcome, and was called as often as the books say."""
    tried = chain_audit.attempts(chain.database)
    assert Counter(row["address"] for row in tried) == Counter(numbers)
    false = chain_audit.false_outcomes(tried, allowed=frozenset({Outcome.ABANDONED}), truth=TRUE)
    assert false == []
    live = [row for row in tried if row["answered_at"] is not None]
    abandoned = [row for row in live if row["outcome"] == Outcome.ABANDONED.value]
    assert [row["id"] for row in tried if row["outcome"] == Outcome.ABANDONED.value and row not in live] == []
    assert len(abandoned) <= MOST_ABANDONED * len(live)
    finals = chain.database.read_now(final_outcomes, job)
    assert finals == {row["contact_id"]: row["outcome"] for row in tried}
    assert len(finals) == len(numbers)
    called = Counter(phone.name for phone in floor.phones.calls)
    assert {each: called[each] for each in numbers} == dict.fromkeys(numbers, 1)
    at_sipp = Counter(each for each, _ in chain.network.called())
    assert {each for each in numbers if at_sipp[each] != floor.is_at_sipp(each)} == set()


def final_outcomes(tx: Tx, job: JobId) -> dict[int, str | None]:
    """Return what each contact came to; None for one that is not done."""
    X = schema.targets.c  # noqa: N806 - a table's columns
    rows = tx.execute(select(X.contact_id, X.outcome, X.state).where(X.job_id == job))
    return {row.contact_id: row.outcome if row.state == "done" else None for row in rows}


def check_pairs(chain: Chain, watch: AgentWatch, floor: Floor) -> None:
    """No contact had two agents, no agent two contacts: by bridges, by ears, and by our books."""
    assert {contact: agents for contact, agents in watch.pairs.items() if len(agents) != 1} == {}
    tried = {row["id"]: row for row in chain_audit.attempts(chain.database)}
    agents = {contact: agent for contact, found in watch.pairs.items() for agent in found}
    assert agents == {contact: tried[contact]["agent_id"] for contact in agents}
    assert chain.database.read_now(agent_audit.doubled_agents) == []
    with_agents = talked(list(tried.values()))
    assert {row["outcome"] for row in with_agents} == {Outcome.ANSWERED.value}
    assert {row["disposition"] for row in with_agents} <= HABITS.codes.keys()
    assert len({row["agent_id"] for row in with_agents}) == AGENTS
    names = chain.database.read_now(agent_names)
    by_number = {row["address"]: row for row in tried.values()}
    for phone in floor.people():
        assert (number := planned(phone.name)) is not None, number
        heard = floor.heard_by(phone)
        agent = by_number[phone.name]["agent_id"]
        own = set() if agent is None else {names.index(agent)}
        assert heard == {each for each in own if floor.tones[each]}, phone.name


def agent_names(tx: Tx) -> list[int]:
    """Return the agents' ids in the order of their phones."""
    return list(tx.execute(select(schema.agents.c.id).order_by(schema.agents.c.id)).scalars())
