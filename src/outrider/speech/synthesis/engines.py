"""The engines of text to speech as they are configured: one for each speech server that is switched on.

The synthesiser asks for them with every text; the database is read again every few seconds.
"""

from collections.abc import Sequence

import httpx

from outrider.clock import stopwatch
from outrider.db.database import Database
from outrider.errors import InvalidInputError, StoreError
from outrider.licences.model import LicenceKind
from outrider.speech import service
from outrider.speech.model import Engine, SpeechServer
from outrider.speech.options import OPTIONS
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.program import Espeak, Program
from outrider.speech.synthesis.service_http import WebService
from outrider.speech.synthesis.voice import Voice

READ_AGAIN = 2.0
"""Real seconds for which what was read is good."""
MOST_CONNECTIONS = 20


class ConfiguredVoices:
    """Reads speech servers, and makes engines of them. `close` it."""

    def __init__(self, database: Database, settings: SpeechSettings) -> None:
        self._database = database
        self._settings = settings
        self._client = http_client()
        self._known: Sequence[Voice] = ()
        self._good_until = 0.0

    async def __call__(self) -> Sequence[Voice]:
        """Return the engines that are switched on, those of higher weight first, then by name."""
        if stopwatch() >= self._good_until:
            try:
                servers = await self._database.read(service.servers, LicenceKind.TTS)
            except StoreError:
                # What was configured is the best guess until the database is back.
                return self._known
            self._known = self._voices(servers)
            self._good_until = stopwatch() + READ_AGAIN
        return self._known

    async def close(self) -> None:
        """Close connections to web services."""
        await self._client.aclose()

    def _voices(self, servers: Sequence[SpeechServer]) -> Sequence[Voice]:
        found: list[Voice] = []
        for server in sorted(servers, key=lambda each: (-each.weight, each.name)):
            if server.enabled:
                try:
                    found.append(voice_of(server, self._settings, self._client))
                except InvalidInputError:
                    # The check of the server says it; another one may be able to speak.
                    continue
        return found


def http_client() -> httpx.AsyncClient:
    """Return what web services are spoken to with; the caller closes it."""
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
    return httpx.AsyncClient(limits=limits, follow_redirects=False, trust_env=False)


def voice_of(server: SpeechServer, settings: SpeechSettings, client: httpx.AsyncClient) -> Voice:
    """Return the engine of a speech server.

    InvalidInputError for a command or secret that the settings of this machine do not have.
    """
    known = {option.name: option.default for option in OPTIONS[server.engine]}
    options = {**known, **server.options}
    if server.engine is Engine.ESPEAK:
        return Espeak(server.name, settings.espeak, options["voice"], options["speed"])
    if server.engine is Engine.COMMAND:
        command = settings.commands.get(options["command"])
        if command is None:
            raise _missing("command", "commands", options["command"])
        return Program(server.name, command, options["voice"])
    if server.engine is Engine.HTTP:
        secret = options["secret"]
        if secret and secret not in settings.secrets:
            raise _missing("secret", "secrets", secret)
        return WebService(
            server.name,
            client,
            options["url"],
            options["format"],
            options["text_field"],
            options["voice_field"],
            options["voice"],
            settings.timeout,
            settings.secrets.get(secret, ""),
        )
    raise InvalidInputError(f"engine {server.engine} does not speak", where="engine")


def _missing(what: str, section: str, name: str) -> InvalidInputError:
    return InvalidInputError(
        f"options.{what}: the settings of this machine have no speech.{section}.{name}: add it there",
        where=f"options.{what}",
    )
