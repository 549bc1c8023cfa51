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


class Recovery:
    """Takes over for one worker. What it has seized is kept until the channel can say what is up."""

    def __init__(
        self,
        database: Database,
        voice: VoiceChannel,
        driver: Driver,
        clock: Clock,
        real_clock: Clock,
        slot: str,
        worker_id: str,
    ) -> None:
        self._database = database
        self._voice = voice
        self._driver = driver
        self._clock = clock
        self._real_clock = real_clock
        self._slot = slot
        self._worker_id = worker_id
        self._dead: set[str] = set()
        self._seized: list[Claim] = []

    async def is_due(self) -> bool:
        """Return whether some worker is gone, or was and is not taken over from yet."""
        now = self._real_clock.now()
        due = await self._database.read(store.anything_to_recover, self._slot, self._worker_id, now)
        return bool(due or self._seized)

    async def take_over(self) -> int:
        """Adopt or close every open attempt of workers that are gone; return how many there were.

        ChannelError when the voice channel cannot say what is up: then nothing is decided yet, and the next
        call goes on from there. So it does with calls on a media server that is silent.
        """
        dead, claims = await self._database.write(_seize, self._slot, self._worker_id, self._real_clock.now())
        self._dead.update(dead)
        self._seized += claims
        if not self._seized:
            if self._dead:
                await self._database.write(store.remove_workers, sorted(self._dead))
                self._dead.clear()
            return 0
        living: dict[AttemptId, LivingCall] = {}
        silent: frozenset[str] = frozenset()
        if any(claim.plan.action.channel is Channel.CALL for claim in self._seized):
            answer = await self._voice.living()
            living, silent = {call.call_id: call for call in answer.calls}, answer.silent
        found = [claim for claim in self._seized if claim.server not in silent]
        self._seized = [claim for claim in self._seized if claim.server in silent]
        # Whoever is in an agent's room has that agent: before others are given one.
        found.sort(key=lambda claim: not _is_in_room(living.get(claim.attempt_id)))
        taken_over = sum(self._driver.adopt(claim, living.get(claim.attempt_id)) for claim in found)
        interrupted = len(found) - taken_over
        log.info(
            "attempts_recovered", taken_over=taken_over, interrupted=interrupted, workers=len(self._dead)
        )
        if found or self._dead:
            await self._database.write(_note, sorted(self._dead), self._clock.now(), taken_over, interrupted)
            self._dead.clear()
        if self._seized:
            log.warning("attempts_wait_for_media_server", attempts=len(self._seized), servers=sorted(silent))
        return len(found)

    @property
    def waits(self) -> bool:
        """Return whether attempts are still undecided: their media server does not answer."""
        return bool(self._seized)


def _is_in_room(call: LivingCall | None) -> bool:
    return call is not None and bool(call.room)


def _seize(tx: Tx, slot: str, worker_id: str, now: dt.datetime) -> tuple[list[str], list[Claim]]:
    """Make the open attempts of dead workers ours, and return them."""
    dead = store.dead_workers(tx, slot, worker_id, now)
    owners = sorted({*dead, *store.unowned(tx)} - {worker_id})
    if not owners:
        return dead, []
    claims = plans.orphans(tx, owners)
    # Another worker may be recovering the same: whose update counts a row, has it.
    ours = dialing_store.set_owner(tx, [claim.attempt_id for claim in claims], owners, worker_id)
    return dead, [claim for claim in claims if claim.attempt_id in ours]


def _note(tx: Tx, dead: list[str], now: dt.datetime, taken_over: int, interrupted: int) -> None:
    store.remove_workers(tx, dead)
    event_log.append(tx, now, WorkerRecovered(taken_over=taken_over, interrupted=interrupted))
