"""Taking over from workers that are gone: their living calls go on here, the rest is closed truthfully.

The worker calls it at its start (former lives of its own slot) and now and then (others whose lease ran
out). Nothing is dialed again by itself (architecture, crash rules).
"""

import datetime as dt

import structlog

from outrider.campaigns.strategy import Channel
from outrider.channels.base import VoiceChannel
from outrider.channels.model import LivingCall
from outrider.clock import Clock
from outrider.db import log as event_log
from outrider.db.database import Database, Tx
from outrider.dialing import plans
from outrider.dialing import store as dialing_store
from outrider.dialing.attempt import Claim
from outrider.events import WorkerRecovered
from outrider.ids import AttemptId
from outrider.runtime import store
from outrider.runtime.driver import Driver

log = structlog.get_logger(__name__)


async def take_over(
    database: Database,
    voice: VoiceChannel,
    driver: Driver,
    clock: Clock,
    real_clock: Clock,
    slot: str,
    worker_id: str,
) -> int:
    """Adopt or close every open attempt of workers that are gone; return how many there were.

    ChannelError when the voice channel cannot say what is up: then nothing is decided yet.
    """
    dead, claims = await database.write(_seize, slot, worker_id, real_clock.now())
    if not claims:
        if dead:
            await database.write(store.remove_workers, dead)
        return 0
    living: dict[AttemptId, LivingCall] = {}
    if any(claim.plan.action.channel is Channel.CALL for claim in claims):
        living = {call.call_id: call for call in await voice.living()}
    taken_over = sum(driver.adopt(claim, living.get(claim.attempt_id)) for claim in claims)
    interrupted = len(claims) - taken_over
    log.info("attempts_recovered", taken_over=taken_over, interrupted=interrupted, workers=len(dead))
    await database.write(_note, dead, clock.now(), taken_over, interrupted)
    return len(claims)


def _seize(tx: Tx, slot: str, worker_id: str, now: dt.datetime) -> tuple[list[str], list[Claim]]:
    """Make the open attempts of dead workers ours, and return them."""
    dead = store.dead_workers(tx, slot, worker_id, now)
    owners = sorted({*dead, *store.unowned(tx)} - {worker_id})
    if not owners:
        return dead, []
    claims = plans.orphans(tx, owners)
    dialing_store.set_owner(tx, [claim.attempt_id for claim in claims], worker_id)
    return dead, claims


def _note(tx: Tx, dead: list[str], now: dt.datetime, taken_over: int, interrupted: int) -> None:
    store.remove_workers(tx, dead)
    event_log.append(tx, now, WorkerRecovered(taken_over=taken_over, interrupted=interrupted))
