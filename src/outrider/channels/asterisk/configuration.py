"""What to paste into an Asterisk so that we can use it: the text of `outrider media config NAME`. Pure.

Each part names its file. A trunk is only sketched: the provider decides its credentials.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outrider.channels.asterisk.modules import NEEDS
from outrider.channels.asterisk.prompts import pjsip_endpoint
from outrider.channels.asterisk.settings import AsteriskSettings

HIDDEN = "PUT-THE-PASSWORD-HERE"

DESCRIPTORS_PER_CALL, SPARE_DESCRIPTORS = 4, 1024
FIRST_MEDIA_PORT = 10_000
HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Snippet:
    """One part: the file of /etc/asterisk that it belongs to, why, and the text."""

    file: str
    why: str
    text: str


def snippets(
    settings: AsteriskSettings,
    maximum_calls: int = 100,
    *,
    reveal: bool = False,
    carrier: str = "sip.example.net",
) -> Sequence[Snippet]:
    """Return the parts for a server that is to carry `maximum_calls`; the password only with `reveal`.

    `carrier` is the host (or host:port) of the SIP provider.
    """
    parts = [
        _http(settings),
        _ari(settings, settings.password if reveal else HIDDEN),
        _extensions(settings),
        _amd(),
        _music(),
        _tones(),
        _rtp(maximum_calls),
        _limits(maximum_calls),
        _modules(),
    ]
    endpoint = pjsip_endpoint(settings.trunk)
    if endpoint is not None:
        parts.insert(2, _pjsip(endpoint, carrier))
    return parts


def text(parts: Sequence[Snippet]) -> str:
    """Return all parts as one text, to read and to paste from."""
    return "\n".join(f"; ===== {part.file}: {part.why}\n{part.text}" for part in parts)


def _http(settings: AsteriskSettings) -> Snippet:
    why = "Asterisk's HTTP server, over which we reach it"
    if settings.http_base.startswith("https"):
        lines = f"""[general]
enabled=yes
tlsenable=yes
tlsbindaddr=0.0.0.0:{settings.port}
tlscertfile=/etc/asterisk/keys/asterisk.pem
sessionlimit=1000
"""
    else:
        # 127.0.0.1 cannot be right for another machine, and 0.0.0.0 is more than ours needs.
        lines = f"""[general]
enabled=yes
bindaddr={settings.host}
bindport={settings.port}
sessionlimit=1000
"""
    return Snippet("http.conf", why, lines)


def _ari(settings: AsteriskSettings, password: str) -> Snippet:
    why = "our user; the default of 100 ms would cut off the events of a busy server"
    lines = f"""[general]
enabled=yes
websocket_write_timeout=5000
[{settings.username}]
type=user
read_only=no
password={password}
"""
    return Snippet("ari.conf", why, lines)


def _pjsip(endpoint: str, carrier: str) -> Snippet:
    why = "the trunk, if you have none yet; your provider tells what else it needs"
    lines = f"""[{endpoint}]
type=endpoint
context=default
disallow=all
allow=ulaw,alaw
aors={endpoint}
direct_media=no
dtmf_mode=rfc4733
send_connected_line=no
send_pai=yes
trust_id_outbound=yes
[{endpoint}]
type=aor
contact=sip:{carrier}
qualify_frequency=60
[{endpoint}]
type=identify
endpoint={endpoint}
match={carrier.partition(":")[0]}
"""
    return Snippet("pjsip.conf", why, lines)


def _extensions(settings: AsteriskSettings) -> Snippet:
    why = "answering-machine detection; without it we judge by when somebody talks"
    lines = f"""[{settings.amd_context}]
exten => s,1,AMD()
 same => n,Stasis(${{OUTRIDER_APP}},amd,${{AMDSTATUS}},${{AMDCAUSE}})
 same => n,Hangup()
"""
    return Snippet("extensions.conf", why, lines)


def _amd() -> Snippet:
    why = "times in milliseconds that tell a person from a machine in 1.5 to 2.5 seconds"
    lines = """[general]
total_analysis_time=5000
silence_threshold=256
initial_silence=2500
after_greeting_silence=800
greeting=1500
min_word_length=100
maximum_word_length=5000
between_words_silence=50
maximum_number_of_words=2
"""
    return Snippet("amd.conf", why, lines)


def _music() -> Snippet:
    why = "what contacts hear while an agent has them on hold: the sound files of that folder"
    lines = """[default]
mode=files
directory=moh
"""
    return Snippet("musiconhold.conf", why, lines)


def _tones() -> Snippet:
    why = "what agents hear while a call of theirs rings, if you have no tones yet: choose your country"
    lines = """[general]
country=us
[us]
description=United States
ringcadence=2000,4000
ring=440+480/2000,0/4000
"""
    return Snippet("indications.conf", why, lines)


def _rtp(maximum_calls: int) -> Snippet:
    first, last = media_ports(maximum_calls)
    why = f"sound takes two ports per call: enough for {(last - first + 1) // 2} calls"
    return Snippet("rtp.conf", why, f"[general]\nrtpstart={first}\nrtpend={last}\n")


def _limits(maximum_calls: int) -> Snippet:
    descriptors = maximum_calls * DESCRIPTORS_PER_CALL + SPARE_DESCRIPTORS
    why = "each call takes four file descriptors; the process's own limit (LimitNOFILE) must allow it too"
    return Snippet("asterisk.conf", why, f"[options]\nmaxfiles={descriptors}\ntransmit_silence=no\n")


def _modules() -> Snippet:
    why = "only with autoload=no: these must be loaded, beside what they and your trunk need themselves"
    return Snippet("modules.conf", why, "".join(f"load={need.module}.so\n" for need in NEEDS))


def media_ports(maximum_calls: int) -> tuple[int, int]:
    """Return first and last port for sound: two per call, and room for calls that have just ended."""
    return FIRST_MEDIA_PORT, min(HIGHEST_PORT, FIRST_MEDIA_PORT + maximum_calls * 2 * 5 // 4 + 98)
