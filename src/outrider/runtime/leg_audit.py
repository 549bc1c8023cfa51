"""Asks the media servers now and then what they have of a floor's legs: news, or a hang-up, may be lost.

The worker's floor runs one while it is held. Without it an agent's phone whose end nobody heard of would keep
its port for ever, and one whose answer was lost would ring on the agent's page for ever.
"""

import asyncio

import structlog

from outrider.agents.leg import Leg
from outrider.agents.leg_check import Finding, is_up, is_wanted, judge, talks
from outrider.agents.roster import Roster
from outrider.channels.base import VoiceChannel
from outrider.channels.model import Living, LivingCall
from outrider.clock import stopwatch
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from outrider.runtime.floor_legs import FloorLegs
from outrider.runtime.wake import wait_for

log = structlog.get_logger(__name__)

RETRY = 1.0
"""Real seconds between two looks while something is open, and between two glances at what is overdue."""
PERIOD = 30.0
"""Real seconds after which all legs are looked at, though nothing seems to be wrong."""
SILENT = "its media server does not answer"


class LegAudit:
    """Compares the legs of one floor with what there is."""

    def __init__(self, legs: FloorLegs, voice: VoiceChannel, roster: Roster) -> None:
        self._legs = legs
        self._voice = voice
        self._roster = roster
        self._flag = asyncio.Event()
        legs.on_doubt = self.doubt
        self._in_doubt = False

    def doubt(self) -> None:
        """Look soon: news may have been missed, or a server came back."""
        self._in_doubt = True
        self._flag.set()

    async def run(self, held: asyncio.Event) -> None:
        """Look when there is reason to, once the floor is `held` with all its sessions; until cancelled."""
        await held.wait()
        looked = stopwatch()
        while True:
            if self._in_doubt or self._legs.is_open or stopwatch() - looked >= PERIOD:
                looked = stopwatch()
                await self.look()
            # A doubt that stays is not settled any sooner by asking again at once.
            self._flag.clear()
            await wait_for(self._flag, RETRY)

    async def look(self) -> None:
        """Ask once, and settle what can be. Of servers that are silent nothing is known yet."""
        self._in_doubt = False
        # Only legs made before we ask are looked at: others cannot be in the answer.
        asked, condemned = self._legs.made(), self._legs.condemned()
        if not asked and not condemned:
            return
        try:
            living = await self._voice.living()
        except ChannelError as error:
            log.info("legs_not_looked_at", error=error.message)
            living = Living(silent=frozenset(leg.server for leg in asked) | {""})
        up = {call.call_id: call for call in living.calls}
        for leg in asked:
            if not self._legs.knows(leg.id):
                continue
            if leg.server in living.silent:
                self._wait_for_server(leg)
            else:
                self._settle(leg, up.get(leg.id), living, ended=leg.id in condemned)
        self._end_again(condemned - {leg.id for leg in asked}, living)

    def _wait_for_server(self, leg: Leg) -> None:
        """Let another phone call be made than one that a silent server may never tell of."""
        legs, roster = self._legs, self._roster
        if legs.is_overdue(leg.id) and is_wanted(roster, leg.id) and not is_up(roster, leg.id):
            legs.give_up(leg.id, SILENT)

    def _settle(self, leg: Leg, call: LivingCall | None, living: Living, *, ended: bool) -> None:
        roster, legs = self._roster, self._legs
        wanted = is_wanted(roster, leg.id) or talks(leg.purpose, leg.id, living.calls)
        finding = judge(
            call,
            wanted=wanted and not ended,
            up=is_up(roster, leg.id) or not is_wanted(roster, leg.id),
            overdue=legs.is_overdue(leg.id),
        )
        if finding is not Finding.FINE:
            log.info("leg_differs", leg=leg.id, server=leg.server, finding=finding.name.lower())
        match finding:
            case Finding.GONE:
                legs.lose(leg.id, "the media server lost the call, or the news of its end")
            case Finding.UNWANTED:
                legs.hang_up(leg.id)
            case Finding.ANSWERED:
                legs.answered(leg.id)

    def _end_again(self, calls: frozenset[AttemptId], living: Living) -> None:
        """End calls of contacts once more that could not be; those that are over are no matter any more."""
        up = {call.call_id for call in living.calls}
        for call_id in sorted(calls):
            if call_id in up:
                self._legs.hang_up(call_id)
            elif not living.silent:
                self._legs.absolve(call_id)
