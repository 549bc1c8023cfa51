"""The media servers of the registry as one voice channel, and what is seen of them as the registry's words.

Part of the composition root: registry and Asterisk driver do not know each other.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from outrider.channels.asterisk.check import check
from outrider.channels.asterisk.health import ServerHealth
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.trouble import ServerState
from outrider.channels.media_servers import MediaServers
from outrider.errors import InvalidInputError
from outrider.media.checking import Finding, Level
from outrider.media.model import Connection, MediaServerId, Report, SeenAs

SEEN_AS: Mapping[ServerState, SeenAs] = {
    ServerState.CONNECTING: SeenAs.CONNECTING,
    ServerState.CONNECTED: SeenAs.CONNECTED,
    ServerState.GONE: SeenAs.GONE,
    ServerState.UNREACHABLE: SeenAs.UNREACHABLE,
    ServerState.REFUSED: SeenAs.UNREACHABLE,
}


class AsteriskFleet:
    """Tells `servers` which Asterisk servers there are. `controller` names this worker among others."""

    def __init__(self, servers: MediaServers, controller: str, sounds: str) -> None:
        self.on_change: Callable[[], None] | None = None
        self._servers = servers
        # Asterisk takes application names of 73 characters at most, and slots are named by whole paths.
        self._controller = hashlib.sha256(controller.encode()).hexdigest()[:12]
        self._sounds = sounds
        self._ids: dict[str, MediaServerId] = {}
        servers.on_health = self._heard

    async def configure(self, connections: Sequence[Connection]) -> None:
        """Be connected to exactly these servers; calls on others are left alone."""
        self._ids = {each.name: each.id for each in connections}
        await self._servers.configure(
            [asterisk_settings(each, self._controller, self._sounds) for each in connections]
        )

    def seen(self) -> Mapping[MediaServerId, Report]:
        """Return what is seen of each server now."""
        return {
            self._ids[name]: Report(self._ids[name], SEEN_AS[health.state], health.message, health.version)
            for name, health in self._servers.health().items()
            if name in self._ids
        }

    def _heard(self, _health: ServerHealth) -> None:
        if self.on_change is not None:
            self.on_change()


def asterisk_settings(
    connection: Connection, controller: str = "", sounds: str = "sound:"
) -> AsteriskSettings:
    """Return a registered server as the driver takes it. InvalidInputError names the field that is wrong."""
    return AsteriskSettings(
        name=connection.name,
        url=connection.url,
        username=connection.username,
        password=connection.secret,
        app=connection.app,
        controller=controller,
        trunk=connection.trunk,
        caller_id=connection.caller_id,
        sounds=sounds,
    )


async def check_server(connection: Connection, *, in_use: bool | None = None) -> tuple[Finding, ...]:
    """Try a registered server for real. `in_use`: our own workers are connected; default: they should be."""
    used = connection.wanted if in_use is None else in_use
    try:
        found = await check(asterisk_settings(connection), in_use=used)
    except InvalidInputError as error:
        return (Finding(Level.ERROR, "configuration", error.message),)
    return tuple(Finding(Level(each.level.value), each.what, each.message) for each in found)
