"""`outrider agents simulate`: simulated agents on the real Agent Web API, for trying campaigns and for load.

`cli/agents.py` has it in its group. The agents themselves are in `client/simulated.py`.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from statistics import median

import click
import httpx

from outrider.agents import service, store
from outrider.agents.accounts import AccountPlan
from outrider.cli.options import database_options, open_database, settings_of
from outrider.client import AgentClient
from outrider.client.simulated import Habits, simulate
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.errors import InvalidInputError
from outrider.people import service as people
from outrider.people.model import SYSTEM
from outrider.people.passwords import hash_password, new_password

TOKEN_NAME = "simulated"  # noqa: S105 - a token's name


@click.command("simulate")
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 5000), help="How many agents.")
@click.option("--url", default="http://127.0.0.1:8088", show_default=True, help="Where the server is.")
@click.option(
    "--tokens",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="API tokens of agents, one a line. Without it, agents are made in the database.",
)
@click.option("--prefix", default="simulated", show_default=True, help="Agents are PREFIX-1 and so on.")
@click.option("--talk", default=60.0, show_default=True, help="Mean seconds of talk; 0: contacts hang up.")
@click.option("--wrap-up", default=15.0, show_default=True, help="Mean seconds of wrap-up.")
@click.option("--preview", default=5.0, show_default=True, help="Mean seconds of looking at a card.")
@click.option("--code", "codes", multiple=True, metavar="NAME=WEIGHT", help="May be given again.")
@click.option(
    "--speed", default=1.0, show_default=True, help="Seconds of the server's clock per real second."
)
@click.option(
    "--pause", default=0.01, show_default=True, help="Real seconds between one agent's login and the next."
)
@click.option("--seconds", type=float, help="End after so many real seconds; by default with Ctrl+C.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same times.")
@database_options
def simulate_agents(
    *,
    count: int,
    url: str,
    tokens: Path | None,
    prefix: str,
    talk: float,
    wrap_up: float,
    preview: float,
    codes: tuple[str, ...],
    speed: float,
    pause: float,
    seconds: float | None,
    seed: int,
    settings_file: Path | None,
    database: str | None,
    data_folder: Path | None,
) -> None:
    """Let COUNT agents log in, accept cards, talk, and wrap up after random times."""
    habits = Habits(preview, talk, wrap_up, _weights(codes), speed)
    if tokens is None:
        with open_database(settings_of(settings_file, database, data_folder)) as opened:
            secrets = opened.write_now(made_tokens, prefix, count, hash_password(new_password()))
    else:
        secrets = tokens.read_text("utf-8").split()[:count]
        if len(secrets) < count:
            raise InvalidInputError(f"{tokens}: {len(secrets)} tokens, and {count} agents want one each")
    counts: Counter[str] = Counter()
    delays: list[float] = []
    asyncio.run(run(url, secrets, habits, seed, seconds, pause, counts, delays))
    for what, number in sorted(counts.items()):
        click.echo(f"{what}: {number}")
    if delays:
        click.echo(f"commands: {len(delays)}, median {median(delays) * 1000:.1f} ms")


def made_tokens(tx: Tx, prefix: str, count: int, password_hash: str) -> list[str]:
    """Make agents PREFIX-1 to PREFIX-COUNT with users, where they are missing; return a new token of each."""
    now = RealClock().now()
    secrets = []
    for number in range(1, count + 1):
        name = f"{prefix}-{number}"
        found = store.agents(tx, None, name=name)
        if not found:
            plan = AccountPlan(name, f"sip:{name}@simulated.invalid", name.title())
            found = [service.create(tx, now, SYSTEM, plan, organization_id=None, password_hash=password_hash)]
        user_id = found[0].user_id
        if user_id is None:
            raise InvalidInputError(f"agent {name} has no user: choose another --prefix")
        for token in people.list_tokens(tx, SYSTEM):
            if token.user_id == user_id and token.name == TOKEN_NAME:
                people.revoke_token(tx, now, SYSTEM, token.id)
        secrets.append(people.create_token(tx, now, SYSTEM, user_id, name=TOKEN_NAME, expires_at=None)[1])
    return secrets


async def run(
    url: str,
    tokens: Sequence[str],
    habits: Habits,
    seed: int,
    seconds: float | None,
    pause: float,
    counts: Counter[str],
    delays: list[float],
) -> None:
    """Simulate one agent for each token until the time is over or a signal comes; all log out at the end."""
    loop = asyncio.get_running_loop()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(limits=limits))
        clients = [AgentClient(url, token, http=http) for token in tokens]
        working = asyncio.ensure_future(
            simulate(clients, habits, seed=seed, seconds=seconds, pause=pause, counts=counts, delays=delays)
        )
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, working.cancel)
        with suppress(asyncio.CancelledError):
            await working


def _weights(codes: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in codes or ("done=1",):
        name, _, weight = text.partition("=")
        try:
            found[name] = float(weight or 1)
        except ValueError:
            raise InvalidInputError(f"--code {text!r}: give NAME=WEIGHT, such as sale=0.2") from None
    return found
