"""The stage of `stages` over a real Asterisk: telephones of the test bed, who say what they hear."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from tools.testbed import asterisk as bed
from tools.testbed.configuration import CARRIER
from tools.testbed.phones import Habit, Phone, Phones, running_phones

from outrider.channels.asterisk.server import AsteriskServer
from outrider.channels.model import CallPurpose, OutboundCall
from outrider.clock import RealClock
from outrider.ids import AttemptId
from support.asterisk_driving import settings_of
from support.stages import over
from support.voice import Recorder

TALK = 1.5
"""Seconds after which a talker hangs up."""
FIRST_TONE, TONE_STEP = 400, 100
MANNERS = {
    "patient": Habit(),
    "talker": Habit(talk=TALK),
    "busy": Habit(busy=True),
    "absent": Habit(ring=None),
}
SETTLED = 0.3
"""Seconds for which somebody must have heard nothing, or music, to be believed."""


@dataclass
class AsteriskStage:
    """An open driver, and the phones that its trunk leads to. Each phone sends a tone of its own."""

    server: bed.AsteriskServer
    phones: Phones
    channel: AsteriskServer
    heard: Recorder = field(default_factory=lambda: Recorder(RealClock()))
    _names: dict[AttemptId, str] = field(default_factory=dict)

    def order(self, name: str, purpose: CallPurpose, manner: str) -> OutboundCall:
        """Return the call to a phone that behaves so: to its number, or for staff to its SIP address."""
        number = f"+49155500{len(self._names):04d}"
        manners = MANNERS[manner] if purpose is CallPurpose.CUSTOMER else Habit()
        tone = FIRST_TONE + TONE_STEP * len(self._names)
        self.phones.habits[number] = Habit(manners.ring, manners.talk, tone, manners.busy)
        self._names[AttemptId(name)] = number
        address = number if purpose is CallPurpose.CUSTOMER else self.phones.address(number)
        return OutboundCall(AttemptId(name), address, ring_timeout=20.0, purpose=purpose)

    def phone(self, call: AttemptId) -> Phone:
        """Return a call at its phone."""
        return self.phones.at(self._names[call])

    async def together(self, *calls: AttemptId) -> None:
        """Wait until each phone hears exactly the tones of the others."""
        for call in calls:
            others = frozenset(self.phone(other).habit.tone for other in calls if other != call)
            await self.phones.until(f"{call} hears {sorted(others)}", partial(self._hears, call, others), 10)

    async def alone(self, call: AttemptId, *, music: bool = False) -> None:
        """Wait until a phone has heard no tone for a while; and sound, if there is to be music."""
        phone, since = self.phone(call), time.perf_counter()

        def alone() -> bool:
            now = time.perf_counter()
            tones = {one.habit.tone for one in self.phones.calls if one is not phone}
            quiet = all(phone.last.get(tone, 0.0) < now - SETTLED for tone in tones)
            sounds = phone.loud_at > max(since, now - SETTLED)
            return quiet and (sounds if music else phone.loud_at < now - SETTLED)

        await self.phones.until(f"{call} hears {'music' if music else 'nothing'}", alone, 10)

    async def rings_for(self, call: AttemptId) -> None:
        """Wait until a phone hears something that is nobody's tone."""
        phone = self.phone(call)
        tones = {one.habit.tone for one in self.phones.calls}
        await self.phones.until(
            "it rings", lambda: phone.loud_at > time.perf_counter() - SETTLED and not phone.hears & tones, 10
        )

    async def keys_at(self, call: AttemptId, keys: str) -> None:
        """Wait until a phone has heard these keys."""
        phone = self.phone(call)
        await self.phones.until(f"{call} hears the keys {keys}", lambda: phone.keys == keys, 10)

    async def reopen(self) -> None:
        """Let the driver be gone, and another one come."""
        await self.channel.close()
        settings = self.channel.settings
        self.channel, self.heard = AsteriskServer(settings, RealClock()), Recorder(RealClock())
        await self.channel.open(self.heard)

    def _hears(self, call: AttemptId, tones: frozenset[int]) -> bool:
        return self.phone(call).hears == tones


@asynccontextmanager
async def asterisk_stage(server: bed.AsteriskServer) -> AsyncIterator[AsteriskStage]:
    """Give a stage over a server; at its end nothing of it is up there."""
    async with asyncio.timeout(60), running_phones({}) as phones:
        trunk = f"PJSIP/{CARRIER}/sip:{{number}}@127.0.0.1:{phones.port}"
        stage = AsteriskStage(server, phones, AsteriskServer(settings_of(server, trunk=trunk), RealClock()))
        await stage.channel.open(stage.heard)
        try:
            yield stage
        finally:
            for call in (await stage.channel.living()).calls:
                await stage.channel.hang_up(call.call_id)
                await over(stage, call.call_id)
            await stage.channel.living()
            await stage.channel.close()
