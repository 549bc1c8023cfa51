"""What Asterisk is told to play and to dial: media URIs and dial strings, with nothing smuggled in. Pure."""

import math
import re

from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.model import CallPurpose, OutboundCall, Prompt
from outrider.errors import ChannelError

SHORTEST_RING = 1
EXTENSIONS = ("wav", "gsm", "ulaw", "alaw", "sln", "sln16", "g722", "g729", "pcm", "wav49")
"""Asterisk chooses the format itself, and wants names of sounds without them."""

_SCHEME = re.compile(r"(sound|recording|tone|number|digits|characters):")
_NUMBER = re.compile(r"\+?[0-9A-Za-z*#][0-9A-Za-z*#._-]{0,79}")
_SIP_ADDRESS = re.compile(r"sips?:[0-9A-Za-z*#._+-]{1,80}@[0-9A-Za-z.-]{1,120}(:[0-9]{1,5})?")
_OWN_ENDPOINT = re.compile(r"PJSIP/[0-9A-Za-z_-]{1,80}")
_CALLER_ID = re.compile(r"[0-9+*#A-Za-z_. -]{0,40}")


def media(prompt: Prompt, settings: AsteriskSettings) -> str | None:
    """Return the media URI of a prompt that is a file; None for one that is a text.

    A name that has a scheme of ARI's (`sound:`, `recording:`, ...) is taken as it is; to any other
    `settings.sounds` is put before, and its extension is taken off.
    """
    name = prompt.file
    if not name:
        return None
    if _SCHEME.match(name):
        return name
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in EXTENSIONS:
        name = stem
    return f"{settings.sounds}{name}"


def endpoint(call: OutboundCall, settings: AsteriskSettings) -> str:
    """Return the dial string of a call. ChannelError for an address that cannot be a number.

    Only letters, digits and +*#._- pass: an address must not reach another endpoint, or two at once. Phones
    of agents and consulted people may be SIP addresses too, reached through the trunk's endpoint, or
    endpoints of the server itself (`PJSIP/name`).
    """
    if call.purpose is not CallPurpose.CUSTOMER:
        if _OWN_ENDPOINT.fullmatch(call.address):
            return call.address
        trunk = pjsip_endpoint(settings.trunk)
        if _SIP_ADDRESS.fullmatch(call.address) and trunk is not None:
            return f"PJSIP/{trunk}/{call.address}"
    if not _NUMBER.fullmatch(call.address):
        raise ChannelError(f"{call.address!r} cannot be dialled: it is not a phone number")
    digits = call.address.removeprefix("+")
    return settings.trunk.replace("{number}", call.address).replace("{digits}", digits)


def origination(call: OutboundCall, settings: AsteriskSettings, argument: str) -> dict[str, object]:
    """Return the body of `POST /channels`. ChannelError for an address or caller id that cannot be used.

    The ring time limit goes in whole seconds, rounded up.
    """
    body: dict[str, object] = {
        "endpoint": endpoint(call, settings),
        "app": settings.application,
        "appArgs": argument,
        "channelId": call.call_id,
        "timeout": ring_seconds(call),
    }
    caller_id = settings.caller_id if call.caller_id is None else call.caller_id
    if not _CALLER_ID.fullmatch(caller_id):
        raise ChannelError(f"{caller_id!r} cannot be shown as the caller: use a number, or letters")
    if caller_id:
        body["callerId"] = f"<{caller_id}>"
    if call.detect_machine:
        body["variables"] = {"OUTRIDER_APP": settings.application}
    return body


def ring_seconds(call: OutboundCall) -> int:
    """Return a call's ring time limit as Asterisk takes it."""
    return max(SHORTEST_RING, math.ceil(call.ring_timeout))


def pjsip_endpoint(trunk: str) -> str | None:
    """Return the name of the PJSIP endpoint of a dial string: None when it is over something else.

    Both forms are known: `PJSIP/{number}@trunk` and `PJSIP/trunk/sip:{number}@host`.
    """
    technology, _, rest = trunk.partition("/")
    if technology != "PJSIP":
        return None
    first, slash, _ = rest.partition("/")
    return first if slash else rest.rpartition("@")[2]
