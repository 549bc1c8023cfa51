"""An engine that is a web service: a text is posted, the answer is a WAV file.

`engines.py` makes it of a speech server. Redirects are not followed, so that a secret never travels on.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx

from outrider.errors import ChannelError
from outrider.speech.synthesis.sound import LARGEST

LONGEST_COMPLAINT = 200


@dataclass(frozen=True, slots=True)
class WebService:
    """A web service at `url`; `authorization` is the value of that header, "" for none."""

    name: str
    client: httpx.AsyncClient = field(repr=False)
    url: str
    format: str
    text_field: str
    voice_field: str
    voice: str
    timeout: float
    authorization: str = field(default="", repr=False)

    @property
    def identity(self) -> str:
        """Return what decides how it sounds."""
        return f"http {self.url} {self.format} {self.text_field} {self.voice_field} {self.voice}"

    async def speak(self, text: str, voice: str) -> bytes:
        """Return a WAV file of a text. ChannelError."""
        try:
            async with self.client.stream(
                "POST", self.url, timeout=self.timeout, **self._body(text, voice or self.voice)
            ) as response:
                content = await self._read(response)
        except httpx.TimeoutException:
            raise ChannelError(f"{self.url} did not answer within {self.timeout:g} s") from None
        except httpx.ConnectError as error:
            raise ChannelError(f"{self.url} cannot be reached: {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelError(f"{self.url}: {type(error).__name__}: {error}") from None
        if not response.is_success:
            said = content[:LONGEST_COMPLAINT].decode(errors="replace").strip().splitlines()
            words = f": {said[0]}" if said and said[0].isprintable() else ""
            raise ChannelError(f"{self.url} answered with status {response.status_code}{words}")
        return content

    def _body(self, text: str, voice: str) -> dict[str, Any]:
        headers = {"accept": "audio/wav, audio/*"}
        if self.authorization:
            headers["authorization"] = self.authorization
        if self.format == "text":
            headers["content-type"] = "text/plain; charset=utf-8"
            return {"headers": headers, "content": text.encode()}
        fields = {self.text_field: text}
        if voice and self.voice_field:
            fields[self.voice_field] = voice
        return {"headers": headers, "json" if self.format == "json" else "data": fields}

    async def _read(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > LARGEST:
                raise ChannelError(f"{self.url} answered more than {LARGEST} bytes")
            parts.append(part)
        return b"".join(parts)
